#include "explain/alignment.h"

#include <gtest/gtest.h>

#include "tensor/unicode.h"

namespace heed::explain {
namespace {

TEST(Alignment, StandsBesideItsWords) {
  const Tensor weights = tensor({{1, 0, 0}, {0, 0.5, 1}});
  EXPECT_EQ(alignment(weights, {"a", "bc"}, {"xy", "月", "z"}, Ink::ascii),
            (std::vector<std::string>{"    x     ", "    y 月z ", "a   ## . .", "bc   .++##"}));
}

TEST(Alignment, LeavesOutWhatHardlyCounts) {
  EXPECT_EQ(alignment(tensor({{1, 0.05, 0.2}}), {"a"}, {"x", "y", "z"}, Ink::ascii).back(), "a  ## .--");
}

TEST(Alignment, KeepsToItsColumns) {
  const std::vector<std::string> words(50, "wide word of many letters"), source(50, "x");
  const std::vector<std::string> lines = alignment(Tensor::full({50, 50}, 1), words, source, Ink::ascii, 60);
  for (const std::string& line : lines) EXPECT_LE(columns(line), 60) << line;
  EXPECT_EQ(lines.size(), 3U * 51);
}

}  // namespace
}  // namespace heed::explain
