// The methods that say which words mattered, by name.
#pragma once

#include <heed/explain.h>

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace heed::explain {

enum class Saliency { attention, rollout, flow, gradient_attention, gradients, input_gradients, integrated, occlusion };
constexpr std::array<std::pair<const char*, Saliency>, 8> names_of(Saliency) {
  return {{{"attention", Saliency::attention},
           {"rollout", Saliency::rollout},
           {"flow", Saliency::flow},
           {"gradient_attention", Saliency::gradient_attention},
           {"gradients", Saliency::gradients},
           {"input_gradients", Saliency::input_gradients},
           {"integrated", Saliency::integrated},
           {"occlusion", Saliency::occlusion}}};
}

// Which texts a place looks from and at, and which of its rows belong to the parts of the answer.
struct Sides {
  enum class Rows { last, first, all };  // as many as there are parts, at the end or the beginning; or the mean of all
  size_t queries = 0, keys = 0;
  Rows rows = Rows::last;
};
using SidesOf = std::function<Sides(const std::string& place)>;

// A question, and where the model looked when it answered.
struct Look {
  const Question& question;
  const Recorder& recorder;
  const SidesOf& sides;
  size_t words = 0;   // the text that the question is about
  int64_t parts = 0;  // of the answer
  std::string place;  // whose attention is meant; empty where none is at these words
  int64_t head = -1;  // of it; −1: the mean of all
};

// Of the places that look at the words the one that a layer's name or number means, the last where it is empty. Empty
// where there are no places. Error(usage) naming all there are.
std::string chosen_place(const std::vector<std::string>& places, const std::string& layer);
// Weights (H,T,S) of a place, of one head or (−1) their mean: (1,T,S).
Tensor chosen_head(const Tensor& weights, int64_t head, const std::string& place);

struct Measured {
  std::string method;                             // as it is shown: "integrated gradients"
  Tensor each;                                    // (parts, words)
  std::optional<double> completeness_error = {};  // of integrated gradients
};

// Error(usage) saying why where a method does not fit the model.
Measured measured(Saliency method, const Look& look);

}  // namespace heed::explain
