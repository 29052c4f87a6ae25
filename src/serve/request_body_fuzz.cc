// Any bytes as the body of each path: an answer with a status, and an error in the shape of errors. There is no model
// to ask: what is tested is all that a body goes through before one is.
#include <heed/base.h>

#include <cstdio>

#include "serve/routes.h"
#include "support/fuzz.h"

using heed::testing::must;

namespace {

class Caught final : public heed::serve::Reply {
 public:
  void send(heed::serve::Response response) override {
    must(heed::serve::Json::accept(response.body), "an answer is JSON in UTF-8");
    must((response.status >= 400 && response.status < 500) || response.status == 503, "the client's fault, or loading");
    ++sent;
  }
  void begin(heed::serve::Response) override { must(false, "nothing is streamed without a model"); }
  void write(std::string) override {}
  void end() override {}
  void lose() noexcept override { must(false, "there is an answer"); }
  bool gone() const override { return false; }
  int sent = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static heed::serve::Service service({.keys = {"key"}}, {"none"});
  // The log; what is found is told to the descriptor itself.
  static const bool quiet = (stderr = std::fopen("/dev/null", "w")) != nullptr;
  must(quiet, "the log goes nowhere");
  for (const heed::serve::Route& route : heed::serve::routes()) {
    if (!route.body) continue;
    const auto caught = std::make_shared<Caught>();
    heed::serve::answer(service, {route.method, route.path, "", "", {}, {reinterpret_cast<const char*>(data), size}},
                        caught);
    must(caught->sent == 1, "one answer");
  }
  return 0;
}
