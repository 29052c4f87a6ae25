#include "tasks/two_columns.h"

#include <algorithm>

#include "support/files.h"

namespace heed {
namespace {

using testing::refused;

int64_t count(const std::vector<bool>& which) { return std::count(which.begin(), which.end(), true); }

TEST(HeldOut, PartsAreOfEqualSizeAndAllThereIs) {
  for (const int64_t rows : {50, 52}) {
    std::vector<int> seen(static_cast<size_t>(rows));
    for (int part = 1; part <= 5; ++part) {
      const std::vector<bool> out = held_out(0, rows, parse_held_out(std::to_string(part) + "/5"), 3);
      EXPECT_GE(count(out), rows / 5);
      EXPECT_LE(count(out), rows / 5 + 1);
      for (size_t n = 0; n < out.size(); ++n) seen[n] += out[n];
    }
    EXPECT_EQ(seen, std::vector<int>(static_cast<size_t>(rows), 1));
  }
}

TEST(HeldOut, IsAMatterOfSeedAndRow) {
  for (const char* text : {"2/5", "0.2"}) {
    const HeldOut held = parse_held_out(text);
    const std::vector<bool> all = held_out(0, 1000, held, 3), end = held_out(700, 300, held, 3);
    EXPECT_EQ(std::vector<bool>(all.begin() + 700, all.end()), end) << text;
    EXPECT_NE(all, held_out(0, 1000, held, 4)) << text;
    EXPECT_NEAR(static_cast<double>(count(all)), 200, 40) << text;
  }
}

TEST(HeldOut, AreSharesPartsAndFiles) {
  EXPECT_EQ(parse_held_out("0.25").share, 0.25);
  EXPECT_EQ(parse_held_out("2/5").part, 2);
  EXPECT_EQ(parse_held_out("dev.en,dev.de").file.beside, "dev.de");
  for (const char* path : {"dev/5", "2024/dev.tsv", "2/5x"}) EXPECT_EQ(parse_held_out(path).file.path, path);
  for (const char* text : {"0/5", "6/5", "1/1", "1/0", "-1/5", "1", "0"})
    EXPECT_TRUE(refused(ErrorKind::usage, {"validation", text}, [&] { parse_held_out(text); })) << text;
}

}  // namespace
}  // namespace heed
