#include "serve/service.h"

#include <random>

#include "base/check.h"
#include "base/clock.h"
#include "serve/refusal.h"

namespace heed::serve {
namespace {

constexpr int64_t kMostSideBySide = 16, kMostAlternatives = 20;

void check_most(const Options& options, const char* name, int64_t most) {
  const auto at = options.find(name);
  if (at == options.end()) return;
  int64_t value = 0;
  read_field(name, at->second, value);
  check(value <= most, name, "is {}, wanted {} or less", value, most);
}

}  // namespace

Service::Service(const Settings& settings, const std::vector<std::string>& runs)
    : settings(settings), shelf(runs), drawn(std::random_device{}()), worker(settings.worker) {}

Model model_of(const Service& service, const std::string& id) {
  Model model = service.shelf.find(id);
  if (!model.run) throw Refusal(503, "the model is loading");
  return model;
}

Ask ask_of(const Service& service, const Model& model, std::string text, const Options& options) {
  check(static_cast<int64_t>(text.size()) <= service.settings.text_bytes, "the text", "has {} bytes, wanted {} or less",
        text.size(), service.settings.text_bytes);
  check_most(options, "beam", kMostSideBySide), check_most(options, "n_best", kMostSideBySide);
  check_most(options, "alternatives", kMostAlternatives);
  check_most(options, "longest", service.settings.tokens);
  Ask ask{model, options, Showing::details, {std::move(text)}, seconds() + service.settings.seconds, {}};
  return ask;
}

void compute(Service& service, const std::shared_ptr<Reply>& reply, std::function<Response()> work) {
  service.worker.between([reply, work = std::move(work), until = seconds() + service.settings.seconds] {
    try {
      if (reply->gone()) throw Refusal(499, kClientGone);
      if (seconds() > until) throw Refusal(503, kTooLong);
      reply->send(work());
    } catch (...) {
      reply->send(error_response(std::current_exception()));
    }
  });
}

std::string to_text(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }
Response json_response(const Json& json) { return {200, "application/json", to_text(json)}; }

Together::Together(size_t count, std::shared_ptr<Reply> reply, Then then)
    : all_(count), missing_(count), reply_(std::move(reply)), then_(std::move(then)) {}

void Together::of(const std::shared_ptr<Together>& all, size_t n, Ask& ask) {
  ask.done = [all, n](Outcome outcome) { all->take(n, std::move(outcome)); };
  ask.asked.gone = [all] { return all->failed_ || all->reply_->gone(); };
}

void Together::take(size_t n, Outcome outcome) {
  {
    const std::lock_guard lock(mutex_);
    if (failed_) return;
    all_[n] = std::move(outcome.answers);
    failed_ = outcome.error != nullptr;
    if (!failed_ && --missing_ > 0) return;
  }
  if (outcome.error) return reply_->send(error_response(outcome.error));
  try {
    then_(std::move(all_));
  } catch (...) {
    reply_->send(error_response(std::current_exception()));
  }
}

}  // namespace heed::serve
