#include "tasks/marian_tokens.h"

#include <filesystem>
#include <vector>

#include "base/check.h"
#include "models/field_values.h"
#include "tasks/run_folder.h"
#include "tensor/file.h"
#include "text/sentence_piece_proto.h"
#include "text/vocabulary.h"

namespace heed {
namespace {

struct MarianPaths {
  std::string folder;
  std::string source() const { return folder + "/source.spm"; }
  std::string target() const { return folder + "/target.spm"; }
  std::string vocabulary() const { return folder + "/vocab.json"; }
  std::string target_vocabulary() const { return folder + "/target_vocab.json"; }
  std::string settings() const { return folder + "/tokenizer_config.json"; }
};

// ">>fr<<" says which language is wanted, before the text is cut; as a piece it stands for the space before it too.
constexpr std::string_view kSpace = "▁";
std::string piece_of(const std::string& token) {
  const bool code = token.starts_with(">>") && token.ends_with("<<");
  return code ? std::string(kSpace) + token : token;
}
std::string token_of(const std::string& piece) {
  return piece_of(piece.substr(std::min(piece.size(), kSpace.size()))) == piece ? piece.substr(kSpace.size()) : piece;
}

std::vector<std::string> pieces_in_order(const std::string& path) {
  const Json numbers = read_json(path);
  check_format(numbers.size() <= tokenize::Vocabulary::kMostIds, path, "numbers {} pieces", numbers.size());
  std::vector<std::string> pieces(numbers.size());
  for (const auto& [token, number] : numbers.items()) {
    const auto id = number.is_number_integer() ? number.get<int64_t>() : int64_t{-1};
    check_format(!token.empty() && id >= 0 && id < static_cast<int64_t>(pieces.size()) &&
                     pieces[static_cast<size_t>(id)].empty(),
                 path, "piece {} has the number {}, wanted 0 to {}, each once", value_text(Json(token)),
                 value_text(number), pieces.size() - 1);
    pieces[static_cast<size_t>(id)] = piece_of(token);
  }
  return pieces;
}

Tokenizer read_one(const std::string& model, const std::string& vocabulary) {
  const Bytes bytes = read_file(model);
  const std::string_view content(reinterpret_cast<const char*>(bytes.data), static_cast<size_t>(bytes.size));
  return Tokenizer::from_bytes(tokenize::renumbered(content, pieces_in_order(vocabulary), model), model);
}

Json numbers_of(const Tokenizer& tokenizer) {
  Json numbers = Json::object();
  for (int32_t id = 0; id < tokenizer.size(); ++id) numbers[token_of(tokenizer.token_of(id))] = id;
  return numbers;
}

}  // namespace

bool has_marian_tokenizers(const std::string& folder) { return std::filesystem::exists(MarianPaths{folder}.source()); }

Tokenizers read_marian_tokenizers(const std::string& folder) {
  const MarianPaths paths{folder};
  const bool two = std::filesystem::exists(paths.target_vocabulary());
  const Tokenizer source = read_one(paths.source(), paths.vocabulary());
  const Tokenizer target = read_one(paths.target(), two ? paths.target_vocabulary() : paths.vocabulary());
  if (source.to_bytes() == target.to_bytes()) return {source, source, VocabularyKind::joint};
  return {source, target};
}

bool is_sentence_piece(const Tokenizers& tokenizers) {
  return !is_json(tokenizers.source) && !is_json(tokenizers.target);
}

void write_marian_tokenizers(const Tokenizers& tokenizers, int64_t longest, const std::string& folder) {
  const MarianPaths paths{folder};
  const Json source = numbers_of(tokenizers.source), target = numbers_of(tokenizers.target);
  tokenizers.source.save(paths.source()), tokenizers.target.save(paths.target());
  write_json(paths.vocabulary(), source);
  const Json settings = {{"tokenizer_class", "MarianTokenizer"},
                         {"model_max_length", longest},
                         {"separate_vocabs", source != target},
                         {"unk_token", "<unk>"},
                         {"eos_token", "</s>"},
                         {"pad_token", "<pad>"}};
  if (source != target) write_json(paths.target_vocabulary(), target);
  write_json(paths.settings(), settings);
}

}  // namespace heed
