// Text: tokenisers that know which bytes of the input each token came from, and word vectors.
//
//   const std::vector<std::string> texts = {"The cat sat.", "The dog sat, too."};
//   const heed::Tokenizer words = heed::train_tokenizer(texts, {.lower = true});
//   for (const heed::Token& token : words.encode("the cat"))
//     std::cout << words.token_of(token.id) << ' ' << token.begin << '-' << token.end << '\n';
//   std::cout << words.decode(words.ids("the dog sat, too.")) << '\n';   // the dog sat, too.
//   words.save("tokenizer.json");
//   const heed::Tokenizer again = heed::Tokenizer::load("tokenizer.json");
//
// tokenizer.json is read and written as Hugging Face's tokenizers do: word level, byte-level BPE, WordPiece and
// Unigram, their normalisers, pre-tokenisers, post-processors and decoders. What is not supported is refused by name.
// The files of the SentencePiece library are read, trained and applied with that library.
//
// What such a file says of truncation and padding is kept and written again, but not applied: a text gives all of its
// tokens, and batches carry lengths.
//
// Input may be any bytes. What is no UTF-8 becomes U+FFFD, as Python's decode(errors="replace") makes it; only a
// tokeniser of bytes keeps it.
#pragma once

#include <heed/random.h>
#include <heed/tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace heed {

struct Token {
  int32_t id = 0;
  int32_t segment = 0;         // 1: of the second text of a pair
  bool special = false;        // added by the tokeniser, or an added token that is special
  int64_t begin = 0, end = 0;  // bytes of the text that it came from; none for what was added
};

struct EncodeOptions {
  bool add_special = true;   // the tokens that the model wants around a text
  Random* random = nullptr;  // not null: one of several ways to cut the text is drawn (Kudo 2018; BPE-dropout)
  double alpha = 0.1;        // SentencePiece: how sharp that choice is (unigram), or the share of merges left out (BPE)
  int64_t best = 64;         // SentencePiece unigram: so many of the most probable ways are drawn from
};

struct DecodeOptions {
  bool skip_special = true;
  bool valid_utf8 = true;  // false: bytes as they were, where the tokeniser keeps them
};

// A value; copies share the same tables. Any number of threads may use one.
class Tokenizer {
 public:
  struct Impl;
  explicit Tokenizer(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

  // A tokenizer.json or a SentencePiece model, told apart by their content.
  static Tokenizer load(const std::string& path);
  static Tokenizer from_bytes(std::string_view content, const std::string& where);
  void save(const std::string& path) const;
  std::string to_bytes() const;

  std::vector<Token> encode(std::string_view text, const EncodeOptions& options = {}) const;
  std::vector<Token> encode_pair(std::string_view first, std::string_view second,
                                 const EncodeOptions& options = {}) const;
  // Many texts on all threads; `random` gives each text a stream of its own.
  std::vector<std::vector<Token>> encode_all(std::span<const std::string> texts,
                                             const EncodeOptions& options = {}) const;
  std::vector<int32_t> ids(std::string_view text, const EncodeOptions& options = {}) const;
  std::string decode(std::span<const int32_t> ids, const DecodeOptions& options = {}) const;

  int64_t size() const;  // ids are below it
  std::optional<int32_t> id_of(std::string_view token) const;
  std::string token_of(int32_t id) const;  // Error(usage) for an id beyond size(); "" for one that has no token
  bool is_special(int32_t id) const;

 private:
  std::shared_ptr<const Impl> impl_;
};

// What a text is cut into. words: ICU's rules and dictionaries, for Chinese, Japanese and Thai too; characters: code
// points; whitespace: what stands between white space; bytes: 256 tokens and no unknown one.
enum class Cut { words, characters, whitespace, bytes };
enum class Form { none, nfc, nfkc };

struct VocabularyOptions {
  int64_t size = 0;   // tokens at most, the special ones included; 0: all
  int64_t least = 1;  // a word that is seen less often is unknown
  std::vector<std::string> special = {"<pad>", "<unk>", "<s>", "</s>"};  // the first ids
  std::string unknown = "<unk>";                                         // one of them
};

struct TokenizerOptions {
  Cut cut = Cut::words;
  Form form = Form::nfc;
  bool lower = false;
  // words: a space stays with the word behind it (▁the), so that decoding gives the text back. false: words are joined
  // by a space again.
  bool keep_spaces = true;
  // For classification, with words: these go ("en", "zh" or a file with a word a line), and words are cut to their
  // stems (a language of Snowball's). Spaces are not kept then.
  std::string stop_words = "", stem = "";
  VocabularyOptions vocabulary = {};
};

// A tokeniser whose vocabulary is what the texts hold, the most frequent first. For a joint vocabulary of several
// languages hand over all texts at once.
Tokenizer train_tokenizer(std::span<const std::string> texts, const TokenizerOptions& options = {});

// Subwords, by the SentencePiece library.
enum class SubwordModel { unigram, bpe };
struct SubwordOptions {
  SubwordModel model = SubwordModel::unigram;
  int64_t size = 8000;
  bool exact_size = false;                // an error where the texts do not give so many; else fewer are fine
  double coverage = 0.9995;               // share of characters that become tokens
  bool byte_fallback = false;             // other characters become bytes
  std::string form = "nmt_nfkc";          // or identity, nfkc, nfkc_cf, nmt_nfkc_cf
  std::vector<std::string> symbols = {};  // tokens that are never cut
};
Tokenizer train_subwords(std::span<const std::string> texts, const SubwordOptions& options = {});

// Word vectors of word2vec (text or binary) and GloVe files.
enum class VectorFormat { detect, word2vec_text, word2vec_binary, glove };
struct WordVectorOptions {
  VectorFormat format = VectorFormat::detect;
  int64_t most = 0;                   // of the file's words, from the beginning; 0: all
  const Tokenizer* wanted = nullptr;  // only words that are its tokens
};
struct WordVectors {
  std::vector<std::string> words;
  Tensor vectors;  // (words, width), f32
};
WordVectors load_word_vectors(const std::string& path, const WordVectorOptions& options = {});

// A row for each id of the tokeniser: its word's vector (▁ aside; else that of the word in small letters), or normal
// numbers of the vectors' own deviation where there is none.
struct WordEmbedding {
  Tensor weight;                 // (size, width), f32
  std::vector<int32_t> missing;  // ids without a vector
};
WordEmbedding embedding_of(const Tokenizer& tokenizer, const WordVectors& vectors, Random& from = random());

}  // namespace heed
