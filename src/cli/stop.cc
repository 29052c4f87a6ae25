#include "cli/stop.h"

#include <csignal>
#include <cstdlib>

namespace heed::cli {
namespace {

volatile std::sig_atomic_t stop_asked = 0;

void ask(int) {
  if (stop_asked) std::_Exit(130);
  stop_asked = 1;
}

}  // namespace

StopSignals::StopSignals() {
  stop_asked = 0;
  interrupt_ = std::signal(SIGINT, ask), terminate_ = std::signal(SIGTERM, ask);
}
StopSignals::~StopSignals() { std::signal(SIGINT, interrupt_), std::signal(SIGTERM, terminate_); }
bool StopSignals::asked() { return stop_asked != 0; }

}  // namespace heed::cli
