#include <heed/generate.h>

#include "generate/penalties.h"
#include "support/close.h"
#include "support/gradcheck.h"

namespace heed {
namespace {

using testing::complains;
using Words = std::vector<std::string>;

Tensor alignment() { return tensor({{0.7, 0.2, 0.1}, {0.1, 0.3, 0.6}, {0.1, 0.5, 0.4}}); }

TEST(Pharaoh, WhereEachWordLookedMost) {
  EXPECT_EQ(links(alignment()), (std::vector<Link>{{0, 0}, {1, 2}, {2, 1}}));
  EXPECT_EQ(pharaoh(links(alignment())), "0-0 1-2 2-1");
  EXPECT_EQ(pharaoh({}), "");
}

TEST(Pharaoh, EveryWeightFromAThresholdOn) {
  EXPECT_EQ(pharaoh(links(alignment(), 0.35)), "0-0 1-2 2-1 2-2");
  EXPECT_EQ(pharaoh(links(alignment(), 0.9)), "");
}

TEST(ReplaceUnknown, ByTheSourceOrTheDictionary) {
  const Words source = {"Frau", "Müller", "lacht"};
  EXPECT_EQ(replace_unknown({"Ms", "<unk>", "<unk>"}, alignment(), source), (Words{"Ms", "lacht", "Müller"}));
  EXPECT_EQ(replace_unknown({"Ms", "<unk>", "<unk>"}, alignment(), source, "<unk>", {{"lacht", "laughs"}}),
            (Words{"Ms", "laughs", "Müller"}));
  EXPECT_EQ(replace_unknown({"?", "a", "<unk>"}, alignment(), source, "?"), (Words{"Frau", "a", "<unk>"}));
}

TEST(Alignments, ThatDoNotFitAreRefused) {
  EXPECT_TRUE(complains([] { links(Tensor()); }, {"links", "no alignment"}));
  EXPECT_TRUE(complains([] { links(ones({3})); }, {"links", "(3)"}));
  EXPECT_TRUE(complains([] { replace_unknown({"a"}, alignment(), {"b"}); }, {"replace_unknown", "(3, 3)", "1"}));
}

TEST(LengthPenalties, AreTheirFormulas) {
  EXPECT_NEAR(length_penalty(LengthPenalty::gnmt, 0.6, 7), std::pow(2.0, 0.6), 1e-12);
  EXPECT_NEAR(length_penalty(LengthPenalty::marian, 0.6, 7), std::pow(7.0, 0.6), 1e-12);
  EXPECT_EQ(length_penalty(LengthPenalty::gnmt, 0, 7), 1);
}

TEST(CoveragePenalty, IsItsFormula) {
  // The columns' sums are 0.9, 1.0 and 1.1, which counts as 1.
  EXPECT_NEAR(coverage_penalty(0.2, alignment()), 0.2 * std::log(0.9), 1e-7);
  EXPECT_NEAR(coverage_penalty(1, tensor({{1, 0}})), std::log(1e-9), 1e-6);
}

}  // namespace
}  // namespace heed
