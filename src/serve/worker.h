// The threads that compute. What is asked of the same model makes up a group that goes on step by step; whoever comes
// later joins it between two steps. Groups take their steps in turn. Nobody's answer depends on who else is there.
//
// Two such lanes share out what there is to do, and the processor's threads: threads that meet once in many steps are
// ahead of threads that share each step. As long as that is little it is done by one lane, with nearly all threads.
#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "serve/shelf.h"

namespace heed::serve {

struct Outcome {
  std::vector<Answered> answers;
  std::exception_ptr error;  // or this
};

// A text that waits for its answer.
struct Ask {
  Model model;
  std::map<std::string, std::string> options;
  Showing showing = Showing::text;
  Asked asked;
  double until = 0;                   // of seconds(): then it is refused
  std::function<void(Outcome)> done;  // once, from one of the worker's threads
  double came = 0;                    // set by Worker::ask()
  size_t number = 0;                  // among the answers of its group
};
using Asks = std::list<Ask>;  // they go from hand to hand without memory

struct WorkerLimits {
  size_t waiting = 256;  // asks
  size_t together = 64;  // of a group
  size_t under_way = 4;  // groups
  double gather =
      0.005;  // seconds that who joins waits for others at most: several are read at little more than one's cost
};

// What was going on since the beginning, and is now.
struct WorkerCounts {
  uint64_t asked = 0, refused = 0, begun = 0, beginnings = 0, steps = 0, tokens = 0;
  size_t waiting = 0, under_way = 0;
};

class Worker {
 public:
  explicit Worker(const WorkerLimits& limits);
  ~Worker() { stop(); }
  void stop();  // what waits is refused

  // All of them or none: Refusal(503) where the queue is full.
  void ask(Asks asks);
  // Between two steps, one at a time: nobody waits longer than for one of them. Refusal(503) where too many wait.
  void between(std::function<void()> work);
  WorkerCounts counts() const;

 private:
  struct Group {
    std::shared_ptr<const AnsweringRun> run;
    std::unique_ptr<Answers> answers;
    size_t begun = 0;  // asks
    Asks asks{};       // under way
  };

  struct Lane {
    std::list<Group> groups = {};  // of its thread alone
    double load = 0;               // rows of a step, under the mutex as what follows
    double width = 1;              // rows that a text was worth when it last had some
    size_t texts = 0;
    std::thread thread = {};
  };

  Lane& first() { return lanes_[0]; }
  Lane& second() { return lanes_[1]; }
  void run(Lane& lane);
  int threads_of(const Lane& lane);
  bool has_something(const Lane& lane);
  int wait_for_something(Lane& lane);
  double room(const Lane& lane);
  void turn(Lane& lane);
  void make_room(Lane& lane);
  void do_work();
  bool begin_next(Lane& lane);
  Asks take_alike(Lane& lane);
  static Group* group_of(Lane& lane, const Ask& ask);  // null: none is under way
  bool may_begin(Lane& lane, const Ask& ask) const;
  bool gathers(const Group& group, const Ask& first) const;
  void begin(Lane& lane, Asks asks);
  void begin_in(Group& group, Asks& asks);
  void step(Group& group);
  void give(Group& group, size_t number);
  void count(Lane& lane);

  const WorkerLimits limits_;
  const bool two_;  // lanes
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  Asks waiting_;
  std::deque<std::function<void()>> works_;
  WorkerCounts counts_;
  bool ending_ = false;
  std::array<Lane, 2> lanes_;
};

}  // namespace heed::serve
