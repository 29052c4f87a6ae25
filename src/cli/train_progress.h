// What a training shows on stderr: a bar on a terminal, else a plain line every few seconds.
#pragma once

#include <string>

#include "tasks/training_run.h"

namespace heed::cli {

class TrainProgress {
 public:
  TrainProgress();  // looks what stderr is
  void begin(const RunPlan& plan);
  void step(const StepReport& report);
  void validation(const ValidationReport& report, const TrainingTask& task);
  void trouble(const std::string& what);
  void clear();  // takes the bar away

 private:
  void line(const std::string& text);
  bool bar_;
  bool drawn_ = false;
  double shown_ = 0, rate_ = 0;
  std::string unit_;  // of the rate
};

std::string duration(double seconds);  // "3 min 20 s"

}  // namespace heed::cli
