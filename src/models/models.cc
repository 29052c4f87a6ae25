// The table of models.
#include <algorithm>

#include "models/model.h"

namespace heed {
namespace {

const std::vector<sequence::ModelRow>& sequence_rows() {
  static const std::vector<sequence::ModelRow> all = {
      sequence::rnn_search_row(), sequence::luong_row(),          sequence::plain_seq2seq_row(),
      sequence::gnmt_row(),       sequence::conv_seq2seq_row(),   sequence::transformer_row(),
      sequence::decoder_lm_row(), sequence::transformer_xl_row(),
  };
  return all;
}

}  // namespace

const std::vector<ModelInfo>& models() {
  static const std::vector<ModelInfo> all = infos_of(sequence_rows());
  return all;
}

bool SequenceModel::join(DecoderState&, DecoderState&) const { return false; }

std::unique_ptr<SequenceModel> make_model(const std::string& name, const std::map<std::string, std::string>& fields) {
  return make_of(sequence_rows(), name, fields);
}

Sentences pad(const std::vector<std::vector<int32_t>>& sentences, int32_t padding) {
  size_t longest = 0;
  for (const auto& sentence : sentences) longest = std::max(longest, sentence.size());
  const auto count = static_cast<int64_t>(sentences.size()), width = static_cast<int64_t>(longest);
  Sentences batch{Tensor::full({count, width}, padding, Dtype::i64), Tensor({count}, Dtype::i64)};
  for (size_t n = 0; n < sentences.size(); ++n) {
    std::copy(sentences[n].begin(), sentences[n].end(), batch.ids.data<int64_t>() + n * longest);
    batch.lengths.data<int64_t>()[n] = static_cast<int64_t>(sentences[n].size());
  }
  return batch;
}

Sentences pack(const std::vector<std::vector<int32_t>>& texts, int64_t longest, int32_t padding) {
  std::vector<std::vector<int32_t>> rows, documents;
  for (size_t n = 0; n < texts.size(); ++n) {
    if (rows.empty() || std::ssize(rows.back()) + std::ssize(texts[n]) > longest)
      rows.emplace_back(), documents.emplace_back();
    rows.back().insert(rows.back().end(), texts[n].begin(), texts[n].end());
    documents.back().insert(documents.back().end(), texts[n].size(), static_cast<int32_t>(n));
  }
  Sentences batch = pad(rows, padding);
  batch.documents = pad(documents, static_cast<int32_t>(texts.size())).ids;  // the padding: a text of its own
  return batch;
}

}  // namespace heed
