// Ctrl-C and SIGTERM as a question: has somebody asked to stop? The second time ends the program at once.
#pragma once

namespace heed::cli {

class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  static bool asked();

 private:
  void (*interrupt_)(int);
  void (*terminate_)(int);
};

}  // namespace heed::cli
