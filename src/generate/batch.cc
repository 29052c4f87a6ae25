#include "generate/batch.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace heed::decoding {
namespace {

Tensor tensor_of(const std::vector<int64_t>& rows) { return tensor_from(rows, {std::ssize(rows)}); }
bool all_in_place(const std::vector<int64_t>& rows, int64_t count) {
  for (size_t n = 0; n < rows.size(); ++n)
    if (rows[n] != static_cast<int64_t>(n)) return false;
  return std::ssize(rows) == count;
}

// A begin, where there is one, and all that was said.
int64_t places(const Sentence& sentence) {
  return std::ssize(sentence.live[0].ids) + (sentence.options().begin ? 1 : 0);
}
int32_t token(const Sentence& sentence, const Live& hypothesis, int64_t place) {
  const std::optional<int32_t> begin = sentence.options().begin;
  if (!begin) return hypothesis.ids[static_cast<size_t>(place)];
  return place == 0 ? *begin : hypothesis.ids[static_cast<size_t>(place - 1)];
}

}  // namespace

Batch::Batch(const SequenceModel& model, const Sentences& source, std::vector<Sentence> sentences)
    : model_(&model), state_(model.begin(source)), sentences_(std::move(sentences)), rows_(std::ssize(sentences_)) {
  for (int64_t n = 0; n < rows_; ++n) sentences_[static_cast<size_t>(n)].live[0].row = n;
  if (const int64_t before = places(sentences_[0]) - 1; before > 0) read(before, 1);
}

std::vector<Turn> Batch::turns() const {
  std::vector<Turn> turns;
  for (const Sentence& sentence : sentences_)
    for (const Live& hypothesis : sentence.live) turns.push_back({&sentence, &hypothesis});
  return turns;
}

Tensor Batch::read(int64_t count, int64_t left) {
  std::vector<int64_t> ids;
  bool looks = false;
  for (const Sentence& sentence : sentences_) {
    const int64_t until = places(sentence) - left;
    for (int64_t k = 0; k < width_; ++k) {
      const Live& hypothesis = sentence.live[k < std::ssize(sentence.live) ? static_cast<size_t>(k) : 0];
      for (int64_t place = until - count; place < until; ++place) ids.push_back(token(sentence, hypothesis, place));
    }
    looks |= wants_looks(sentence.options());
  }
  const Decoded decoded = model_->step(*state_, tensor_from(ids, {rows_, count}), {.weights = looks});
  if (!looks) return decoded.features;
  check(decoded.weights.defined(), "search", "{} looks at no place of its source: it has no alignment", model_->name());
  for (int64_t t = 0; t < count; ++t) {
    const Tensor weights = decoded.weights.select(1, t).to(Dtype::f32).packed();
    for (Sentence& sentence : sentences_)
      for (Live& hypothesis : sentence.live)
        if (wants_looks(sentence.options())) hypothesis.looks.push_back({weights, hypothesis.row});
  }
  return decoded.features;
}

Tensor Batch::read(const std::vector<Turn>& turns) {
  const Tensor features = read(1, 0);
  std::vector<int64_t> rows;
  for (const Turn& turn : turns) rows.push_back(turn.hypothesis->row);
  return all_in_place(rows, rows_) ? features : index_select(features, 0, tensor_of(rows));
}

std::vector<Sentence> Batch::take_done() {
  std::vector<Sentence> done;
  std::vector<int64_t> stay;
  for (size_t n = 0; n < sentences_.size(); ++n) {
    if (sentences_[n].live.empty())
      done.push_back(std::move(sentences_[n]));
    else
      stay.push_back(static_cast<int64_t>(n));
  }
  if (stay.empty()) {
    sentences_.clear();
    return done;
  }
  if (!done.empty()) {
    state_->take_sentences(tensor_of(stay));
    std::vector<Sentence> left;
    for (const int64_t n : stay) left.push_back(std::move(sentences_[static_cast<size_t>(n)]));
    sentences_ = std::move(left);
  }
  int64_t widest = 0;
  for (const Sentence& sentence : sentences_) widest = std::max(widest, std::ssize(sentence.live));
  take_rows(widest);
  return done;
}

bool Batch::join(Batch& more) {
  more.take_rows(width_);
  sentences_.reserve(sentences_.size() + more.sentences_.size());
  if (!model_->join(*state_, *more.state_)) return false;
  for (Sentence& sentence : more.sentences_) {
    for (Live& hypothesis : sentence.live) hypothesis.row += rows_;
    sentences_.push_back(std::move(sentence));
  }
  rows_ += more.rows_;
  return true;
}

// Rows that nobody asks stay where they are, so that nothing moves while hypotheses go on side by side.
void Batch::take_rows(int64_t width) {
  const bool stay = rows_ == std::ssize(sentences_) * width;
  std::vector<int64_t> rows;
  for (Sentence& sentence : sentences_) {
    const int64_t first = sentence.live[0].row;
    for (int64_t k = 0; k < width; ++k) {
      const int64_t row = std::ssize(rows);
      if (k < std::ssize(sentence.live))
        rows.push_back(std::exchange(sentence.live[static_cast<size_t>(k)].row, row));
      else
        rows.push_back(stay ? row : first);
    }
  }
  if (!all_in_place(rows, rows_)) state_->take_rows(tensor_of(rows));
  width_ = width, rows_ = std::ssize(rows);
}

}  // namespace heed::decoding
