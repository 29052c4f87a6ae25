// What the memory of a language model means.
#include <heed/heed.h>

#include "support/close.h"
#include "support/gradcheck.h"

namespace heed {
namespace {

using testing::close;
using testing::complains;
using Fields = std::map<std::string, std::string>;

std::unique_ptr<SequenceModel> small(Fields fields = {}) {
  seed(4);
  fields.merge(Fields{{"target_words", "9"}, {"width", "16"}, {"heads", "2"}, {"layers", "3"}, {"dropout", "0"}});
  return make_model("transformer-xl", fields);
}
const Fields kPreNorm = {{"pre_norm", "true"}};

// A long and a short text, and none.
Sentences before() { return pad({{1, 4, 5, 6, 7}, {1, 8}, {}}); }
Sentences said() { return pad({{3, 8, 4}, {4, 4, 7}, {1, 5, 6}}); }
const std::vector<std::vector<int32_t>> kWhole = {{1, 4, 5, 6, 7, 3, 8, 4}, {1, 8, 4, 4, 7}, {1, 5, 6}};

TEST(TransformerXl, RemembersAsIfItHadReadOn) {
  const NoGrad scope;
  for (const Fields& fields : {Fields(), kPreNorm, Fields{{"position", "rope"}}, Fields{{"position", "alibi"}}}) {
    const auto model = small(fields);
    const Tensor features = model->forward(before(), said()).features;
    for (int64_t n = 0; n < 3; ++n) {
      const auto& text = kWhole[static_cast<size_t>(n)];
      const Tensor whole = model->forward({}, pad({text})).features[0];
      EXPECT_TRUE(close(features[n].values(), whole.slice(0, whole.dim(0) - 3, whole.dim(0)).values(), 2e-5)) << n;
    }
  }
}

TEST(TransformerXl, GoesOnFromWhatWasBefore) {
  const NoGrad scope;
  for (const Fields& fields : {Fields(), kPreNorm}) {
    const auto model = small(fields);
    const Tensor whole = model->forward(before(), said()).features;
    const auto state = model->begin(before());
    for (int64_t t = 0; t < 3; ++t)
      EXPECT_TRUE(close(model->step(*state, said().ids.slice(1, t, t + 1)).features.values(),
                        whole.slice(1, t, t + 1).values(), 2e-5));
  }
}

// Gradients reach what reads the memory, and none of what made it: a word that only the memory holds learns nothing.
TEST(TransformerXl, NoGradientReachesTheMemory) {
  const auto model = small({{"tied", "false"}});
  const Tensor loss = sum(square(model->forward(pad({{2, 2}}), pad({{3, 8, 4}}), {.training = true}).features));
  backward(loss);
  for (const auto& [name, weight] : model->weights())
    if (name == "text.words.weight") {
      EXPECT_EQ(sum(abs(weight.grad()[2])).item(), 0);
      EXPECT_GT(sum(abs(weight.grad()[3])).item(), 0);
    }
}

TEST(TransformerXl, PlacesInTheEmbeddingAreRefused) {
  for (const char* position : {"learned", "sinusoidal", "sinusoidal_halves"})
    EXPECT_TRUE(complains([&] { small({{"position", position}}); }, {"transformer-xl", position, "distances"}));
  EXPECT_TRUE(complains([] { small({{"memory", "-1"}}); }, {"memory", "-1"}));
}

}  // namespace
}  // namespace heed
