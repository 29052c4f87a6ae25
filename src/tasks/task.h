// A task in training: its data and its model; what training_run needs of it.
#pragma once

#include <heed/train.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace heed {

struct Measure {
  std::string name;  // "validation_loss", "exact", "bleu"
  double value = 0;
};

class TrainingTask {
 public:
  virtual ~TrainingTask() = default;
  virtual std::string name() const = 0;                  // "translate"
  virtual std::string model_name() const = 0;            // "rnn-search"
  virtual std::string unit() const { return "tokens"; }  // of what the loss is a mean over
  virtual Learner learner() const = 0;
  // Of held-out examples, as the last validation found them, the first their loss; nothing where none are held out.
  virtual std::vector<Measure> measure() const = 0;
  virtual std::vector<std::string> samples(int64_t count) const = 0;  // what the model makes of some of them
  virtual void save(const std::string& folder) const = 0;             // configuration and tokenisers
  virtual nlohmann::json data() const = 0;                            // what it learns from, in numbers
};

}  // namespace heed
