#include "serve/worker.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/clock.h"
#include "base/thread_share.h"
#include "base/threads.h"
#include "kernels/scratch.h"
#include "serve/refusal.h"

namespace heed::serve {
namespace {

// From so many rows on a step computes longer than it reads the weights: to read them twice, for two, costs nothing
// then.
constexpr double kRowsOfALane = 16;

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

Worker::Worker(const WorkerLimits& limits) : limits_(limits), two_(threads() > 1) {
  first().thread = std::thread([this] { run(first()); });
  if (two_) second().thread = std::thread([this] { run(second()); });
}

void Worker::stop() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  for (Lane& lane : lanes_)
    if (lane.thread.joinable()) lane.thread.join();
  tell(waiting_, refusal(503, kEnding));
  waiting_.clear(), works_.clear();
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
  wake_.notify_all();
}

void Worker::between(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (works_.size() >= limits_.waiting) throw Refusal(503, fmt::format("{} works wait already", works_.size()));
    works_.push_back(std::move(work));
  }
  wake_.notify_all();
}

WorkerCounts Worker::counts() const {
  const std::lock_guard lock(mutex_);
  WorkerCounts counts = counts_;
  counts.waiting = waiting_.size();
  for (const Lane& lane : lanes_) counts.under_way += lane.texts;
  return counts;
}

// ---- who does what, under the mutex ---------------------------------------------------------------------------------

// Both together never have more threads than there are: OpenMP's would sleep, and wake too late, where they are many.
int Worker::threads_of(const Lane& lane) {
  const int all = threads(), of_second = std::max(1, all / 2);
  if (&lane == &second()) return of_second;
  return second().load > 0 ? std::max(1, all - of_second) : all - of_second + 1;
}

// Texts that a lane may begin, so that both have as much to do. The second one stands by until the first has enough.
double Worker::room(const Lane& lane) {
  if (!two_) return static_cast<double>(limits_.together);
  if (&lane == &second() && first().load < kRowsOfALane) return 0;
  const double width = std::max(first().width, second().width);
  const double all = first().load + second().load + static_cast<double>(waiting_.size()) * width;
  return std::ceil((std::max(kRowsOfALane, all / 2) - lane.load) / width);
}

bool Worker::has_something(const Lane& lane) {
  if (!lane.groups.empty() || (&lane == &first() && !works_.empty())) return true;
  return !waiting_.empty() && room(lane) >= 1;
}

// The threads that a lane has for what there is to do; none: it ends.
int Worker::wait_for_something(Lane& lane) {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [&] { return ending_ || has_something(lane); });
  return ending_ ? 0 : threads_of(lane);
}

// What a lane has to do now. The other one may have been waiting for that.
void Worker::count(Lane& lane) {
  const std::lock_guard lock(mutex_);
  lane.load = 0, lane.texts = 0;
  for (const Group& group : lane.groups)
    lane.load += static_cast<double>(group.answers->rows()), lane.texts += group.asks.size();
  if (lane.texts > 0) lane.width = std::max(1.0, lane.load / static_cast<double>(lane.texts));
  if (!waiting_.empty()) wake_.notify_all();
}

// ---- a lane's thread ------------------------------------------------------------------------------------------------

void Worker::run(Lane& lane) {
  // This thread's team, and what its threads keep memory by, are there before memory is short: the program would end.
  struct Use;
  parallel(threads_of(lane), 1, [](int64_t, int64_t) { kernels::scratch<Use, char>(1); });
  while (const int own = wait_for_something(lane)) {
    const ThreadShare share(own);
    try {
      turn(lane);
    } catch (const std::bad_alloc&) {
      // Whose turn it was has lost his connection; the others go on.
    }
    count(lane);
  }
  for (const Group& group : lane.groups) tell(group.asks, refusal(503, kEnding));
  lane.groups.clear();
}

// Memory is short, and what could be done without taking anything from anybody is not enough.
void Worker::make_room(Lane& lane) {
  const auto error = std::make_exception_ptr(std::bad_alloc());
  for (Group& group : lane.groups) {
    group.answers.reset();
    tell(group.asks, error);
  }
  lane.groups.clear();
  recover_memory();
}

void Worker::turn(Lane& lane) {
  if (!recover_memory()) make_room(lane);
  if (&lane == &first()) do_work();
  while (begin_next(lane)) continue;
  for (Group& group : lane.groups) step(group);
  std::erase_if(lane.groups, [](const Group& group) { return group.asks.empty(); });
}

void Worker::do_work() {
  std::function<void()> work;
  {
    const std::lock_guard lock(mutex_);
    if (works_.empty()) return;
    work = std::move(works_.front());
    works_.pop_front();
    first().load += kRowsOfALane;
  }
  work();
}

Worker::Group* Worker::group_of(Lane& lane, const Ask& ask) {
  const auto group =
      std::find_if(lane.groups.begin(), lane.groups.end(), [&](auto& each) { return each.run == ask.model.run; });
  return group != lane.groups.end() ? &*group : nullptr;
}

bool Worker::may_begin(Lane& lane, const Ask& ask) const {
  const Group* const group = group_of(lane, ask);
  return group ? group->asks.size() < limits_.together : lane.groups.size() < limits_.under_way;
}

// Is it worth it to wait for more? They are, as long as they are few beside those under way.
bool Worker::gathers(const Group& group, const Ask& first) const {
  const auto like = std::count_if(waiting_.begin(), waiting_.end(), [&](const Ask& ask) { return alike(first, ask); });
  return 3 * static_cast<size_t>(like) < group.asks.size() && seconds() - first.came < limits_.gather;
}

// The one that waits longest of those that may begin, and those that are asked for in the same way. None where somebody
// has gone who leaves with the next step: what was too much for him is not to be too much for others.
Asks Worker::take_alike(Lane& lane) {
  const std::lock_guard lock(mutex_);
  const double room = this->room(lane);
  if (room < 1) return {};
  const auto next =
      std::find_if(waiting_.begin(), waiting_.end(), [&](const Ask& ask) { return may_begin(lane, ask); });
  if (next == waiting_.end()) return {};
  const Group* const group = group_of(lane, *next);
  if (group && (gathers(*group, *next) || std::any_of(group->asks.begin(), group->asks.end(), gone))) return {};
  const size_t most = std::min(limits_.together - (group ? group->asks.size() : 0), static_cast<size_t>(room));
  Asks taken;
  taken.splice(taken.end(), waiting_, next);
  for (auto at = waiting_.begin(); at != waiting_.end() && taken.size() < most;) {
    const auto after = std::next(at);
    if (alike(taken.front(), *at)) taken.splice(taken.end(), waiting_, at);
    at = after;
  }
  lane.load += static_cast<double>(taken.size()) * lane.width;
  return taken;
}

bool Worker::begin_next(Lane& lane) {
  Asks taken = take_alike(lane);
  if (taken.empty()) return false;
  begin(lane, std::move(taken));
  return true;
}

// Where several cannot begin together, each is tried alone: only the one whose fault it is gets the error.
void Worker::begin(Lane& lane, Asks asks) {
  std::erase_if(asks, sent_away);
  if (asks.empty()) return;
  std::exception_ptr error;
  try {
    Group* group = group_of(lane, asks.front());
    if (!group) {
      lane.groups.push_back({asks.front().model.run, asks.front().model.run->answers()});
      group = &lane.groups.back();
    }
    return begin_in(*group, asks);
  } catch (...) {
    error = std::current_exception();
  }
  std::erase_if(lane.groups, [](const Group& group) { return group.asks.empty(); });
  if (asks.size() == 1) return tell(asks, error);
  while (!asks.empty()) {
    Asks alone;
    alone.splice(alone.end(), asks, asks.begin());
    begin(lane, std::move(alone));
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
