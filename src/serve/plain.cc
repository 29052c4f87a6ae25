// What is answered at once: how the server stands, what it serves, its own description.
#include "base/check.h"
#include "serve/refusal.h"
#include "serve/routes.h"
#include "serve/schema.h"

namespace heed::serve {
namespace {

using namespace schema;

const char* name_of(Phase phase) {
  switch (phase) {
    case Phase::loading: return "loading";
    case Phase::serving: return "ok";
    case Phase::draining: break;
  }
  return "ending";
}

void health(Service& service, const Request&, const std::shared_ptr<Reply>& reply) {
  const Phase phase = service.phase;
  Response response = json_response({{"status", name_of(phase)}});
  if (phase != Phase::serving) response.status = 503, response.headers.push_back({"Retry-After", "1"});
  reply->send(std::move(response));
}

void list_models(Service& service, const Request&, const std::shared_ptr<Reply>& reply) {
  Json data = Json::array();
  for (const Model& model : service.shelf.all())
    data.push_back({{"id", model.id},
                    {"object", "model"},
                    {"created", model.loaded},
                    {"owned_by", "heed"},
                    {"task", model.task},
                    {"architecture", model.architecture},
                    {"ready", model.run != nullptr}});
  reply->send(json_response({{"object", "list"}, {"data", data}}));
}

struct TokenizeBody {
  std::string model;
  Texts input;
  void visit(auto&& field) {
    field("model", model, Rule{"a name of /v1/models; empty: the first"});
    field("input", input, Rule{"a text or several"}.must());
  }
};

Json tokens_json(const Tokenizer& tokenizer, const std::string& text) {
  Json tokens = Json::array();
  for (const Token& token : tokenizer.encode(text, {.add_special = false}))
    tokens.push_back(
        {{"id", token.id}, {"token", tokenizer.token_of(token.id)}, {"begin", token.begin}, {"end", token.end}});
  return tokens;
}

void tokenize(Service& service, const Request& request, const std::shared_ptr<Reply>& reply) {
  const auto body = read_body<TokenizeBody>(request.body);
  const Model model = model_of(service, body.model);
  Json all = Json::array();
  for (const std::string& text : body.input.all) all.push_back({{"tokens", tokens_json(model.run->tokenizer(), text)}});
  reply->send(json_response({{"model", model.id}, {"texts", all}}));
}

void metrics(Service& service, const Request&, const std::shared_ptr<Reply>& reply) {
  reply->send({200, "text/plain; version=0.0.4", service.metrics.text(service.worker.counts())});
}

void describe(Service&, const Request&, const std::shared_ptr<Reply>& reply) {
  reply->send(json_response(openapi(routes())));
}

struct ReloadBody {
  std::string model;
  void visit(auto&& field) { field("model", model, Rule{"a name of /v1/models; empty: the first"}); }
};

void reload(Service& service, const Request& request, const std::shared_ptr<Reply>& reply) {
  const auto body = read_body<ReloadBody>(request.body);
  const std::string id = model_of(service, body.model).id;
  service.worker.between([&service, id, reply] {
    try {
      service.shelf.load(id);
      reply->send(json_response({{"model", id}, {"created", service.shelf.find(id).loaded}}));
    } catch (const std::exception& error) {
      reply->send(error_response(409, std::string("the model before serves on: ") + error.what()));
    }
  });
}

}  // namespace

Route health_route() {
  return {"GET",
          "/health",
          "Is it ready? 503 while it loads and while it ends.",
          Access::open,
          "application/json",
          nullptr,
          [] {
            return object({{"status", string()}});
          },
          health};
}
Route models_route() {
  return {"GET",
          "/v1/models",
          "The models that are served.",
          Access::key,
          "application/json",
          nullptr,
          [] {
            const Json model = object({{"id", string()},
                                       {"object", string()},
                                       {"created", integer()},
                                       {"owned_by", string()},
                                       {"task", string()},
                                       {"architecture", string()},
                                       {"ready", boolean()}});
            return object({{"object", string()}, {"data", array(model)}});
          },
          list_models};
}
Route tokenize_route() {
  return {
      "POST",
      "/v1/tokenize",
      "Which tokens a model reads, and the bytes that they came from.",
      Access::key,
      "application/json",
      schema_of<TokenizeBody>,
      [] {
        const Json token = object({{"id", integer()}, {"token", string()}, {"begin", integer()}, {"end", integer()}});
        return object({{"model", string()}, {"texts", array(object({{"tokens", array(token)}}))}});
      },
      tokenize};
}
Route metrics_route() {
  return {"GET", "/metrics", "Counters for Prometheus.", Access::key, "text/plain", nullptr, nullptr, metrics};
}
Route openapi_route() {
  return {"GET",
          "/openapi.json",
          "This description.",
          Access::open,
          "application/json",
          nullptr,
          [] {
            return object({{"openapi", string()}, {"paths", {{"type", "object"}}}});
          },
          describe};
}
Route reload_route() {
  return {"POST",
          "/v1/reload",
          "Loads a model anew from its folder; no request is lost.",
          Access::always_key,
          "application/json",
          schema_of<ReloadBody>,
          [] {
            return object({{"model", string()}, {"created", integer()}});
          },
          reload};
}
}  // namespace heed::serve
