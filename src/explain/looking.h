// A question put to a model while somebody looks on: where it looked, what mattered, and how far either can be
// believed.
#pragma once

#include <heed/explain.h>

#include <array>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "explain/methods.h"
#include "explain/seen.h"

namespace heed::explain {

// Weights in the place of the model's own.
enum class OtherWeights { shuffled, uniform };
constexpr std::array<std::pair<const char*, OtherWeights>, 2> names_of(OtherWeights) {
  return {{{"shuffled", OtherWeights::shuffled}, {"uniform", OtherWeights::uniform}}};
}

struct LookOptions {
  std::vector<Saliency> method = {Saliency::gradients};
  std::string layer;  // a place, or its number among those like the last, which an empty one is
  int64_t head = -1;  // of it; −1: their mean
  bool heads = false;
  std::vector<OtherWeights> counterfactual;
  bool words = false;

  void visit(auto&& field) {
    field(
        "method", method,
        "of saliency, shown beside attention, several with commas between: rollout and flow (of attention through the "
        "layers), gradient_attention (gradients times attention), gradients (their length), input_gradients (times the "
        "input), integrated, occlusion");
    field("layer", layer, "whose attention is shown: decoder.1.cross, or its number from 0; the last where not said");
    field("head", head, "of the layer, from 0; -1: the mean of all");
    field("heads", heads,
          "a map of all heads: entropy, distance, importance (switched off one by one), and their kinds");
    field("counterfactual", counterfactual,
          "does the answer care where it looked? Its probability with weights shuffled, uniform or shuffled,uniform");
    field("words", words, "subwords are joined into words");
  }
};

// Why; and a question of the same texts that shows once where the model looks, as a contrast, which asks twice, does
// not.
struct Inquiry {
  Question why, shown;
  std::string figure = "the answer's probability";  // what is asked about, as a sentence names it
};

// Adds to `seen` all attention, and the scores of the words by attention, where there is any, and by each method;
// what else the options ask for.
// `words`: the text that the question is about; `answer`: the one whose tokens are its parts. A place may look at more
// keys than there are words: then these are the last. Error(usage) naming all there are where there is no such layer or
// head, or a method does not fit the model.
void look(Seen& seen, const Inquiry& inquiry, const LookOptions& options, const SidesOf& sides, size_t words,
          size_t answer);

// All attention as the question is answered, with the importance of each head.
Seen heads_of(const Question& question);

// What was said, of its logits (T,V): ids (T) with their probabilities, and the `most` likeliest of each step.
std::vector<SeenStep> steps_of(const Tensor& logits, const std::vector<int32_t>& ids, int64_t most,
                               const std::function<std::string(int32_t)>& name);

// What none of these pictures proves, in a sentence.
extern const char* const kCaution;

}  // namespace heed::explain
