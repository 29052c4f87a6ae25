// Models as large as those that the literature measures, with weights and sentences of random numbers.
#pragma once

#include <heed/models.h>

#include <map>
#include <string>

namespace heed::bench {

constexpr int64_t kSentences = 32, kSentenceLength = 32;

std::unique_ptr<SequenceModel> made_model(const std::string& name, int64_t words,
                                          std::map<std::string, std::string> fields);
Sentences made_sentences(int64_t count, int64_t words, uint64_t stream = 1);
std::string shape_of(int64_t sentences, int64_t words);

double count_of(const NamedTensors& weights);
// Operations a token of products with each matrix that is no table of words: those that a token of the source goes
// through, and those of a target's.
struct ProductFlops {
  double source = 0, target = 0;
};
ProductFlops product_flops(AnyModel& model, int64_t words);

}  // namespace heed::bench
