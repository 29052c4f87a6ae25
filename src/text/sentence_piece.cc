// Subwords by the SentencePiece library (Kudo & Richardson 2018): trained, applied, drawn from.
#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <cmath>

#include "base/check.h"
#include "tensor/unicode.h"
#include "text/draw.h"
#include "text/sentence_piece_dropout.h"
#include "text/sentence_piece_proto.h"
#include "text/tokenizer.h"

namespace heed {
namespace tokenize {
namespace {

void check_status(const sentencepiece::util::Status& status, ErrorKind kind, const std::string& where) {
  if (!status.ok()) fail(kind, where, "SentencePiece says: {}", printable(status.message()));
}

class SentencePiece : public Tokenizer::Impl {
 public:
  SentencePiece(std::string_view model, const std::string& where) : about_(look_through(model, where)) {
    try {
      check_status(processor_.LoadFromSerializedProto(model), ErrorKind::format, where);
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {  // its trie's
      fail(ErrorKind::format, where, "SentencePiece says: {}", printable(error.what()));
    }
  }

  std::vector<Token> encode(std::string_view text, const std::string_view* second,
                            const EncodeOptions& options) const override {
    std::vector<Token> tokens;
    add_tokens(text, 0, options, tokens);
    if (second) add_tokens(*second, 1, options, tokens);
    return tokens;
  }

  // The library's shortest way, without places.
  std::vector<int32_t> ids(std::string_view text, const EncodeOptions& options) const override {
    if (options.random) return Impl::ids(text, options);
    std::vector<int> ids;
    check_status(processor_.Encode(text, &ids), ErrorKind::data, "encode");
    return ids;
  }

  std::string decode(std::span<const int32_t> ids, bool skip_special) const override {
    std::string text;
    std::vector<int> run;
    const auto flush = [&] {
      std::string part;
      check_status(processor_.Decode(run, &part), ErrorKind::data, "decode");
      text += part, run.clear();
    };
    for (const int32_t id : ids) {
      if (!processor_.IsControl(id)) {
        run.push_back(id);
        continue;
      }
      if (skip_special) continue;
      flush(), text += processor_.IdToPiece(id);
    }
    flush();
    return text;
  }

  int64_t size() const override { return processor_.GetPieceSize(); }
  std::string token_of(int32_t id) const override { return processor_.IdToPiece(id); }
  bool is_special(int32_t id) const override { return processor_.IsControl(id) || processor_.IsUnknown(id); }
  std::optional<int32_t> id_of(std::string_view token) const override {
    const int id = processor_.PieceToId(token);
    return processor_.IdToPiece(id) == token ? std::optional(id) : std::nullopt;
  }
  std::string to_bytes() const override { return processor_.serialized_model_proto(); }

 private:
  void add_tokens(std::string_view text, int32_t segment, const EncodeOptions& options,
                  std::vector<Token>& tokens) const {
    if (options.random && !about_.bpe) return add_drawn(text, segment, options, tokens);
    sentencepiece::ImmutableSentencePieceText pieces;
    check_status(processor_.Encode(text, pieces.mutable_proto()), ErrorKind::data, "encode");
    if (!options.random) return add(pieces, segment, tokens);
    for (Token token : with_dropout(processor_, pieces, options.alpha, *options.random))
      token.segment = segment, tokens.push_back(token);
  }

  static void add(const sentencepiece::ImmutableSentencePieceText& pieces, int32_t segment,
                  std::vector<Token>& tokens) {
    const size_t count = pieces.pieces_size();
    tokens.reserve(tokens.size() + count);
    for (size_t i = 0; i < count; ++i) {
      const auto piece = pieces.pieces(static_cast<int>(i));
      const auto id = static_cast<int32_t>(piece.id());
      tokens.push_back({.id = id, .segment = segment, .begin = piece.begin(), .end = piece.end()});
    }
  }

  // One of the `best` most probable ways, with probabilities ~ p^alpha (Kudo 2018, section 3.2).
  void add_drawn(std::string_view text, int32_t segment, const EncodeOptions& options,
                 std::vector<Token>& tokens) const {
    check(options.best >= 1 && options.best <= 1024, "encode", "best is {}, wanted 1 to 1024", options.best);
    sentencepiece::ImmutableNBestSentencePieceText ways;  // owns what nbests() shows
    check_status(processor_.NBestEncode(text, static_cast<int>(options.best), ways.mutable_proto()), ErrorKind::data,
                 "encode");
    const auto all = ways.nbests();
    if (all.empty()) return;  // white space alone
    std::vector<double> sums;
    for (const auto& way : all)
      sums.push_back((sums.empty() ? 0 : sums.back()) + std::exp(options.alpha * (way.score() - all[0].score())));
    const double at = uniform(*options.random) * sums.back();
    size_t chosen = 0;
    while (chosen + 1 < sums.size() && sums[chosen] <= at) ++chosen;
    add(all[chosen], segment, tokens);
  }

  SentencePieceAbout about_;
  sentencepiece::SentencePieceProcessor processor_;
};

class Lines : public sentencepiece::SentenceIterator {
 public:
  explicit Lines(std::span<const std::string> texts) : texts_(texts) {}
  bool done() const override { return at_ == texts_.size(); }
  void Next() override { ++at_; }
  const std::string& value() const override { return texts_[at_]; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  std::span<const std::string> texts_;
  size_t at_ = 0;
};

std::string comma_list(const std::vector<std::string>& symbols) {
  std::string list;
  for (const std::string& symbol : symbols) {
    check(symbol.find('"') == std::string::npos && !symbol.empty(), "train_subwords",
          "a symbol is empty or has a quotation mark");
    list += (list.empty() ? "\"" : ",\"") + symbol + '"';
  }
  return list;
}

}  // namespace

std::shared_ptr<const Tokenizer::Impl> sentence_piece_of(std::string_view model, const std::string& where) {
  return std::make_shared<SentencePiece>(model, where);
}

}  // namespace tokenize

Tokenizer train_subwords(std::span<const std::string> texts, const SubwordOptions& options) {
  constexpr const char* kWhere = "train_subwords";
  check(options.size >= 8 && options.size <= tokenize::kMostPieces, kWhere, "{} subwords, wanted 8 to {}", options.size,
        tokenize::kMostPieces);
  check(options.coverage >= 0.98 && options.coverage <= 1, kWhere, "coverage is {}, wanted 0.98 to 1",
        options.coverage);
  std::unordered_map<std::string, std::string> settings = {
      {"model_type", options.model == SubwordModel::bpe ? "bpe" : "unigram"},
      {"vocab_size", std::to_string(options.size)},
      {"hard_vocab_limit", options.exact_size ? "true" : "false"},
      {"character_coverage", std::to_string(options.coverage)},
      {"byte_fallback", options.byte_fallback ? "true" : "false"},
      {"normalization_rule_name", options.form},
      {"pad_id", "0"},
      {"unk_id", "1"},
      {"bos_id", "2"},
      {"eos_id", "3"},
      {"num_threads", "16"},  // its sums depend on them, so their number is always the same
      {"minloglevel", "3"}};  // the library prints nothing
  if (!options.symbols.empty()) settings["user_defined_symbols"] = tokenize::comma_list(options.symbols);
  tokenize::Lines lines(texts);
  std::string model;
  tokenize::check_status(sentencepiece::SentencePieceTrainer::Train(settings, &lines, &model), ErrorKind::data, kWhere);
  return Tokenizer(tokenize::sentence_piece_of(model, kWhere));
}

}  // namespace heed
