#include "tasks/answers.h"

#include "base/check.h"

namespace heed {
namespace {

class AllAtOnce final : public Answers {
 public:
  explicit AllAtOnce(std::vector<std::vector<Prediction>> predictions) : predictions_(std::move(predictions)) {}
  std::vector<size_t> step() override {
    std::vector<size_t> all;
    for (size_t n = 0; n < predictions_.size(); ++n) all.push_back(n);
    done_ = true;
    return all;
  }
  bool done() const override { return done_; }
  std::vector<Answered> take(size_t which) override {
    std::vector<Answered> answers;
    for (Prediction& each : predictions_[which]) answers.push_back({std::move(each)});
    return answers;
  }

 private:
  std::vector<std::vector<Prediction>> predictions_;
  bool done_ = false;
};

}  // namespace

std::unique_ptr<Answers> all_at_once(std::vector<std::vector<Prediction>> predictions) {
  return std::make_unique<AllAtOnce>(std::move(predictions));
}

Tensor AnsweringRun::embed(std::span<const std::string>) const {
  fail(ErrorKind::usage, "embeddings", "this model makes none; a classifier does");
}

std::unique_ptr<AnsweringRun> load_answering_run(const std::string& folder) {
  std::unique_ptr<TrainedRun> run = load_run(folder);
  auto* const answering = dynamic_cast<AnsweringRun*>(run.get());
  check(answering, folder, "is a run of a task that is not served");
  [[maybe_unused]] const auto* same = run.release();
  return std::unique_ptr<AnsweringRun>(answering);
}

}  // namespace heed
