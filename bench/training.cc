// A step of training: forward, backward and Adam, on made numbers.
#include <fmt/format.h>
#include <heed/models.h>
#include <heed/train.h>

#include "bench/cases.h"

namespace heed::bench {
namespace {

constexpr int64_t kBatch = 32, kLength = 32, kWords = 8000;

Sentences made(uint64_t stream) {
  Random from{1, stream, 0};
  return {randint(4, kWords, {kBatch, kLength}, from), Tensor::full({kBatch}, kLength, Dtype::i64)};
}

// Of the products alone: each weight of a matrix is used once a token, forward, and twice backward.
double product_flops(const NamedTensors& weights, double tokens) {
  double elements = 0;
  for (const auto& [name, weight] : weights)
    if (weight.rank() == 2 && weight.dim(0) != kWords) elements += static_cast<double>(weight.numel());
  return 6 * tokens * elements;
}

void bench_step(Bench& bench, const char* name, std::map<std::string, std::string> fields, double attention_flops) {
  if (!bench.wants(name)) return;
  seed(1);
  fields["source_words"] = fields["target_words"] = std::to_string(kWords);
  const auto model = make_model(std::string(name) == "bahdanau" ? "rnn-search" : name, fields);
  const NamedTensors named = model->weights();
  std::vector<Tensor> weights;
  double count = 0;
  for (const auto& [of, tensor] : named) weights.push_back(tensor), count += static_cast<double>(tensor.numel());
  Adam optimizer(weights);
  const Sentences source = made(1), target = made(2);
  const Tensor next = made(3).ids;
  const double tokens = kBatch * kLength, width = 256;
  const double flops = product_flops(named, tokens) + 6 * tokens * kWords * width + attention_flops;
  bench.compute({name, fmt::format("B {}, T {}, V {}, {:.2f} M weights", kBatch, kLength, kWords, count / 1e6), "step",
                 [&] {
                   const Decoded decoded = model->forward(source, target, {.training = true});
                   backward(model->loss(decoded.features, next));
                   optimizer.step();
                 }},
                flops);
}

}  // namespace

void run_training(const Options& options) {
  Bench bench(options);
  // Scores and weighted sums: nine attentions of 32 x 32 in 256 columns, forward and backward.
  const double attention = 9 * 4 * 3.5 * kBatch * kLength * kLength * 256;
  bench_step(
      bench, "transformer",
      {{"width", "256"}, {"heads", "4"}, {"layers", "3"}, {"inner", "1024"}, {"tied", "false"}, {"shared", "true"}},
      attention);
  bench_step(bench, "bahdanau", {{"width", "256"}, {"dropout", "0"}}, 0);
}

}  // namespace heed::bench
