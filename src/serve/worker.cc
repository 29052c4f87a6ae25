#include "serve/worker.h"

#include <algorithm>

#include "base/check.h"
#include "base/clock.h"
#include "base/threads.h"
#include "serve/refusal.h"

namespace heed::serve {
namespace {

bool alike(const Ask& a, const Ask& b) {
  return a.model.run == b.model.run && a.showing == b.showing && a.options == b.options;
}

void refuse(const Ask& ask, int status, const char* message) {
  ask.done({{}, std::make_exception_ptr(Refusal(status, message))});
}

// What is asked of a run. Who does not wait any more ends with his next token.
Asked asked_of(const Ask& ask) {
  Asked asked = ask.asked;
  asked.gone = [gone = ask.asked.gone, until = ask.until] { return seconds() > until || (gone && gone()); };
  return asked;
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
    for (Ask& ask : asks) ask.came = seconds(), waiting_.push_back(std::move(ask));
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
  // This thread's team is there before memory is short: OpenMP ends a program that cannot have a thread.
  parallel(threads(), 1, [](int64_t, int64_t) {});
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return ending_ || !works_.empty() || !waiting_.empty() || !groups_.empty(); });
      if (ending_) break;
    }
    do_work();
    while (begin_next()) continue;
    for (Group& group : groups_) step(group);
    std::erase_if(groups_, [](const Group& group) { return group.asks.empty(); });
    const std::lock_guard lock(mutex_);
    counts_.under_way = 0;
    for (const Group& group : groups_) counts_.under_way += group.asks.size();
  }
  const auto ending = std::make_exception_ptr(Refusal(503, "the server ends"));
  for (const Group& group : groups_)
    for (const auto& [number, ask] : group.asks) ask.done({{}, ending});
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

Worker::Group* Worker::group_of(const Ask& ask) {
  const auto group =
      std::find_if(groups_.begin(), groups_.end(), [&](auto& each) { return each.run == ask.model.run; });
  return group != groups_.end() ? &*group : nullptr;
}

bool Worker::may_begin(const Ask& ask) {
  const Group* const group = group_of(ask);
  return group ? group->asks.size() < limits_.together : groups_.size() < limits_.under_way;
}

// Is it worth it to wait for more? They are, as long as they are few beside those under way.
bool Worker::gathers(const Group& group, const Ask& first) const {
  const auto like = std::count_if(waiting_.begin(), waiting_.end(), [&](const Ask& ask) { return alike(first, ask); });
  return 3 * static_cast<size_t>(like) < group.asks.size() && seconds() - first.came < limits_.gather;
}

// The one that waits longest of those that may begin, and those that are asked for in the same way.
std::vector<Ask> Worker::take_alike() {
  const std::lock_guard lock(mutex_);
  const auto first = std::find_if(waiting_.begin(), waiting_.end(), [&](const Ask& ask) { return may_begin(ask); });
  if (first == waiting_.end()) return {};
  const Group* const group = group_of(*first);
  if (group && gathers(*group, *first)) return {};
  const size_t room = limits_.together - (group ? group->asks.size() : 0);
  std::vector<Ask> taken = {std::move(*first)};
  waiting_.erase(first);
  std::deque<Ask> left;
  for (Ask& ask : waiting_) {
    const bool with = taken.size() < room && alike(taken[0], ask);
    (with ? taken.emplace_back() : left.emplace_back()) = std::move(ask);
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
    if (gone) refuse(ask, 499, kClientGone);
    if (late && !gone) refuse(ask, 503, kTooLong);
    return gone || late;
  });
  if (!taken.empty()) begin(std::move(taken));
  return true;
}

// Where several cannot begin together, each is tried alone: only the one whose fault it is gets the error.
void Worker::begin(std::vector<Ask> asks) {
  try {
    Group* group = group_of(asks[0]);
    if (!group) {
      groups_.push_back({asks[0].model.run, asks[0].model.run->answers()});
      group = &groups_.back();
    }
    begin_in(*group, asks);
  } catch (...) {
    std::erase_if(groups_, [](const Group& group) { return group.asks.empty(); });
    if (asks.size() == 1) return asks[0].done({{}, std::current_exception()});
    for (Ask& ask : asks) {
      std::vector<Ask> alone;
      alone.push_back(std::move(ask));
      begin(std::move(alone));
    }
  }
}

void Worker::begin_in(Group& group, std::vector<Ask>& asks) {
  std::vector<Asked> asked;
  for (const Ask& ask : asks) asked.push_back(asked_of(ask));
  Fields options(asks[0].options);
  group.answers->add(std::move(asked), options, asks[0].showing);
  {
    const std::lock_guard lock(mutex_);
    counts_.begun += asks.size(), ++counts_.beginnings;
  }
  for (Ask& ask : asks) group.asks.emplace(group.begun++, std::move(ask));
}

void Worker::step(Group& group) {
  try {
    for (const size_t n : group.answers->step()) {
      std::vector<Answered> answers = group.answers->take(n);
      uint64_t tokens = 0;
      for (const Answered& each : answers) tokens += each.tokens.size();
      {
        const std::lock_guard lock(mutex_);
        counts_.tokens += tokens;
      }
      const Ask ask = std::move(group.asks.extract(n).mapped());
      if (seconds() > ask.until)
        refuse(ask, 503, kTooLong);
      else
        ask.done({std::move(answers), nullptr});
    }
  } catch (...) {
    for (const auto& [number, ask] : group.asks) ask.done({{}, std::current_exception()});
    group.asks.clear();
  }
  const std::lock_guard lock(mutex_);
  ++counts_.steps;
}

}  // namespace heed::serve
