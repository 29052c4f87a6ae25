#include "cli/usage.h"

#include <gtest/gtest.h>

namespace heed::cli {

TEST(Nearest, FindsTheWordThatWasMeant) {
  const std::vector<std::string> verbs = {"bench", "inspect", "train", "translate"};
  EXPECT_EQ(nearest("bnech", verbs), "bench");
  EXPECT_EQ(nearest("inspct", verbs), "inspect");
  EXPECT_EQ(nearest("trains", verbs), "train");
  EXPECT_EQ(nearest("transl", verbs), "translate");
  EXPECT_EQ(nearest("zzzzzzzz", verbs), "");
  EXPECT_EQ(nearest("bench", {}), "");
}

}  // namespace heed::cli
