// A step of training: forward, backward and Adam, on made numbers.
#include <heed/train.h>

#include "bench/cases.h"
#include "bench/made_model.h"

namespace heed::bench {
namespace {

constexpr int64_t kVocabulary = 8000, kWidth = 256;
constexpr double kTokens = kSentences * kSentenceLength;

void bench_step(Bench& bench, const char* name, const char* model, const std::map<std::string, std::string>& fields,
                double attention_flops) {
  if (!bench.wants(name)) return;
  const auto made = made_model(model, kVocabulary, fields);
  const NamedTensors named = made->weights();
  std::vector<Tensor> weights;
  for (const auto& [of, tensor] : named) weights.push_back(tensor);
  Adam optimizer(weights);
  const Sentences source = made_sentences(kSentences, kVocabulary, 1),
                  target = made_sentences(kSentences, kVocabulary, 2);
  const Tensor next = made_sentences(kSentences, kVocabulary, 3).ids;
  const auto step = [&] {
    const Decoded decoded = made->forward(source, target, {.training = true});
    backward(made->loss(decoded.features, next));
    optimizer.step();
  };
  const ProductFlops products = product_flops(*made, kVocabulary);  // once forward, twice backward
  const double flops = 3 * kTokens * (products.source + products.target + 2 * kVocabulary * kWidth) + attention_flops;
  bench.model({name, shape_of(kSentences, kVocabulary), "step", step},
              {.count = kTokens, .weights = count_of(named), .flops = flops});
}

}  // namespace

void run_training(const Options& options) {
  Bench bench(options);
  // Scores and weighted sums: nine attentions of 32 x 32 in 256 columns, forward and backward.
  const double attention = 9 * 4 * 3.5 * kTokens * kSentenceLength * kWidth;
  bench_step(
      bench, "transformer", "transformer",
      {{"width", "256"}, {"heads", "4"}, {"layers", "3"}, {"inner", "1024"}, {"tied", "false"}, {"shared", "true"}},
      attention);
  bench_step(bench, "bahdanau", "rnn-search", {{"width", "256"}, {"dropout", "0"}}, 0);
}

}  // namespace heed::bench
