// The one thread that computes. What waits for the same model with the same options begins together, as a group that
// goes on step by step. Those that come meanwhile make up the next group; where the one under way takes long, they
// begin beside it and the groups take their steps in turn. Nobody's answer depends on who else is there.
#pragma once

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
  std::function<void(Outcome)> done;  // once, from the worker's thread
};

struct WorkerLimits {
  size_t waiting = 256;  // asks
  size_t together = 64;  // that begin at once
  size_t under_way = 4;  // groups
  double alone = 0.03;   // seconds that a group has the processor to itself: several at once answer less in all
};

// What was going on since the beginning, and is now.
struct WorkerCounts {
  uint64_t asked = 0, refused = 0, begun = 0, groups = 0, steps = 0, tokens = 0;
  size_t waiting = 0, under_way = 0;
};

class Worker {
 public:
  explicit Worker(const WorkerLimits& limits);
  ~Worker() { stop(); }
  void stop();  // what waits is refused

  // All of them or none: Refusal(503) where the queue is full.
  void ask(std::vector<Ask> asks);
  // Between two steps, one at a time: nobody waits longer than for one of them. Refusal(503) where too many wait.
  void between(std::function<void()> work);
  WorkerCounts counts() const;

 private:
  struct Group {
    std::vector<Ask> asks;
    std::unique_ptr<Answers> answers;
    double begun;
  };

  void run();
  void do_work();
  bool may_begin() const;
  bool begin_next();
  std::vector<Ask> take_alike();
  void begin(std::vector<Ask> asks);
  bool step(Group& group);  // whether there is more to do

  const WorkerLimits limits_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Ask> waiting_;
  std::deque<std::function<void()>> works_;
  std::list<Group> groups_;  // of the thread alone
  WorkerCounts counts_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace heed::serve
