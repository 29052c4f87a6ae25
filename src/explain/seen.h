// What was seen of a model at work: which words looked at which, by layer and head, and what was measured beside it.
// Every picture is drawn from this, whether the model is ours or its weights come from a file.
#pragma once

#include <heed/tensor.h>

#include <optional>
#include <string>
#include <vector>

namespace heed::explain {

struct SeenText {
  std::string name;  // "source", "target", "text"
  std::vector<std::string> tokens;
};

// Where the tokens of one text looked in another, or in the same.
struct SeenAttention {
  std::string name;                     // "decoder.2.cross"
  size_t queries = 0, keys = 0;         // which of the texts
  Tensor weights;                       // (H,T,S)
  Tensor q, k;                          // (H,T,D), (H,S,D), where they were kept
  std::vector<double> importance = {};  // of each head: what the answer loses without it; empty: not asked for
};

// How much each token of a text mattered to the result, by one method.
struct SeenScores {
  std::string method;
  size_t text = 0;
  std::vector<float> values = {};
  double comprehensiveness = 0, sufficiency = 0;  // areas under their curves
  std::vector<double> agreement = {};             // Kendall's τ with each method before it
  size_t of = 0;                                  // the text whose tokens are the result
  Tensor each = {};                               // (T,S): of each token of the result by itself
  std::optional<double> completeness_error = {};  // of integrated gradients: what their sums are off at most

  bool is_matrix() const { return each.defined() && each.dim(0) > 1; }  // the result has several tokens
};

// A token that was said, and what might have been said in its place.
struct SeenStep {
  struct Alternative {
    std::string token;
    double probability = 0;
  };
  std::string token;
  double probability = 0, entropy = 0;  // nats
  std::vector<Alternative> alternatives = {};
};

// One of several answers that a beam ended with. What begins alike was one hypothesis so far.
struct SeenAnswer {
  std::vector<std::string> tokens;
  std::vector<float> log_probabilities;  // of each of them
  double score = 0;                      // by which they are in order
};

// What becomes of a figure, the answer's probability, where the weights of a layer are not the model's.
struct SeenCounterfactual {
  std::string layer, weights;  // "decoder.1.cross", "shuffled"
  double before = 0, after = 0;
};

struct Seen {
  std::string title, model;
  std::vector<SeenText> texts;
  std::vector<SeenAttention> attention = {};
  std::vector<SeenScores> scores = {};
  std::vector<SeenStep> steps = {};
  std::vector<SeenAnswer> answers = {};  // the best first
  std::vector<SeenCounterfactual> counterfactuals = {};
  std::string figure = "";  // that these are of
};

// Of one method: "comprehensiveness 0.312, sufficiency 0.050", and what its sums are off where that is known.
std::string figures_of(const SeenScores& scores);
// "With other weights in a layer the answer's probability, 0.912, becomes:"; empty where nobody asked.
std::string counterfactuals_of(const Seen& seen);
// How alike the methods put the words in order, in a sentence; empty where there is one alone.
std::string agreement_of(const Seen& seen);

// Error where shapes, texts and values do not belong together, or a weight is no number.
void check_whole(const Seen& seen);

}  // namespace heed::explain
