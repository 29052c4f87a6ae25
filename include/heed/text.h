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

// ---- rows of files -------------------------------------------------------------------------------------
//
// Rows of text files, one after the other: plain text, parallel text, TSV, CSV and JSON lines, each also compressed by
// gzip. Memory is bounded by the longest line, however large the file.
//
//   std::ofstream("pairs.tsv") << "en\tde\nthe house\tdas Haus\nno second column\nthe cat\tdie Katze\n";
//   heed::RowReader pairs = heed::read_tsv("pairs.tsv", {.columns = {"de", "en"}, .bad_lines = heed::BadLines::skip});
//   heed::Row row;
//   while (pairs.next(&row)) std::cout << row.line << ": " << row.values[0] << " | " << row.values[1] << '\n';
//   std::cout << pairs.bad().count << " bad: " << pairs.bad().named[0] << '\n';   // pairs.tsv:3: 1 column, wanted 2
//
// And rows without a file, to try a model on: line n of a seed is always the same.
//
//   for (const heed::Row& row : heed::made_data("dates", 3, {.seed = 7, .language = heed::MadeLanguage::english}))
//     std::cout << row.values[0] << " -> " << row.values[1] << '\n';   // 19th December 2069 -> 2069-12-19 …
//
// Lines end in LF or CRLF, also the last one or not; a byte order mark is passed over. A line is bad that is no UTF-8,
// longer than allowed, or breaks the rules of its format.

enum class BadLines { refuse, skip };  // Error(data) that names file and line; or counted and passed over

struct RowOptions {
  std::vector<std::string> columns = {};  // those wanted, in this order; none: all, as the file has them
  bool header = true;                     // TSV and CSV: the first line names the columns; false: they are "0", "1" …
  BadLines bad_lines = BadLines::refuse;
  int64_t longest = int64_t{1} << 20;  // bytes of a line; of CSV: of a row
};

struct Row {
  int64_t line = 0;  // where it begins, from 1
  std::vector<std::string> values;
};

struct BadRows {
  int64_t count = 0;
  std::vector<std::string> named;  // the first ten: file, line, what is wrong
};

class RowReader {
 public:
  struct Impl;
  explicit RowReader(std::unique_ptr<Impl> impl);
  ~RowReader();
  RowReader(RowReader&&) noexcept;
  RowReader& operator=(RowReader&&) noexcept;

  const std::vector<std::string>& columns() const;
  bool next(Row* row);  // false at the end of the file
  const BadRows& bad() const;

 private:
  std::unique_ptr<Impl> impl_;
};

// A column, "text". Empty lines are rows too.
RowReader read_lines(const std::string& path, const RowOptions& options = {});
// Two columns, "source" and "target": line n of one file and line n of the other. Pairs of empty lines are passed over,
// a line that only one file has a text for is bad; files of unequal length are always refused.
RowReader read_parallel(const std::string& source, const std::string& target, const RowOptions& options = {});
// Columns between tabs, without quotes. Empty lines are passed over, here and in the formats below.
RowReader read_tsv(const std::string& path, const RowOptions& options = {});
// RFC 4180: columns between commas; in quotes they may hold commas, line ends and doubled quotes.
RowReader read_csv(const std::string& path, const RowOptions& options = {});
// An object a line. Columns are keys; a text is itself, everything else its JSON. Without `columns`: the first line's.
RowReader read_json_lines(const std::string& path, const RowOptions& options = {});

// ---- made data -------------------------------------------------------------------------------------------

enum class MadeLanguage { english, chinese, both };  // both: half of the lines each
struct Lengths {
  int64_t least = 0, most = 0;  // both included
};
struct MadeOptions {
  uint64_t seed = 1;
  std::optional<Lengths> length = {};         // digits of numbers, clauses of reviews, letters of copy and reverse
  std::optional<MadeLanguage> language = {};  // of dates, numbers, reviews; both
  bool marked = false;                        // reviews: a third column, the text with «» around what decides
};
// name: dates (a written date, and as 2004-05-03), numbers (words and digits, either way round), reviews (positive or
// negative, and the text), copy, reverse (random letters, and the answer). Line n depends on (seed, n) alone.
std::vector<Row> made_data(const std::string& name, int64_t lines, const MadeOptions& options = {});

}  // namespace heed
