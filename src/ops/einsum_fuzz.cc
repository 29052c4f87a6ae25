// Any text as an equation: it is one, whose letters are letters and whose result has each of them once, or an Error.
#include <heed/base.h>

#include <cstdint>
#include <cstdlib>

#include "ops/einsum.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const heed::Equation equation = heed::parse_equation({reinterpret_cast<const char*>(data), size});
    for (size_t i = 0; i < equation.output.size(); ++i)
      if (equation.output.find(equation.output[i], i + 1) != std::string::npos) std::abort();
    if (equation.inputs.empty()) std::abort();
  } catch (const heed::Error&) {
  }
  return 0;
}
