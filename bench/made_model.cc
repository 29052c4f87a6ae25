#include "bench/made_model.h"

#include <fmt/format.h>

namespace heed::bench {
namespace {

bool is_of_source(const std::string& name) {
  for (const char* part : {"encoder.", "cross.key.", "cross.value.", "attention.keys."})
    if (name.find(part) != std::string::npos) return true;
  return false;
}

}  // namespace

std::unique_ptr<SequenceModel> made_model(const std::string& name, int64_t words,
                                          std::map<std::string, std::string> fields) {
  fields["source_words"] = fields["target_words"] = std::to_string(words);
  seed(1);
  return make_model(name, fields);
}

Sentences made_sentences(int64_t count, int64_t words, uint64_t stream) {
  Random from{1, stream, 0};
  return {randint(4, words, {count, kSentenceLength}, from), Tensor::full({count}, kSentenceLength, Dtype::i64)};
}
std::string shape_of(int64_t sentences, int64_t words) {
  return fmt::format("{}x{} V {}", sentences, kSentenceLength, words);
}

double count_of(const NamedTensors& weights) {
  double count = 0;
  for (const auto& [name, weight] : weights) count += static_cast<double>(weight.numel());
  return count;
}

ProductFlops product_flops(AnyModel& model, int64_t words) {
  ProductFlops flops;
  for (const auto& [name, weight] : model.weights())
    if (weight.rank() == 2 && weight.dim(0) != words && weight.dim(1) != words)
      (is_of_source(name) ? flops.source : flops.target) += 2.0 * static_cast<double>(weight.numel());
  return flops;
}

}  // namespace heed::bench
