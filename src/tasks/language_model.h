// A language model with its tokeniser: what a run of the task lm holds.
#pragma once

#include <heed/generate.h>
#include <heed/models.h>
#include <heed/text.h>

#include <optional>

#include "tasks/token_rows.h"
#include "tasks/tokens.h"

namespace heed {

struct LanguageModel {
  std::unique_ptr<SequenceModel> model;
  Tokenizer tokenizer;
  int64_t longest = 256;
  std::optional<Ends> own_ends = {};  // where they are not the tokeniser's <s> and </s>

  Ends ends() const { return own_ends ? *own_ends : ends_of(tokenizer); }
  // <s> text </s>, cut where it is longer than is read at once: what each part says last the next begins with.
  void add_rows(std::span<const std::string> texts, TokenRows& rows) const;
  // What each of these rows goes on from, as much as the model remembers.
  Sentences before(const TokenRows& rows, std::span<const int64_t> which) const;
  // The sum over the places of these rows of −log p(next); packed: the rows share those of the batch.
  Tensor loss(const TokenRows& rows, std::span<const int64_t> which, bool packed, const CrossEntropyOptions& options,
              const Pass& pass) const;
  double mean_loss(const TokenRows& rows) const;  // a token, without gradients
  std::vector<int32_t> prompt_ids(const std::string& text) const { return tokenizer.ids(text, {.add_special = false}); }
  SearchOptions search_options(std::span<const std::string> begun, SearchOptions asked) const;
  static Sentences no_source(size_t count);
  std::vector<std::vector<Hypothesis>> go_on(std::span<const std::string> begun, SearchOptions options) const;

  void save(const std::string& folder) const;            // all but the weights
  static LanguageModel load(const std::string& folder);  // with the weights
};

}  // namespace heed
