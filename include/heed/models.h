// Models from sentence to sentence, and of sentences: made by name, trained on batches, run step by step.
//
//   const std::unique_ptr<heed::SequenceModel> model = heed::make_model(
//       "rnn-search", {{"source_words", "100"}, {"target_words", "50"}, {"width", "32"}});
//   const heed::Sentences source = heed::pad({{5, 6, 7}, {8, 9}}), target = heed::pad({{1, 4, 2}, {1, 3, 4}});
//   const heed::Decoded decoded = model->forward(source, target);              // features of all places at once
//   std::cout << decoded.features.shape() << '\n';                              // (2, 3, 32)
//   std::cout << model->read_out(decoded.features).shape() << '\n';             // (2, 3, 50): logits of the next word
#pragma once

#include <heed/nn.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace heed {

// Numbers of tokens, padded at the end.
struct Sentences {
  Tensor ids;             // i64 (B,T)
  Tensor lengths;         // i64 (B)
  Tensor documents = {};  // i64 (B,T): which of the texts that share a row each place belongs to; undefined: one a row

  int64_t count() const { return lengths.dim(0); }
  int64_t longest() const { return ids.dim(1); }
};
Sentences pad(const std::vector<std::vector<int32_t>>& sentences, int32_t padding = 0);
// Several in a row, as many as follow each other within `longest` places.
Sentences pack(const std::vector<std::vector<int32_t>>& texts, int64_t longest, int32_t padding = 0);

// One way through a model.
struct Pass {
  bool training = false;  // dropout works
  bool weights = false;   // attention's weights are wanted
  // (B,T,S): where each place of the target is to look; rows sum to 1, those of zeros do not count. A loss comes of it.
  Tensor alignment = {};
  Watcher* watcher = nullptr;  // looks on, and may interfere
  std::string place = {};      // of the part that this pass is in, where somebody looks on: "decoder.2"

  Pass in(const char* part) const;
  Pass in(const char* part, size_t number) const;
  Watch watch() const;  // the part itself
  Watch watch(const char* name) const;
  Tensor shown(const char* name, const Tensor& x) const;        // x (B,T,width)
  Tensor shown_step(const char* name, const Tensor& x) const;   // x (B,width): one of T
  Tensor shown_steps(const char* name, const Tensor& x) const;  // x (T,B,width)
};

struct Decoded {
  Tensor features;  // (B,T,W): what read_out makes logits of
  Tensor weights;   // (B,T,S) of where each place looked at the source, a mean over heads; where asked for
  Tensor loss;      // of the model's own, one number, to be added to the training loss; undefined: none
};

// Where decoding stands: of each sentence the source, and of each of its rows what was said so far. A sentence has as
// many rows as any other, side by side.
class DecoderState {
 public:
  virtual ~DecoderState() = default;
  virtual void take_rows(const Tensor& rows) = 0;            // i64: row n goes on from what was row rows[n]
  virtual void take_sentences(const Tensor& sentences) = 0;  // the same of the sources alone
};

class AnyModel {
 public:
  virtual ~AnyModel() = default;
  virtual const std::string& name() const = 0;  // of its table: "rnn-search"
  // The configuration by the names of its fields: what make_model and make_classifier take.
  virtual std::map<std::string, std::string> configuration() const = 0;
  virtual NamedTensors weights() = 0;
};

class SequenceModel : public AnyModel {
 public:
  virtual bool has_source() const = 0;  // false: a language model, which gets no source

  // Place t of the result has read the target up to and with its place t.
  virtual Decoded forward(const Sentences& source, const Sentences& target, const Pass& pass = {}) const = 0;
  virtual Tensor read_out(const Tensor& features) const = 0;  // logits (…, words)
  // The cross-entropy of the logits of features (…, W) with the next words (…), which never holds all logits.
  virtual Tensor loss(const Tensor& features, const Tensor& next, const CrossEntropyOptions& options = {}) const = 0;

  // Step by step: the state before the first word, a row a sentence; then ids (rows, n) of what each row says next.
  virtual std::unique_ptr<DecoderState> begin(const Sentences& source, const Pass& pass = {}) const = 0;
  virtual Decoded step(DecoderState& state, const Tensor& ids, const Pass& pass = {}) const = 0;
  // The rows and sentences of `more` stand behind those of `state` from now on, however far either has read. False, and
  // nothing has changed, where rows must have begun together.
  virtual bool join(DecoderState& state, DecoderState& more) const;

  // Tokens that a language model remembers of the text before; it gets them as its source. Of others 0.
  virtual int64_t memory() const { return 0; }
  virtual bool reads_packed() const { return false; }  // targets that share rows
  // Places that it has learned something for: no text is longer. Of most any number.
  virtual int64_t places() const { return INT64_MAX; }
};

// What a text as a whole is said to be.
struct Classified {
  Tensor logits;   // (B,C): of C classes, or C numbers
  Tensor weights;  // (B,S): how much each token counted; where asked for, and where the model weighs them
};

class TextClassifier : public AnyModel {
 public:
  virtual Classified forward(const Sentences& texts, const Pass& pass = {}) const = 0;  // none of them empty
  virtual Tensor embedding() const = 0;  // (words, width), where word vectors are put in
};

// Error naming all there are where there is no such model or no such field, and for a value that does not fit.
std::unique_ptr<SequenceModel> make_model(const std::string& name, const std::map<std::string, std::string>& fields);
std::unique_ptr<TextClassifier> make_classifier(const std::string& name,
                                                const std::map<std::string, std::string>& fields);

// What there is to say of a model and of the fields of its configuration.
struct ModelField {
  std::string name, value, help;  // value: the default
};
struct ModelInfo {
  std::string name, paper, what;
  bool has_source = true;
  std::vector<ModelField> fields;
};
const std::vector<ModelInfo>& models();
const std::vector<ModelInfo>& classifiers();

}  // namespace heed
