#include "serve/routes.h"

#include <fmt/ranges.h>
#include <heed/base.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <optional>

#include "base/check.h"
#include "base/clock.h"
#include "serve/refusal.h"
#include "serve/schema.h"

namespace heed::serve {

const std::vector<Route>& routes() {
  static const std::vector<Route> all = {
      health_route(),     models_route(),      predict_route(), explain_route(), tokenize_route(),
      embeddings_route(), completions_route(), chat_route(),    metrics_route(), openapi_route(),
      reload_route(),     training_route(),    page_route(),
  };
  return all;
}

namespace {

// ---- what is written of a request, and counted: never its texts ----------------------------------------------------

struct Record {
  std::string method, path, client, reason = "";
  size_t bytes_in = 0, bytes_out = 0;
  double begun = seconds();
};

// No answer fails for want of the memory to note it.
void note(Service& service, const Record& record, int status) try {
  const double took = seconds() - record.begun;
  service.metrics.request(record.path, status, took);
  char when[32];
  const std::time_t now = std::time(nullptr);
  std::tm utc;
  std::strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
  Json line = {{"time", when},
               {"client", record.client},
               {"method", record.method},
               {"path", record.path},
               {"status", status},
               {"milliseconds", std::round(took * 1e5) / 100},
               {"bytes_in", record.bytes_in},
               {"bytes_out", record.bytes_out}};
  if (!record.reason.empty()) line["reason"] = record.reason;
  fmt::print(stderr, "{}\n", to_text(line));
} catch (const std::bad_alloc&) {
  std::fputs("{\"reason\":\"there is no memory to note a request\"}\n", stderr);
}

constexpr int kGone = 499;  // the client left before its answer

// What is said is noted. Who drops a request without an answer has lost its client, who must not wait in vain.
class Noted final : public Reply {
 public:
  Noted(Service& service, Record record, std::shared_ptr<Reply> reply)
      : service_(service), record_(std::move(record)), reply_(std::move(reply)) {}
  ~Noted() override {
    if (!answered_) Noted::lose();
  }

  void send(Response response) override {
    add_headers(response);
    record_.bytes_out += response.body.size();
    note(service_, record_, gone() ? kGone : response.status);
    reply_->send(std::move(response));
    answered_ = true;
  }
  void begin(Response head) override {
    add_headers(head);
    status_ = head.status;
    reply_->begin(std::move(head));
  }
  void write(std::string part) override {
    record_.bytes_out += part.size();
    reply_->write(std::move(part));
  }
  void end() override {
    note(service_, record_, gone() ? kGone : status_);
    reply_->end();
    answered_ = true;
  }
  void lose() noexcept override {
    record_.reason = "not answered";  // short enough to need no memory
    note(service_, record_, 503);
    reply_->lose();
    answered_ = true;
  }
  bool gone() const override { return reply_->gone(); }

 private:
  void add_headers(Response& response) const {
    response.headers.push_back({"Cache-Control", "no-store"});
    if (service_.settings.origin.empty()) return;
    response.headers.push_back({"Access-Control-Allow-Origin", service_.settings.origin});
    response.headers.push_back({"Vary", "Origin"});
  }
  Service& service_;
  Record record_;
  std::shared_ptr<Reply> reply_;
  int status_ = 200;
  bool answered_ = false;
};

// ---- who is let in --------------------------------------------------------------------------------------------------

// Takes as long whatever is wrong with it.
bool same(const std::string& given, const std::string& wanted) {
  unsigned different = given.size() == wanted.size() ? 0 : 1;
  for (size_t n = 0; n < given.size(); ++n)
    different |= static_cast<unsigned char>(given[n]) ^ static_cast<unsigned char>(wanted[n % wanted.size()]);
  return different == 0;
}

bool has_key(const Service& service, const Request& request) {
  static constexpr std::string_view kBearer = "Bearer ";
  const std::string* given = request.header("authorization");
  if (!given || given->rfind(kBearer, 0) != 0) return false;
  bool any = false;
  for (const std::string& key : service.settings.keys) any |= same(given->substr(kBearer.size()), key);
  return any;
}

// A page elsewhere that gives its own name this machine's address is not to read what is served here.
bool host_is_ours(const std::string& host) {
  const size_t end = host.rfind(']') == std::string::npos ? host.rfind(':') : host.rfind(']') + 1;
  const std::string name = in_small_letters(host.substr(0, end));
  return name == "localhost" || name == "127.0.0.1" || name == "[::1]";
}

// The name that stands in a path in place of the {…} of a route's, which may have one; empty where it has none.
// Nothing: the path is not the route's.
std::optional<std::string> named_by(const std::string& path, const std::string& pattern) {
  const size_t open = pattern.find('{'), close = pattern.find('}');
  if (open == std::string::npos) return path == pattern ? std::optional<std::string>("") : std::nullopt;
  const std::string before = pattern.substr(0, open), after = pattern.substr(close + 1);
  if (path.size() <= before.size() + after.size() || !path.starts_with(before) || !path.ends_with(after)) return {};
  const std::string name = path.substr(open, path.size() - before.size() - after.size());
  return name.find('/') == std::string::npos ? std::optional(name) : std::nullopt;
}

// %41 is A; what is no such number stays.
std::string without_percents(const std::string& text) {
  std::string plain;
  for (size_t n = 0; n < text.size(); ++n) {
    unsigned char byte = 0;
    const char* const end = text.data() + n + 3;
    const bool number =
        text[n] == '%' && n + 2 < text.size() && std::from_chars(text.data() + n + 1, end, byte, 16).ptr == end;
    plain += number ? static_cast<char>(byte) : text[n];
    n += number ? 2 : 0;
  }
  return plain;
}

const Route* route_of(const std::string& method, const std::string& path) {
  for (const Route& route : routes())
    if (named_by(path, route.path) &&
        (route.method == method || (method == "HEAD" && route.method == std::string("GET"))))
      return &route;
  return nullptr;
}

Response wrong_method(const std::string& path) {
  std::vector<std::string> allowed;
  for (const Route& route : routes())
    if (named_by(path, route.path)) allowed.emplace_back(route.method);
  if (std::find(allowed.begin(), allowed.end(), "GET") != allowed.end()) allowed.emplace_back("HEAD");
  if (allowed.empty()) return error_response(404, "there is nothing here; GET /openapi.json says what there is");
  Response response = error_response(405, fmt::format("wanted {}", fmt::join(allowed, ", ")));
  response.headers.push_back({"Allow", fmt::format("{}", fmt::join(allowed, ", "))});
  return response;
}

Response preflight(const Service& service) {
  return {204,
          "",
          "",
          {{"Access-Control-Allow-Origin", service.settings.origin},
           {"Access-Control-Allow-Methods", "GET, POST"},
           {"Access-Control-Allow-Headers", "authorization, content-type"},
           {"Access-Control-Max-Age", "3600"}}};
}

bool is_json(const Request& request) {
  static constexpr std::string_view kJson = "application/json";
  const std::string* type = request.header("content-type");
  if (!type || type->size() < kJson.size()) return false;
  return in_small_letters(type->substr(0, kJson.size())) == kJson &&
         (type->size() == kJson.size() || (*type)[kJson.size()] == ';' || (*type)[kJson.size()] == ' ');
}

Response checked(const Service& service, const Request& request, const Route* route) {
  const auto hosts = std::count_if(request.headers.begin(), request.headers.end(),
                                   [](const Header& header) { return header.name == "host"; });
  if (hosts != 1) return error_response(400, "wanted one Host");
  if (service.settings.loopback && !request.header("host")->empty() && !host_is_ours(*request.header("host")))
    return error_response(403, "the Host is not this machine: wanted localhost or 127.0.0.1");
  if (request.method == "OPTIONS" && !service.settings.origin.empty()) return preflight(service);
  if (!route) return wrong_method(request.path);
  const bool wants_key =
      route->access == Access::always_key || (route->access == Access::key && !service.settings.keys.empty());
  if (wants_key && service.settings.keys.empty())
    return error_response(403, "wants a key, and heed serve was given none: --api-key-file");
  if (wants_key && !has_key(service, request))
    return error_response(401, "wants the header Authorization: Bearer KEY, with a key that is known here");
  if (route->body && !is_json(request)) return error_response(415, "wanted Content-Type: application/json");
  if (route->body && !recover_memory()) return error_response(503, kNoMemory);
  return {};
}

// Of paths that there are not only that: they may hold anything.
Record record_of(const Request& request, const Route* route) {
  return {.method = route ? request.method : "-",
          .path = route ? route->path : "-",
          .client = request.client,
          .bytes_in = request.body.size()};
}

}  // namespace

Response check_head(Service& service, const Request& request) {
  const Route* route = route_of(request.method, request.path);
  Response response = checked(service, request, route);
  if (response.status != 200) note(service, record_of(request, route), response.status);
  return response;
}

void answer(Service& service, Request request, std::shared_ptr<Reply> reply) {
  const Route* route = route_of(request.method, request.path);
  const auto noted = std::make_shared<Noted>(service, record_of(request, route), std::move(reply));
  try {
    request.named = without_percents(named_by(request.path, route->path).value_or(""));
    route->handle(service, request, noted);
  } catch (...) {
    noted->send(error_response(std::current_exception()));
  }
}

void note_refusal(Service& service, const Refused& refused) {
  note(service, {.method = "-", .path = "-", .client = refused.client, .reason = refused.reason}, refused.status);
}

// ---- what there is, for programs ------------------------------------------------------------------------------------

namespace {

const char* what_is(int status) {
  switch (status) {
    case 400: return "The request makes no sense; the message says why.";
    case 401: return "No key, or a wrong one.";
    case 403: return "A foreign Host, or a path that is closed here.";
    case 404: return "No such model.";
    case 409: return "The model could not be replaced; the one before serves on.";
    case 413: return "The body is too long.";
    case 415: return "The body is no application/json.";
    case 429: return "Too many connections from here.";
    case 500: return "It went wrong here.";
    default: return "Loading, ending, or no room in the queue: come again after Retry-After seconds.";
  }
}

std::optional<Json> parameter_of(const Route& route) {
  const std::string path = route.path;
  const size_t open = path.find('{');
  if (open == std::string::npos) return {};
  const std::string name = path.substr(open + 1, path.find('}') - open - 1);
  return Json{{"name", name}, {"in", "path"}, {"required", true}, {"schema", schema::string()}};
}

Json responses_of(const Route& route) {
  const Json error = {{"application/json", {{"schema", {{"$ref", "#/components/schemas/Error"}}}}}};
  Json content;
  content[route.type]["schema"] = route.answer ? route.answer() : schema::string();
  if (route.body && route.body()["properties"].contains("stream")) content["text/event-stream"] = Json::object();
  Json responses = {{"200", {{"description", "Done."}, {"content", content}}}};
  std::vector<int> statuses = {400, 403, 429, 503};
  if (parameter_of(route)) statuses.insert(statuses.end(), {404, 500});
  if (route.access != Access::open) statuses.push_back(401);
  if (route.body) statuses.insert(statuses.end(), {404, 413, 415, 500});
  if (route.access == Access::always_key) statuses.push_back(409);
  for (const int status : statuses)
    responses[std::to_string(status)] = {{"description", what_is(status)}, {"content", error}};
  return responses;
}

}  // namespace

Json openapi(const std::vector<Route>& routes) {
  using namespace schema;
  const Json error = object(
      {{"error",
        object({{"message", string()}, {"type", string()}, {"param", {{"type", "null"}}}, {"code", integer()}})}});
  Json paths = Json::object();
  for (const Route& route : routes) {
    Json operation = {{"summary", route.what}, {"responses", responses_of(route)}};
    if (route.body)
      operation["requestBody"] = {{"required", true}, {"content", {{"application/json", {{"schema", route.body()}}}}}};
    if (const auto parameter = parameter_of(route)) operation["parameters"] = Json::array({*parameter});
    operation["security"] = Json::array();
    if (route.access != Access::open) operation["security"].push_back({{"key", Json::array()}});
    paths[route.path][in_small_letters(route.method)] = operation;
  }
  return {
      {"openapi", "3.1.0"},
      {"info", {{"title", "heed serve"}, {"version", version()}}},
      {"paths", paths},
      {"components",
       {{"schemas", {{"Error", error}}}, {"securitySchemes", {{"key", {{"type", "http"}, {"scheme", "bearer"}}}}}}}};
}

}  // namespace heed::serve
