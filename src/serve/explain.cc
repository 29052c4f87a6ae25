// POST /v1/explain: where a model looked, what mattered, and how far either is to be believed.
#include "base/check.h"
#include "explain/seen_json.h"
#include "serve/routes.h"
#include "serve/schema.h"

namespace heed::serve {
namespace {

using namespace schema;

struct ExplainBody {
  std::string model, input;
  bool vectors = false;
  ExplainOptions how;
  void visit(auto&& field) {
    field("model", model, Rule{"a name of /v1/models; empty: the first"});
    field("input", input, Rule{"a text"}.must());
    field("vectors", vectors, Rule{"queries and keys beside the weights"});
    how.visit([&](const char* name, auto& value, const char* help) { field(name, value, Rule{help}); });
  }
};

void check_seen(const Service& service, const Model& model, const char* name, const std::string& text) {
  ask_of(service, model, text, {});
  const auto tokens = std::ssize(model.run->tokenizer().ids(text, {.add_special = false}));
  check(tokens <= service.settings.seen_tokens, name, "has {} tokens, wanted {} or less to be explained", tokens,
        service.settings.seen_tokens);
}

void explain(Service& service, const Request& request, const std::shared_ptr<Reply>& reply) {
  const auto body = read_body<ExplainBody>(request.body);
  const Model model = model_of(service, body.model);
  check_seen(service, model, "input", body.input), check_seen(service, model, "target", body.how.target);
  check_seen(service, model, "instead", body.how.instead);
  using heed::explain::Vectors;
  compute(service, reply, [model, body, vectors = body.vectors ? Vectors::with : Vectors::without] {
    return Response{.body = heed::explain::seen_json(model.run->explain(body.input, body.how), vectors)};
  });
}

Json answer_schema() {
  const Json text = object({{"name", string()}, {"tokens", array(string())}});
  const Json by_head = array(array(array(number())));
  Json attention = object({{"name", string()},
                           {"queries", integer()},
                           {"keys", integer()},
                           {"heads", array({{"type", "object"}})},
                           {"weights", by_head}});
  attention["properties"]["q"] = attention["properties"]["k"] = by_head;  // where they were asked for
  const Json scores = object({{"method", string()}, {"text", integer()}, {"values", array(number())}});
  const Json step = object({{"token", string()}, {"probability", number()}, {"entropy", number()}});
  const Json answer =
      object({{"tokens", array(string())}, {"log_probabilities", array(number())}, {"score", number()}});
  return object({{"title", string()},
                 {"model", string()},
                 {"caution", string()},
                 {"texts", array(text)},
                 {"attention", array(attention)},
                 {"scores", array(scores)},
                 {"steps", array(step)},
                 {"answers", array(answer)}});
}

}  // namespace

Route explain_route() {
  return {"POST",
          "/v1/explain",
          "Where a model looked, what mattered, and how far either is to be believed.",
          Access::key,
          "application/json",
          schema_of<ExplainBody>,
          answer_schema,
          explain};
}

}  // namespace heed::serve
