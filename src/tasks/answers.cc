#include "tasks/answers.h"

#include <map>

#include "base/check.h"

namespace heed {
namespace {

class AllAtOnce final : public Answers {
 public:
  explicit AllAtOnce(const TrainedRun& run) : run_(run) {}
  void add(std::vector<Asked> more, Fields& options, Showing showing) override {
    std::vector<std::string> texts;
    for (Asked& each : more) texts.push_back(std::move(each.text));
    auto predictions = run_.predict(texts, options, showing);
    options.check_all_taken("a classifier");
    for (auto& each : predictions) answers_[begun_++] = std::move(each);
  }
  std::vector<size_t> step() override {
    std::vector<size_t> all;
    for (; told_ < begun_; ++told_) all.push_back(told_);
    return all;
  }
  std::vector<Answered> take(size_t which) override {
    std::vector<Answered> answers;
    const auto of = answers_.extract(which);
    for (Prediction& each : of.mapped()) answers.push_back({std::move(each)});
    return answers;
  }
  int64_t rows() const override { return static_cast<int64_t>(begun_ - told_); }

 private:
  const TrainedRun& run_;
  std::map<size_t, std::vector<Prediction>> answers_;
  size_t begun_ = 0, told_ = 0;
};

}  // namespace

std::unique_ptr<Answers> all_at_once(const TrainedRun& run) { return std::make_unique<AllAtOnce>(run); }

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
