#include "serve/server.h"

#include <fmt/format.h>

#include <fstream>

#include "base/check.h"
#include "base/memory_reserve.h"
#include "serve/notify.h"
#include "serve/refusal.h"
#include "serve/routes.h"

namespace heed::serve {
namespace {

// For the text of a request or two, and for their answers.
constexpr int64_t kReserve = 32 << 20;

std::vector<std::string> read_keys(const std::string& path) {
  if (path.empty()) return {};
  std::ifstream in(path);
  check_system(in.good(), path, "cannot be read");
  std::vector<std::string> keys;
  for (std::string line; std::getline(in, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.empty() && line[0] != '#') keys.push_back(line);
  }
  if (keys.empty()) throw Error(ErrorKind::data, path, "holds no key");
  return keys;
}

void check_options(const ServeOptions& o) {
  check(o.port >= 0 && o.port < 65536, "port", "got {}, wanted 0 to 65535", o.port);
  for (const int64_t count : {o.waiting, o.together, o.tokens, o.seen_tokens, o.text_bytes, o.limits.header_bytes,
                              o.limits.body_bytes, o.limits.connections})
    check(count >= 1, "serve", "got a limit of {}, wanted 1 or more", count);
  for (const double seconds :
       {o.seconds, o.limits.idle_seconds, o.limits.body_seconds, o.limits.write_seconds, o.limits.drain_seconds})
    check(seconds > 0 && seconds < 1e6, "serve", "got a limit of {} seconds, wanted more than 0", seconds);
}

Settings settings_of(const ServeOptions& o, bool loopback) {
  return {read_keys(o.api_key_file),
          o.cors_origin,
          loopback,
          o.text_bytes,
          o.tokens,
          o.seen_tokens,
          o.seconds,
          {static_cast<size_t>(o.waiting), static_cast<size_t>(o.together)}};
}

bool loopback(const std::string& host) { return host == "localhost" || host == "::1" || host.rfind("127.", 0) == 0; }

void say_where(const ServeOptions& o, const Service& service, int port) {
  const std::string host = o.host.find(':') == std::string::npos ? o.host : "[" + o.host + "]";
  const std::string url = fmt::format("http://{}:{}", host, port);
  const std::string key = service.settings.keys.empty() ? "" : " -H \"Authorization: Bearer $KEY\"";
  fmt::print(stderr, "Listening on {0}. Try:  curl{1} {0}/v1/predict --json '{{\"input\": \"…\"}}'\n", url, key);
  if (!service.settings.loopback && service.settings.keys.empty())
    fmt::print(stderr,
               "Whoever reaches this address may ask: --api-key-file FILE lets only those in who have a key.\n");
}

}  // namespace

void serve(const std::vector<std::string>& runs, const ServeOptions& options) {
  check_options(options);
  keep_memory_in_reserve(kReserve);
  Service service(settings_of(options, loopback(options.host)), runs);
  std::exception_ptr failure;
  Transport transport(
      options.host, static_cast<int>(options.port), options.limits,
      {.check = [&](const Request& request) { return check_head(service, request); },
       .handle = [&](Request request,
                     std::shared_ptr<Reply> reply) { answer(service, std::move(request), std::move(reply)); },
       .error = error_json,
       .connections = [&](int count) { service.metrics.connections(count); },
       .refused = [&](const Refused& refused) { note_refusal(service, refused); },
       .draining = [&] { service.phase = Phase::draining, notify("STOPPING=1"); }});
  say_where(options, service, transport.port());
  service.worker.between([&] {
    try {
      service.shelf.load_all();
      Phase loading = Phase::loading;
      if (service.phase.compare_exchange_strong(loading, Phase::serving)) notify("READY=1");
    } catch (...) {
      failure = std::current_exception();
      transport.stop();
    }
  });
  transport.run();
  service.worker.stop();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace heed::serve
