// heed bench serve: a run asked over HTTP beside the same run asked in the program.
#pragma once

#include <string>

namespace heed::bench {

struct ServeBench {
  std::string run, lines;  // its folder; a file with a text a line
  double seconds = 5;      // of each load
};
void run_serve(const ServeBench& bench);

}  // namespace heed::bench
