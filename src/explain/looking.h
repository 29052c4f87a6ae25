// A question put to a model while somebody looks on: where it looked, what mattered, and how far either can be
// believed.
#pragma once

#include <heed/explain.h>

#include <array>
#include <functional>

#include "explain/seen.h"

namespace heed::explain {

enum class Saliency { gradients, input_gradients, integrated, occlusion };
constexpr std::array<std::pair<const char*, Saliency>, 4> names_of(Saliency) {
  return {{{"gradients", Saliency::gradients},
           {"input_gradients", Saliency::input_gradients},
           {"integrated", Saliency::integrated},
           {"occlusion", Saliency::occlusion}}};
}

struct LookOptions {
  Saliency method = Saliency::gradients;
  std::string layer;  // a place, or its number among those like the last, which an empty one is
  int64_t head = -1;  // of it; −1: their mean

  void visit(auto&& field) {
    field(
        "method", method,
        "of saliency, shown beside attention: gradients (their length), input_gradients (times the input), integrated "
        "or occlusion");
    field("layer", layer, "whose attention is shown: decoder.1.cross, or its number from 0; the last where not said");
    field("head", head, "of the layer, from 0; -1: the mean of all");
  }
};

// Which texts a place looks from and at, and which of its rows belong to the parts of the answer.
struct Sides {
  enum class Rows { last, first, all };  // as many as there are parts, at the end or the beginning; or the mean of all
  size_t queries = 0, keys = 0;
  Rows rows = Rows::last;
};
using SidesOf = std::function<Sides(const std::string& place)>;

// Adds to `seen` all attention, and the scores of the words by attention, where there is any, and by the method.
// `words`: the text that the question is about; `answer`: the one whose tokens are its parts. A place may look at more
// keys than there are words: then these are the last. Error(usage) naming all there are where there is no such layer or
// head.
void look(Seen& seen, const Question& question, const LookOptions& options, const SidesOf& sides, size_t words,
          size_t answer);

// What was said, of its logits (T,V): ids (T) with their probabilities, and the `most` likeliest of each step.
std::vector<SeenStep> steps_of(const Tensor& logits, const std::vector<int32_t>& ids, int64_t most,
                               const std::function<std::string(int32_t)>& name);

// What none of these pictures proves, in a sentence.
extern const char* const kCaution;

}  // namespace heed::explain
