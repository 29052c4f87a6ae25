#include "serve/worker.h"

#include <algorithm>

#include "base/check.h"
#include "base/clock.h"
#include "serve/refusal.h"

namespace heed::serve {
namespace {

bool alike(const Ask& a, const Ask& b) {
  return a.model.run == b.model.run && a.showing == b.showing && a.options == b.options;
}

void refuse(const Ask& ask, int status, const char* message) {
  ask.done({{}, std::make_exception_ptr(Refusal(status, message))});
}

void end_with(const std::vector<Ask>& asks, const std::exception_ptr& error) {
  for (const Ask& ask : asks)
    if (ask.done) ask.done({{}, error});
}

// The answers of these; the error goes to each of them.
std::unique_ptr<Answers> answers_of(const std::vector<Ask>& asks) {
  std::vector<Asked> asked;
  for (const Ask& ask : asks) {
    asked.push_back(ask.asked);
    asked.back().gone = [gone = ask.asked.gone, until = ask.until] { return seconds() > until || (gone && gone()); };
  }
  Fields options(asks[0].options);
  auto answers = asks[0].model.run->answer(std::move(asked), options, asks[0].showing);
  options.check_all_taken(asks[0].model.id);
  return answers;
}

}  // namespace

Worker::Worker(const WorkerLimits& limits) : limits_(limits), thread_([this] { run(); }) {}

void Worker::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Worker::ask(std::vector<Ask> asks) {
  check(asks.size() <= limits_.waiting, "the body", "has {} texts, wanted {} or less: no more may wait", asks.size(),
        limits_.waiting);
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() + asks.size() > limits_.waiting) {
      counts_.refused += asks.size();
      throw Refusal(503, fmt::format("{} texts wait already; come again later", waiting_.size()));
    }
    counts_.asked += asks.size();
    for (Ask& ask : asks) waiting_.push_back(std::move(ask));
  }
  wake_.notify_one();
}

void Worker::between(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (works_.size() >= limits_.waiting) throw Refusal(503, fmt::format("{} works wait already", works_.size()));
    works_.push_back(std::move(work));
  }
  wake_.notify_one();
}

WorkerCounts Worker::counts() const {
  const std::lock_guard lock(mutex_);
  WorkerCounts counts = counts_;
  counts.waiting = waiting_.size();
  return counts;
}

// ---- the thread -----------------------------------------------------------------------------------------------------

void Worker::run() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return ending_ || !works_.empty() || !waiting_.empty() || !groups_.empty(); });
      if (ending_) break;
    }
    do_work();
    while (may_begin() && begin_next()) continue;
    std::erase_if(groups_, [this](Group& group) { return !step(group); });
    const std::lock_guard lock(mutex_);
    counts_.under_way = 0;
    for (const Group& group : groups_)
      for (const Ask& ask : group.asks) counts_.under_way += ask.done != nullptr;
  }
  const auto ending = std::make_exception_ptr(Refusal(503, "the server ends"));
  for (const Group& group : groups_) end_with(group.asks, ending);
  for (const Ask& ask : waiting_) ask.done({{}, ending});
  groups_.clear(), waiting_.clear(), works_.clear();
}

void Worker::do_work() {
  std::function<void()> work;
  {
    const std::lock_guard lock(mutex_);
    if (works_.empty()) return;
    work = std::move(works_.front());
    works_.pop_front();
  }
  work();
}

bool Worker::may_begin() const {
  return groups_.empty() || (groups_.size() < limits_.under_way && seconds() - groups_.back().begun > limits_.alone);
}

// The one that waits longest, and those that may begin with it.
std::vector<Ask> Worker::take_alike() {
  const std::lock_guard lock(mutex_);
  std::vector<Ask> taken;
  std::deque<Ask> left;
  for (Ask& ask : waiting_) {
    const bool with = taken.empty() || (taken.size() < limits_.together && alike(taken[0], ask));
    with ? taken.push_back(std::move(ask)) : left.push_back(std::move(ask));
  }
  waiting_ = std::move(left);
  return taken;
}

bool Worker::begin_next() {
  std::vector<Ask> taken = take_alike();
  if (taken.empty()) return false;
  const double now = seconds();
  std::erase_if(taken, [now](const Ask& ask) {
    const bool gone = ask.asked.gone && ask.asked.gone(), late = now > ask.until;
    if (gone) refuse(ask, 499, "the client has gone");
    if (late && !gone) refuse(ask, 503, kTooLong);
    return gone || late;
  });
  if (!taken.empty()) begin(std::move(taken));
  return true;
}

// Where several cannot begin together, each is tried alone: only the one whose fault it is gets the error.
void Worker::begin(std::vector<Ask> asks) {
  const size_t count = asks.size();
  try {
    std::unique_ptr<Answers> answers = answers_of(asks);
    groups_.push_back({std::move(asks), std::move(answers), seconds()});
  } catch (...) {
    if (count == 1) return end_with(asks, std::current_exception());
    for (Ask& ask : asks) {
      std::vector<Ask> alone;
      alone.push_back(std::move(ask));
      begin(std::move(alone));
    }
    return;
  }
  const std::lock_guard lock(mutex_);
  counts_.begun += count, ++counts_.groups;
}

bool Worker::step(Group& group) {
  try {
    for (const size_t n : group.answers->step()) {
      std::vector<Answered> answers = group.answers->take(n);
      uint64_t tokens = 0;
      for (const Answered& each : answers) tokens += each.tokens.size();
      {
        const std::lock_guard lock(mutex_);
        counts_.tokens += tokens;
      }
      const auto done = std::exchange(group.asks[n].done, nullptr);
      if (seconds() > group.asks[n].until)
        done({{}, std::make_exception_ptr(Refusal(503, kTooLong))});
      else
        done({std::move(answers), nullptr});
    }
  } catch (...) {
    end_with(group.asks, std::current_exception());
    return false;
  }
  const std::lock_guard lock(mutex_);
  ++counts_.steps;
  return !group.answers->done();
}

}  // namespace heed::serve
