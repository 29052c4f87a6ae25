// A model that translates, with its tokenisers: what a run of the task translate holds.
#pragma once

#include <heed/generate.h>
#include <heed/models.h>
#include <heed/text.h>

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tasks/tokens.h"

namespace heed {

enum class VocabularyKind { separate, joint };
constexpr std::array<std::pair<const char*, VocabularyKind>, 2> names_of(VocabularyKind) {
  return {{{"separate", VocabularyKind::separate}, {"joint", VocabularyKind::joint}}};
}

// The tokenisers of a translator; joint: one, which both sides share. In a folder: source.* and target.*, or
// tokenizer.*.
struct Tokenizers {
  Tokenizer source, target;
  VocabularyKind kind = VocabularyKind::separate;

  void save(const std::string& folder) const;
  static Tokenizers load(const std::string& folder);
};

VocabularyKind vocabularies_in(const std::string& folder);

struct Translation {
  std::string text;
  std::vector<std::string> source_tokens, tokens;  // with their ends
  std::vector<float> log_probabilities;            // of the tokens
  double score = 0;
  Tensor alignment;                                   // (tokens, source tokens), where asked for
  std::vector<std::vector<Might>> alternatives = {};  // at the place of each token, where asked for
};

struct TranslationModel : Tokenizers {
  std::unique_ptr<SequenceModel> model;
  int64_t longest = 256;              // tokens of either side
  std::optional<Ends> own_ends = {};  // where they are not the tokenisers' <s> and </s>

  Ends ends() const { return own_ends ? *own_ends : ends_of(target); }
  int32_t source_end() const { return own_ends ? own_ends->end : ends_of(source).end; }
  std::vector<int32_t> source_ids(std::string_view text) const;  // with the end
  // n_best of each text, the best first; sentences of similar length are translated together.
  SearchOptions search_options(SearchOptions asked) const;  // with the model's own ends
  Translation translation_of(const Hypothesis& hypothesis, std::span<const int32_t> source_ids) const;
  std::vector<std::vector<Translation>> translate(std::span<const std::string> texts, SearchOptions options = {}) const;
  // Unknown words become those of the source that were looked at most; wants the alignment.
  void replace_unknown(Translation& translation) const;
  void save(const std::string& folder) const;               // all but the weights
  static TranslationModel load(const std::string& folder);  // with the weights
};

}  // namespace heed
