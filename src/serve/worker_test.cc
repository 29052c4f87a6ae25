#include "serve/worker.h"

#include <gtest/gtest.h>
#include <heed/base.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>

#include "base/check.h"
#include "base/clock.h"
#include "serve/refusal.h"

namespace heed::serve {
namespace {

using namespace std::chrono_literals;

// A run whose answers take some steps, of so many rows a text. It notes who computes.
struct Slow final : AnsweringRun {
  int64_t width = 4;
  int steps = 3;
  mutable std::mutex mutex;
  mutable std::set<std::thread::id> threads_seen;
  mutable std::set<int> counts_seen;  // of threads to compute with

  struct Under final : Answers {
    const Slow& run;
    std::vector<int> left;
    explicit Under(const Slow& run) : run(run) {}

    void add(std::vector<Asked> more, Fields&, Showing) override {
      for (const Asked& each : more) {
        if (each.text == "bad") throw Error(ErrorKind::data, "text", "is bad");
        left.push_back(run.steps);
      }
    }
    std::vector<size_t> step() override {
      std::this_thread::sleep_for(1ms);
      const std::lock_guard lock(run.mutex);
      run.threads_seen.insert(std::this_thread::get_id()), run.counts_seen.insert(threads());
      std::vector<size_t> done;
      for (size_t n = 0; n < left.size(); ++n)
        if (left[n] > 0 && --left[n] == 0) done.push_back(n);
      return done;
    }
    std::vector<Answered> take(size_t) override { return {Answered{}}; }
    int64_t rows() const override {
      return run.width * std::count_if(left.begin(), left.end(), [](int steps) { return steps > 0; });
    }
  };
  std::unique_ptr<Answers> answers() const override { return std::make_unique<Under>(*this); }
  bool speaks() const override { return true; }
  const Tokenizer& tokenizer() const override { fail(ErrorKind::usage, "test", "has no tokenizer"); }
  explain::Seen explain(const std::string&, const ExplainOptions&) const override { return {}; }
};

template <class Condition>
void wait_until(const Condition& condition) {
  for (int n = 0; n < 5000 && !condition(); ++n) std::this_thread::sleep_for(1ms);
}

// So many texts at once; how many were answered, and how many failed.
struct Told {
  std::atomic<int> answered = 0, failed = 0;
  void await(int count) const {
    wait_until([&] { return answered + failed >= count; });
  }
};
Asks asks_for(const std::shared_ptr<Slow>& run, int count, Told& told, const std::string& text = "text") {
  Asks asks;
  for (int n = 0; n < count; ++n) {
    Ask& ask = asks.emplace_back();
    ask.model.run = run, ask.asked.text = text, ask.until = seconds() + 60;
    ask.done = [&told](const Outcome& outcome) { ++(outcome.error ? told.failed : told.answered); };
  }
  return asks;
}

// What was answered is counted a moment later.
void await_idle(const Worker& worker) {
  wait_until([&] { return worker.counts().under_way == 0; });
}

class WorkerTest : public ::testing::Test {
 protected:
  void SetUp() override { set_threads(2); }
  void TearDown() override { set_threads(before_); }
  const int before_ = threads();
  const std::shared_ptr<Slow> run_ = std::make_shared<Slow>();
  Told told_;
};

TEST_F(WorkerTest, AFewTextsAreComputedByOneLaneWithAllThreads) {
  Worker worker({});
  for (int n = 0; n < 5; ++n) {
    worker.ask(asks_for(run_, 3, told_));
    told_.await(3 * (n + 1)), await_idle(worker);
  }
  EXPECT_EQ(told_.answered, 15);
  EXPECT_EQ(run_->threads_seen.size(), 1u);
  EXPECT_EQ(run_->counts_seen, std::set<int>{2});
}

TEST_F(WorkerTest, ManyAreSharedOut) {
  Worker worker({});
  for (int n = 0; n < 20; ++n) worker.ask(asks_for(run_, 5, told_));
  told_.await(100);
  EXPECT_EQ(told_.answered, 100);
  EXPECT_EQ(run_->threads_seen.size(), 2u);
  EXPECT_TRUE(run_->counts_seen.contains(1));
  await_idle(worker);
  EXPECT_EQ(worker.counts().under_way, 0u);
}

TEST_F(WorkerTest, OneThreadIsOneLane) {
  set_threads(1);
  Worker worker({});
  worker.ask(asks_for(run_, 100, told_));
  told_.await(100);
  EXPECT_EQ(told_.answered, 100);
  EXPECT_EQ(run_->threads_seen.size(), 1u);
}

TEST_F(WorkerTest, WhoIsBadFailsAlone) {
  Worker worker({});
  Asks asks = asks_for(run_, 40, told_);
  asks.splice(std::next(asks.begin(), 20), asks_for(run_, 1, told_, "bad"));
  worker.ask(std::move(asks));
  told_.await(41);
  EXPECT_EQ(told_.answered, 40);
  EXPECT_EQ(told_.failed, 1);
}

TEST_F(WorkerTest, EverybodyIsToldOfTheEnd) {
  run_->steps = 100'000;
  Worker worker({.waiting = 300, .together = 16});
  for (int n = 0; n < 4; ++n) worker.ask(asks_for(run_, 60, told_));
  std::this_thread::sleep_for(20ms);
  worker.stop();
  EXPECT_EQ(told_.failed, 240);
}

TEST_F(WorkerTest, TheQueueHasAnEnd) {
  run_->steps = 1000;
  Worker worker({.waiting = 10, .together = 1});
  const auto ask_much = [&] {
    for (int n = 0; n < 3; ++n) worker.ask(asks_for(run_, 10, told_));
  };
  EXPECT_THROW(ask_much(), Refusal);
  EXPECT_GE(worker.counts().refused, 10u);
}

TEST_F(WorkerTest, WorksAreDoneBetweenSteps) {
  run_->steps = 50;
  Worker worker({});
  worker.ask(asks_for(run_, 30, told_));
  std::atomic<int> works = 0;
  for (int n = 0; n < 5; ++n) worker.between([&] { ++works; });
  told_.await(30);
  EXPECT_EQ(works, 5);
  EXPECT_EQ(told_.answered, 30);
}

}  // namespace
}  // namespace heed::serve
