// POST /v1/predict and /v1/embeddings: what a model makes of texts.
#include <array>
#include <span>

#include "base/check.h"
#include "serve/refusal.h"
#include "serve/routes.h"
#include "serve/schema.h"
#include "text/base64.h"

namespace heed::serve {
namespace {

using namespace schema;

struct PredictBody {
  std::string model;
  Texts input;
  Options options;
  void visit(auto&& field) {
    field("model", model, Rule{"a name of /v1/models; empty: the first"});
    field("input", input, Rule{"a text or several"}.must());
    field("options", options, Rule{"options of heed predict by their names, as beam, n_best, alignment"});
  }
};

// The best with what belongs to it; the others of n_best behind it.
Json answer_of(const std::vector<Answered>& several) {
  Json answer = several.at(0).prediction.details;
  answer["output"] = several[0].prediction.text;
  for (size_t n = 1; n < several.size(); ++n) {
    Json other = several[n].prediction.details;
    other["output"] = several[n].prediction.text;
    answer["others"].push_back(std::move(other));
  }
  return answer;
}

void predict(Service& service, const Request& request, const std::shared_ptr<Reply>& reply) {
  const auto body = read_body<PredictBody>(request.body);
  const Model model = model_of(service, body.model);
  const auto together = std::make_shared<Together>(
      body.input.all.size(), reply, [reply, id = model.id](std::vector<std::vector<Answered>> all) {
        Json answers = Json::array();
        for (const auto& several : all) answers.push_back(answer_of(several));
        reply->send(json_response({{"model", id}, {"predictions", answers}}));
      });
  Asks asks;
  for (size_t n = 0; n < body.input.all.size(); ++n) {
    Ask& ask = asks.emplace_back(ask_of(service, model, body.input.all[n], body.options));
    ask.asked.number = static_cast<int64_t>(n);
    Together::of(together, n, ask);
  }
  service.worker.ask(std::move(asks));
}

enum class Encoding { numbers, base64 };  // base64: of the numbers as f32
constexpr std::array<std::pair<const char*, Encoding>, 2> names_of(Encoding) {
  return {{{"float", Encoding::numbers}, {"base64", Encoding::base64}}};
}

struct EmbeddingsBody {
  std::string model, user;
  Encoding encoding_format = Encoding::numbers;
  Texts input;
  void visit(auto&& field) {
    field("model", model, Rule{"a name of /v1/models; empty: the first"});
    field("input", input, Rule{"a text or several"}.must());
    field("encoding_format", encoding_format,
          Rule{"float: numbers; base64: their bytes as f32, as OpenAI's client asks for"});
    field("user", user, Rule{"not used"});
  }
};

Json written(const Tensor& vector, Encoding encoding) {
  if (encoding == Encoding::numbers) return vector.values();
  const std::span<const float> numbers = vector.span<float>();
  return tokenize::to_base64({reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes()});
}

Json embeddings_json(const Model& model, const std::vector<std::string>& texts, Encoding encoding) {
  const Tensor vectors = model.run->embed(texts);
  Json data = Json::array();
  int64_t tokens = 0;
  for (size_t n = 0; n < texts.size(); ++n) {
    const auto row = static_cast<int64_t>(n);
    data.push_back({{"object", "embedding"}, {"index", n}, {"embedding", written(vectors[row], encoding)}});
    tokens += static_cast<int64_t>(model.run->tokenizer().ids(texts[n], {.add_special = false}).size());
  }
  return {{"object", "list"},
          {"model", model.id},
          {"data", data},
          {"usage", {{"prompt_tokens", tokens}, {"total_tokens", tokens}}}};
}

void embed(Service& service, const Request& request, const std::shared_ptr<Reply>& reply) {
  const auto body = read_body<EmbeddingsBody>(request.body);
  const Model model = model_of(service, body.model);
  for (const std::string& text : body.input.all) ask_of(service, model, text, {});
  compute(service, reply,
          [model, body] { return json_response(embeddings_json(model, body.input.all, body.encoding_format)); });
}

}  // namespace

Route predict_route() {
  return {"POST",
          "/v1/predict",
          "What a model makes of texts: output, scores, tokens, alignment where asked for.",
          Access::key,
          "application/json",
          schema_of<PredictBody>,
          [] {
            return object({{"model", string()}, {"predictions", array(object({{"output", string()}}))}});
          },
          predict};
}
Route embeddings_route() {
  return {"POST",
          "/v1/embeddings",
          "A vector for each text, in OpenAI's shape.",
          Access::key,
          "application/json",
          schema_of<EmbeddingsBody>,
          [] {
            const Json embedding = {{"anyOf", Json::array({array(number()), string()})}};
            const Json one = object({{"object", string()}, {"index", integer()}, {"embedding", embedding}});
            const Json usage = object({{"prompt_tokens", integer()}, {"total_tokens", integer()}});
            return object({{"object", string()}, {"model", string()}, {"data", array(one)}, {"usage", usage}});
          },
          embed};
}

}  // namespace heed::serve
