#include <heed/base.h>
#include <heed/tensor.h>

#include <iostream>

int main() {
  const heed::Tensor x = heed::tensor({{1, 2, 3}, {4, 5, 6}});
  if (x.transpose(0, 1).value({2, 1}) != 6) return 1;
  try {
    x.view({5});
    return 2;
  } catch (const heed::Error&) {  // exceptions cross the library's border
  }
  std::cout << "heed " << heed::version() << " on " << heed::instruction_set() << "\n";
}
