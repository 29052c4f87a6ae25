#include "text/added_tokens.h"

#include "text/characters.h"

namespace heed::tokenize {
namespace {

std::string normalized_content(const AddedToken& token, const Normalizer* normalizer) {
  Aligned text(token.content, 0);
  if (normalizer) normalizer->apply(text);
  return std::string(text.text());
}

size_t white_before(std::string_view text, size_t end, size_t least) {
  while (end > least) {
    const size_t begin = character_before(text, end);
    if (!is_space(character_at(text, begin).code)) break;
    end = begin;
  }
  return end;
}

size_t white_after(std::string_view text, size_t begin) {
  while (begin < text.size() && is_space(character_at(text, begin).code)) begin += character_at(text, begin).bytes;
  return begin;
}

bool is_inside_word(std::string_view text, size_t begin, size_t end) {
  const bool before = begin > 0 && is_word(character_at(text, character_before(text, begin)).code);
  return before || (end < text.size() && is_word(character_at(text, end).code));
}

}  // namespace

AddedToken read_added_token(const Object& object) {
  return {.id = static_cast<int32_t>(object.integer("id", 0, Vocabulary::kMostIds - 1)),
          .content = object.text("content"),
          .single_word = object.flag("single_word", false),
          .left = object.flag("lstrip", false),
          .right = object.flag("rstrip", false),
          .normalized = object.flag("normalized", true),
          .special = object.flag("special", false)};
}

Json json_of(const AddedToken& token) {
  return {{"id", token.id},          {"content", token.content}, {"single_word", token.single_word},
          {"lstrip", token.left},    {"rstrip", token.right},    {"normalized", token.normalized},
          {"special", token.special}};
}

AddedTokens::AddedTokens(std::vector<AddedToken> tokens, const Normalizer* normalizer) : tokens_(std::move(tokens)) {
  for (const AddedToken& token : tokens_)
    shown_.push_back(token.normalized ? normalized_content(token, normalizer) : token.content);
  std::vector<std::pair<std::string_view, int32_t>> raw, changed;
  for (size_t i = 0; i < tokens_.size(); ++i) {
    (tokens_[i].normalized ? changed : raw).emplace_back(shown_[i], static_cast<int32_t>(i));
    by_content_.emplace(tokens_[i].content, i), by_id_.emplace(tokens_[i].id, i);
  }
  as_written_ = Trie(std::move(raw)), normalized_ = Trie(std::move(changed));
}

const AddedToken* AddedTokens::find(int32_t id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &tokens_[found->second];
}

const AddedToken* AddedTokens::find(std::string_view content) const {
  const auto found = by_content_.find(content);
  return found == by_content_.end() ? nullptr : &tokens_[found->second];
}

std::vector<Section> AddedTokens::sections(Aligned text, const Normalizer* normalizer) const {
  std::vector<Section> all;
  for (Section& section : cut(text, false)) {
    if (section.token >= 0) {
      all.push_back(std::move(section));
      continue;
    }
    if (normalizer) normalizer->apply(section.text);
    for (Section& inner : cut(section.text, true)) all.push_back(std::move(inner));
  }
  return all;
}

// From left to right, the longest token at each place (Aho & Corasick's leftmost-longest).
std::vector<Section> AddedTokens::cut(const Aligned& aligned, bool normalized) const {
  const std::string_view text = aligned.text();
  std::vector<Section> sections;
  size_t done = 0;
  const auto add = [&](size_t begin, size_t end, int32_t token) {
    if (begin >= end) return;
    const auto size = static_cast<uint32_t>(end - begin);
    sections.push_back({.text = aligned.part(begin, end), .pieces = {{0, size}}, .token = token});
  };
  if (tokens_.empty()) return add(0, text.size(), -1), sections;
  for (size_t at = 0; at < text.size();) {
    size_t length = 0;
    const AddedToken* token = nullptr;
    (normalized ? normalized_ : as_written_).each_prefix(text.substr(at), [&](size_t bytes, int32_t index) {
      length = bytes, token = &tokens_[static_cast<size_t>(index)];
    });
    if (token == nullptr) {
      ++at;
      continue;
    }
    const size_t begin = at, end = at + length;
    at = end;
    if (token->single_word && is_inside_word(text, begin, end)) continue;
    const size_t first = std::max(done, token->left ? white_before(text, begin, done) : begin);
    const size_t last = token->right ? white_after(text, end) : end;
    add(done, first, -1), add(first, last, token->id);
    done = std::max(last, done);
  }
  add(done, text.size(), -1);
  return sections;
}

}  // namespace heed::tokenize
