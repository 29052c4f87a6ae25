#include "explain/seen_words.h"

#include <heed/explain.h>

namespace heed::explain {
namespace {

using Groups = std::vector<std::vector<int64_t>>;

// Without the marks that say where a word begins or goes on.
std::string plain(const std::string& token) {
  for (const std::string mark : {"▁", "Ġ", "##"})
    if (token.starts_with(mark) && token != mark) return token.substr(mark.size());
  return token;
}

SeenText joined(const SeenText& text, const Groups& words) {
  SeenText all{text.name, {}};
  for (const std::vector<int64_t>& word : words) {
    all.tokens.emplace_back();
    for (const int64_t n : word) all.tokens.back() += plain(text.tokens[static_cast<size_t>(n)]);
  }
  return all;
}

SeenAttention joined(const SeenAttention& attention, const Groups& queries, const Groups& keys) {
  std::vector<Tensor> heads;
  for (int64_t h = 0; h < attention.weights.dim(0); ++h)
    heads.push_back(joined_weights(attention.weights[h], queries, keys));
  return {attention.name, attention.queries, attention.keys, stack(heads, 0), {}, {}, attention.importance};
}

SeenScores joined(SeenScores scores, const Groups& words, const Groups& answer) {
  const Tensor values = tensor_from(scores.values, {1, std::ssize(scores.values)});
  scores.values.clear();
  for (const double value : joined_weights(values, {{0}}, words).values())
    scores.values.push_back(static_cast<float>(value));
  if (scores.each.defined())
    scores.each = joined_weights(scores.each, scores.is_matrix() ? answer : Groups{{0}}, words);
  return scores;
}

}  // namespace

Seen with_words(const Seen& seen) {
  std::vector<Groups> groups;
  Seen all = seen;
  all.texts.clear(), all.attention.clear(), all.scores.clear();
  for (const SeenText& text : seen.texts) {
    groups.push_back(joined_tokens(text.tokens));
    all.texts.push_back(joined(text, groups.back()));
  }
  for (const SeenAttention& each : seen.attention)
    all.attention.push_back(joined(each, groups[each.queries], groups[each.keys]));
  for (const SeenScores& each : seen.scores) all.scores.push_back(joined(each, groups[each.text], groups[each.of]));
  return all;
}

}  // namespace heed::explain
