#include "serve/worker.h"

#include <algorithm>

#include "base/check.h"
#include "base/clock.h"
#include "base/memory_reserve.h"
#include "base/threads.h"
#include "kernels/scratch.h"
#include "serve/refusal.h"

namespace heed::serve {
namespace {

bool alike(const Ask& a, const Ask& b) {
  return a.model.run == b.model.run && a.showing == b.showing && a.options == b.options;
}

// Where there is no memory to tell it, the client loses his connection as his ask goes.
void tell(const Ask& ask, Outcome outcome) noexcept {
  try {
    ask.done(std::move(outcome));
  } catch (const std::bad_alloc&) {
    return;
  }
}
void tell(const Asks& asks, const std::exception_ptr& error) noexcept {
  for (const Ask& ask : asks) tell(ask, {{}, error});
}
std::exception_ptr refusal(int status, const char* message) {
  return std::make_exception_ptr(Refusal(status, message));
}

bool gone(const Ask& ask) { return ask.asked.gone && ask.asked.gone(); }

// Who has left is not asked for any more; who waited too long is told.
bool sent_away(const Ask& ask) {
  const bool left = gone(ask), late = seconds() > ask.until;
  if (left || late) tell(ask, {{}, left ? refusal(499, kClientGone) : refusal(503, kTooLong)});
  return left || late;
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

void Worker::ask(Asks asks) {
  check(asks.size() <= limits_.waiting, "the body", "has {} texts, wanted {} or less: no more may wait", asks.size(),
        limits_.waiting);
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() + asks.size() > limits_.waiting) {
      counts_.refused += asks.size();
      throw Refusal(503, fmt::format("{} texts wait already; come again later", waiting_.size()));
    }
    counts_.asked += asks.size();
    for (Ask& ask : asks) ask.came = seconds();
    waiting_.splice(waiting_.end(), asks);
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
  // This thread's team, and what its threads keep memory by, are there before memory is short: the program would end.
  struct Use;
  parallel(threads(), 1, [](int64_t, int64_t) { kernels::scratch<Use, char>(1); });
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return ending_ || !works_.empty() || !waiting_.empty() || !groups_.empty(); });
      if (ending_) break;
    }
    try {
      turn();
    } catch (const std::bad_alloc&) {  // whose turn it was has lost his connection; the others go on
      continue;
    }
  }
  const auto ending = refusal(503, "the server ends");
  for (const Group& group : groups_) tell(group.asks, ending);
  tell(waiting_, ending);
  groups_.clear(), waiting_.clear(), works_.clear();
}

// Memory is short, and what could be done without taking anything from anybody is not enough.
void Worker::make_room() {
  const auto error = std::make_exception_ptr(std::bad_alloc());
  for (Group& group : groups_) {
    group.answers.reset();
    tell(group.asks, error);
  }
  groups_.clear();
  release_memory();
  refill_memory_reserve();
}

void Worker::turn() {
  if (!refill_memory_reserve()) make_room();
  do_work();
  while (begin_next()) continue;
  for (Group& group : groups_) step(group);
  std::erase_if(groups_, [](const Group& group) { return group.asks.empty(); });
  const std::lock_guard lock(mutex_);
  counts_.under_way = 0;
  for (const Group& group : groups_) counts_.under_way += group.asks.size();
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

// The one that waits longest of those that may begin, and those that are asked for in the same way. None where somebody
// has gone who leaves with the next step: what was too much for him is not to be too much for others.
Asks Worker::take_alike() {
  const std::lock_guard lock(mutex_);
  const auto first = std::find_if(waiting_.begin(), waiting_.end(), [&](const Ask& ask) { return may_begin(ask); });
  if (first == waiting_.end()) return {};
  const Group* const group = group_of(*first);
  if (group && (gathers(*group, *first) || std::any_of(group->asks.begin(), group->asks.end(), gone))) return {};
  const size_t room = limits_.together - (group ? group->asks.size() : 0);
  Asks taken;
  taken.splice(taken.end(), waiting_, first);
  for (auto at = waiting_.begin(); at != waiting_.end() && taken.size() < room;) {
    const auto next = std::next(at);
    if (alike(taken.front(), *at)) taken.splice(taken.end(), waiting_, at);
    at = next;
  }
  return taken;
}

bool Worker::begin_next() {
  Asks taken = take_alike();
  if (taken.empty()) return false;
  begin(std::move(taken));
  return true;
}

// Where several cannot begin together, each is tried alone: only the one whose fault it is gets the error.
void Worker::begin(Asks asks) {
  std::erase_if(asks, sent_away);
  if (asks.empty()) return;
  std::exception_ptr error;
  try {
    Group* group = group_of(asks.front());
    if (!group) {
      groups_.push_back({asks.front().model.run, asks.front().model.run->answers()});
      group = &groups_.back();
    }
    return begin_in(*group, asks);
  } catch (...) {
    error = std::current_exception();
  }
  std::erase_if(groups_, [](const Group& group) { return group.asks.empty(); });
  if (asks.size() == 1) return tell(asks, error);
  while (!asks.empty()) {
    Asks alone;
    alone.splice(alone.end(), asks, asks.begin());
    begin(std::move(alone));
  }
}

void Worker::begin_in(Group& group, Asks& asks) {
  std::vector<Asked> asked;
  for (const Ask& ask : asks) asked.push_back(asked_of(ask));
  Fields options(asks.front().options);
  group.answers->add(std::move(asked), options, asks.front().showing);
  {
    const std::lock_guard lock(mutex_);
    counts_.begun += asks.size(), ++counts_.beginnings;
  }
  for (Ask& ask : asks) ask.number = group.begun++;
  group.asks.splice(group.asks.end(), asks);
}

void Worker::step(Group& group) {
  std::exception_ptr error;
  try {
    for (const size_t number : group.answers->step()) give(group, number);
  } catch (...) {
    error = std::current_exception();
  }
  if (error) {
    group.answers.reset();  // the memory that is short is in there
    tell(group.asks, error);
    group.asks.clear();
  }
  const std::lock_guard lock(mutex_);
  ++counts_.steps;
}

void Worker::give(Group& group, size_t number) {
  std::vector<Answered> answers = group.answers->take(number);
  uint64_t tokens = 0;
  for (const Answered& each : answers) tokens += each.tokens.size();
  {
    const std::lock_guard lock(mutex_);
    counts_.tokens += tokens;
  }
  const auto ask =
      std::find_if(group.asks.begin(), group.asks.end(), [&](auto& each) { return each.number == number; });
  const bool late = seconds() > ask->until;
  tell(*ask, late ? Outcome{{}, refusal(503, kTooLong)} : Outcome{std::move(answers), nullptr});
  group.asks.erase(ask);
}

}  // namespace heed::serve
