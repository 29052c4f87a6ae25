#include "base/threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

namespace heed {

TEST(Threads, EveryElementIsInOnePart) {
  std::vector<int> seen(1000);
  parallel(1000, 10, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) ++seen[static_cast<size_t>(i)];
  });
  EXPECT_EQ(seen, std::vector<int>(1000, 1));
}

TEST(Threads, AnErrorOfAPartComesOut) {
  const auto last = [](int64_t, int64_t end) {
    if (end == 100) throw std::runtime_error("the last part");
  };
  EXPECT_THROW(parallel(100, 1, last), std::runtime_error);
  parallel(100, 1, [](int64_t, int64_t) {});  // the team is still there
}

TEST(Threads, OfSeveralErrorsTheFirstItemsComesOut) {
  for (int turn = 0; turn < 50; ++turn) {
    std::atomic<int> before = 0;
    const auto item = [&](int64_t i) {
      if (i < 20) ++before;
      if (i >= 20) throw std::runtime_error(std::to_string(i));
    };
    std::string said;
    try {
      parallel_items(100, item);
    } catch (const std::runtime_error& error) {
      said = error.what();
    }
    EXPECT_EQ(said, "20");
    EXPECT_EQ(before, 20) << "what stands before the error is done";
  }
}

}  // namespace heed
