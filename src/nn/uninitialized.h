// Models whose weights are read from a file next need not be given others before: drawing them takes longer than
// reading.
#pragma once

namespace heed::initialize {

// While one lives, the rules of this thread leave weights as they are: zeros.
class Skip {
 public:
  Skip();
  ~Skip();
  Skip(const Skip&) = delete;
  Skip& operator=(const Skip&) = delete;
};

}  // namespace heed::initialize
