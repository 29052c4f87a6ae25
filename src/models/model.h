// What every model of sentences is made from: a struct with its configuration, its weights and three functions becomes
// a SequenceModel here.
//
//   struct Model {
//     struct Config { …; void visit(auto&& field); };    // (name, value, help)
//     static constexpr ModelWords kWords;                // name, paper, what it is
//     struct State {                                     // where decoding stands
//       void visit_sentences(auto&& field);              // tensors (B,…): of the source
//       void visit_rows(auto&& field);                   // tensors (R,…), caches: of what was said
//     };
//     explicit Model(const Config& config);
//     Decoded forward(const Sentences& source, const Sentences& target, const Pass& pass) const;
//     State begin(const Sentences& source, const Pass& pass) const;
//     Decoded step(State& state, const Tensor& ids, const Pass& pass) const;
//     OutputWords output() const;
//     void visit(auto&& field);                          // the weights
//   };
#pragma once

#include <heed/models.h>

#include "models/configuration.h"

namespace heed {

struct ModelWords {
  const char *name, *paper, *what;
  bool has_source = true;
};

// The last layer: a row for each word.
struct OutputWords {
  Tensor weight, bias;
};

inline Tensor dropped(const Tensor& x, double p, const Pass& pass) {
  return pass.training && p > 0 ? dropout(x, p) : x;
}

// What a model is whatever it does: the part of its interface that follows from configuration and weights.
template <class Interface, class Model>
class NamedModelOf : public Interface {
 public:
  using Config = typename Model::Config;
  static constexpr ModelWords kWords = Model::kWords;
  explicit NamedModelOf(const Config& config) : config_(config), model_(config) {}

  const std::string& name() const override {
    static const std::string name = kWords.name;
    return name;
  }
  std::map<std::string, std::string> configuration() const override { return field_texts(config_); }
  NamedTensors weights() override { return named_weights(model_); }

 private:
  Config config_;

 protected:
  Model model_;
};

// A row of a table of models.
template <class Interface>
struct RowOf {
  ModelInfo info;
  std::unique_ptr<Interface> (*make)(const std::map<std::string, std::string>& fields);
};

template <class Interface, class Made>
RowOf<Interface> model_row() {
  constexpr ModelWords words = Made::kWords;
  return {{words.name, words.paper, words.what, words.has_source, fields_of<typename Made::Config>()},
          [](const std::map<std::string, std::string>& fields) -> std::unique_ptr<Interface> {
            return std::make_unique<Made>(configured<typename Made::Config>(Made::kWords.name, fields));
          }};
}

template <class Interface>
std::vector<ModelInfo> infos_of(const std::vector<RowOf<Interface>>& rows) {
  std::vector<ModelInfo> infos;
  for (const RowOf<Interface>& row : rows) infos.push_back(row.info);
  return infos;
}

template <class Interface>
std::unique_ptr<Interface> make_of(const std::vector<RowOf<Interface>>& rows, const std::string& name,
                                   const std::map<std::string, std::string>& fields) {
  std::vector<std::string> names;
  for (const RowOf<Interface>& row : rows) {
    if (row.info.name == name) return row.make(fields);
    names.push_back(row.info.name);
  }
  refuse_choice("model", name, names);
}

namespace sequence {

inline void take(Tensor& tensor, const Tensor& rows) {
  if (tensor.defined()) tensor = index_select(tensor, 0, rows);
}
inline void take(KeyValueCache& cache, const Tensor& rows) { cache.take(rows); }
void take(Visitable auto& fields, const Tensor& rows) {
  fields.visit([&](const char*, auto& field) { take(field, rows); });
}
template <class Field>
void take(std::vector<Field>& fields, const Tensor& rows) {
  for (Field& field : fields) take(field, rows);
}

template <class State>
class StateOf final : public DecoderState {
 public:
  explicit StateOf(State state) : state(std::move(state)) {}
  void take_rows(const Tensor& rows) override {
    state.visit_rows([&](auto& field) { take(field, rows); });
  }
  void take_sentences(const Tensor& sentences) override {
    state.visit_sentences([&](auto& field) { take(field, sentences); });
  }
  State state;
};

template <class Model>
class ModelOf final : public NamedModelOf<SequenceModel, Model> {
  using NamedModelOf<SequenceModel, Model>::model_;

 public:
  using NamedModelOf<SequenceModel, Model>::NamedModelOf;
  using State = StateOf<typename Model::State>;

  bool has_source() const override { return Model::kWords.has_source; }
  int64_t memory() const override {
    if constexpr (requires { model_.memory(); })
      return model_.memory();
    else
      return 0;
  }
  int64_t places() const override {
    if constexpr (requires { model_.places(); })
      return model_.places();
    else
      return SequenceModel::places();
  }
  bool reads_packed() const override {
    return requires { Model::kReadsPacked; };
  }
  Decoded forward(const Sentences& source, const Sentences& target, const Pass& pass) const override {
    check(!target.documents.defined() || reads_packed(), Model::kWords.name, "it does not read texts that share a row");
    Decoded decoded = model_.forward(source, target, pass);
    check(!pass.alignment.defined() || decoded.loss.defined(), Model::kWords.name, "it does not learn from alignments");
    return decoded;
  }
  Tensor read_out(const Tensor& features) const override {
    const OutputWords words = model_.output();
    return linear(features, words.weight, words.bias);
  }
  Tensor loss(const Tensor& features, const Tensor& next, const CrossEntropyOptions& options) const override {
    const OutputWords words = model_.output();
    return linear_cross_entropy(features, words.weight, words.bias, next, options);
  }
  std::unique_ptr<DecoderState> begin(const Sentences& source, const Pass& pass) const override {
    return std::make_unique<State>(model_.begin(source, pass));
  }
  Decoded step(DecoderState& state, const Tensor& ids, const Pass& pass) const override {
    return model_.step(dynamic_cast<State&>(state).state, ids, pass);
  }
};

using ModelRow = RowOf<SequenceModel>;

template <class Model>
ModelRow row_of() {
  return model_row<SequenceModel, ModelOf<Model>>();
}

// A room each.
ModelRow rnn_search_row();
ModelRow luong_row();
ModelRow plain_seq2seq_row();
ModelRow gnmt_row();
ModelRow conv_seq2seq_row();
ModelRow transformer_row();
ModelRow decoder_lm_row();
ModelRow transformer_xl_row();

}  // namespace sequence
}  // namespace heed
