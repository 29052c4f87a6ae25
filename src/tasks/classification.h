// A model that classifies texts, with its tokeniser and its labels: what a run of the task classify holds.
#pragma once

#include <heed/models.h>
#include <heed/text.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tasks/labels.h"

namespace heed {

struct TokenWeight {
  int64_t begin = 0, end = 0;  // bytes of the text
  double weight = 0;
};
struct Classification : Answer {
  std::vector<TokenWeight> weights;  // how much each token counted, where asked for and where the model weighs them
};

struct ClassificationModel {
  std::unique_ptr<TextClassifier> model;
  Tokenizer tokenizer;
  Labels labels;
  int64_t longest = 256;  // tokens of a text; what is beyond is not read

  std::vector<Token> tokens(std::string_view text) const;  // at least one
  // Texts of similar length are classified together.
  std::vector<Classification> classify(std::span<const std::string> texts, bool weights = false) const;
  // (N,W): of each text the sum of its words' vectors, each by how much it counted; where the model weighs none,
  // evenly.
  Tensor embed(std::span<const std::string> texts) const;
  void save(const std::string& folder) const;                  // all but the weights
  static ClassificationModel load(const std::string& folder);  // with the weights
};

// The beginnings of these, so many tokens at most; nothing becomes the token that ends a text.
std::vector<Token> cut_text(std::vector<Token> tokens, int64_t longest, const Tokenizer& tokenizer);

}  // namespace heed
