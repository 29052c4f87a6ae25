// For people: the viewer at /, and how the training of a run goes on.
#include "explain/page.h"

#include <random>

#include "base/check.h"
#include "serve/routes.h"
#include "serve/schema.h"
#include "tasks/run_curves.h"

namespace heed::serve {
namespace {

using namespace schema;

std::string fresh_nonce() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random());
}

std::string with_nonce(std::string text, const std::string& nonce) {
  const std::string mark = explain::kNonce;
  for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + nonce.size()))
    text.replace(at, mark.size(), nonce);
  return text;
}

// Only the scripts of this page run, and they reach nobody but this server.
std::string policy(const std::string& nonce) {
  return fmt::format(
      "default-src 'none'; script-src 'nonce-{0}'; style-src 'nonce-{0}'; img-src data: blob:; connect-src 'self'; "
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      nonce);
}

Response page_response() {
  static const std::string text = explain::served_page();  // takes a tenth of a second
  const std::string nonce = fresh_nonce();
  return {200,
          "text/html; charset=utf-8",
          with_nonce(text, nonce),
          {{"Content-Security-Policy", policy(nonce)},
           {"Referrer-Policy", "no-referrer"},
           {"Cross-Origin-Opener-Policy", "same-origin"},
           {"Cross-Origin-Resource-Policy", "same-origin"}}};
}

void page(Service& service, const Request&, const std::shared_ptr<Reply>& reply) {
  compute(service, reply, page_response);
}

Json curves_json(const Model& model) {
  Json curves = Json::object();
  for (const auto& [name, points] : training_numbers(model.folder)) {
    curves[name] = Json::array();
    for (const explain::Place& each : points) curves[name].push_back({each.x, each.y});
  }
  return {{"model", model.id}, {"curves", curves}};
}

void training(Service& service, const Request& request, const std::shared_ptr<Reply>& reply) {
  compute(service, reply, [model = service.shelf.find(request.named)] { return json_response(curves_json(model)); });
}

}  // namespace

Route training_route() {
  return {"GET",
          "/v1/runs/{model}/metrics",
          "What the training of a model has reported so far: (step, value) of every number.",
          Access::key,
          "application/json",
          nullptr,
          [] {
            const Json points = array(array(number()));
            return object({{"model", string()}, {"curves", {{"type", "object"}, {"additionalProperties", points}}}});
          },
          training};
}
Route page_route() {
  return {"GET", "/", "The viewer, for people.", Access::open, "text/html", nullptr, nullptr, page};
}

}  // namespace heed::serve
