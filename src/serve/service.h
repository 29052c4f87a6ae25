// What the routes stand on: the models, the worker, the rules of the house.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "serve/body.h"
#include "serve/message.h"
#include "serve/metrics.h"
#include "serve/shelf.h"
#include "serve/worker.h"

namespace heed::serve {

struct Settings {
  std::vector<std::string> keys = {};  // any of them; none: everybody may ask
  std::string origin = "";             // of pages elsewhere that may ask
  bool loopback = true;                // only names of this machine are taken for its own
  int64_t text_bytes = 64 << 10;       // of a text
  int64_t tokens = 1024;               // that an answer may have
  int64_t seen_tokens = 512;           // of a text that is explained: what is seen grows with their square
  double seconds = 120;                // that it may take
  WorkerLimits worker = {};
};

enum class Phase { loading, serving, draining };

struct Service {
  const Settings settings;
  Shelf shelf;
  Metrics metrics = {};
  std::atomic<Phase> phase = Phase::loading;
  std::atomic<int64_t> drawn;  // what the samples of those who name no seed are drawn by
  Worker worker;

  Service(const Settings& settings, const std::vector<std::string>& runs);
};

// The model that a request names, ready to be asked. Refusal(404), and (503) while it is loading.
Model model_of(const Service& service, const std::string& id);
// What waits for an answer, within the limits. Refusal(400) for a text or options beyond them.
Ask ask_of(const Service& service, const Model& model, std::string text, const Options& options);

// Answered by the worker between the steps of the others, once it comes to it and while somebody listens.
void compute(Service& service, const std::shared_ptr<Reply>& reply, std::function<Response()> work);

std::string to_text(const Json& json);  // what is no UTF-8 becomes U+FFFD
Response json_response(const Json& json);

// An answer to each of several texts, however they come.
class Together {
 public:
  using Then = std::function<void(std::vector<std::vector<Answered>>)>;
  Together(size_t count, std::shared_ptr<Reply> reply, Then then);
  // The n-th is this one; when another has failed nobody waits for it.
  static void of(const std::shared_ptr<Together>& all, size_t n, Ask& ask);

 private:
  void take(size_t n, Outcome outcome);
  std::mutex mutex_;
  std::vector<std::vector<Answered>> all_;
  size_t missing_;
  std::atomic<bool> failed_ = false;
  std::shared_ptr<Reply> reply_;
  Then then_;
};

}  // namespace heed::serve
