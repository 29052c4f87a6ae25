// Sentences that go on together, and where the model stands with them. Each has as many rows of the decoder's state as
// any other, side by side: its k-th hypothesis that goes on stands in the k-th of them, and where a sentence has fewer,
// nobody asks the others.
#pragma once

#include <memory>
#include <vector>

#include "generate/sentence.h"

namespace heed::decoding {

struct Turn {  // of a hypothesis that goes on
  const Sentence* sentence;
  const Live* hypothesis;
};

class Batch {
 public:
  // Sentences of one length so far, all of which is read but the last token.
  Batch(const SequenceModel& model, const Sentences& source, std::vector<Sentence> sentences);

  std::vector<Sentence>& sentences() { return sentences_; }
  int64_t rows() const { return rows_; }
  std::vector<Turn> turns() const;
  Tensor read(const std::vector<Turn>& turns);  // the last token of each; gives the features (turns,1,W) of these
  std::vector<Sentence> take_done();            // those of which nothing goes on; the others go on without them
  // Behind these, nothing of which has been said yet. False: the model wants them apart. After that, and after an
  // Error, these are as they were.
  bool join(Batch& more);

 private:
  Tensor read(int64_t count, int64_t left);  // of each, so many up to the last `left` places; features (rows,count,W)
  void take_rows(int64_t width);

  const SequenceModel* model_;
  std::unique_ptr<DecoderState> state_;
  std::vector<Sentence> sentences_;
  int64_t width_ = 1, rows_;  // rows a sentence, and of all
};

}  // namespace heed::decoding
