// What every model of sentences is made from: a struct with its configuration, its weights and three functions becomes
// a SequenceModel here.
//
//   struct Model {
//     struct Config { …; void visit(auto&& field); };    // (name, value, help)
//     static constexpr ModelWords kWords;                // name, paper, what it is
//     struct State {                                     // where decoding stands
//       void visit_sentences(auto&& field);              // tensors (B,…): of the source
//       void visit_rows(auto&& field);                   // tensors (R,…), what was read: of what was said
//     };
//     explicit Model(const Config& config);
//     Decoded forward(const Sentences& source, const Sentences& target, const Pass& pass) const;
//     State begin(const Sentences& source, const Pass& pass) const;
//     Decoded step(State& state, const Tensor& ids, const Pass& pass) const;
//     OutputWords output() const;
//     void visit(auto&& field);                          // the weights
//     bool joins() const;                                // optional: do rows go on beside others that began later?
//   };
#pragma once

#include <heed/models.h>

#include "models/configuration.h"
#include "models/text_read.h"

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
inline void take(TextRead& read, const Tensor& rows) { read.take(rows); }
inline void take(Places& places, const Tensor& rows) { places.take(rows); }
void take(Visitable auto& fields, const Tensor& rows) {
  fields.visit([&](const char*, auto& field) { take(field, rows); });
}
template <class Field>
void take(std::vector<Field>& fields, const Tensor& rows) {
  for (Field& field : fields) take(field, rows);
}

// Each field that `visit` shows of a, with the same of b.
template <class State, class Visit, class Body>
void with_each(State& a, State& b, const Visit& visit, const Body& body) {
  std::vector<void*> others;
  visit(b, [&](auto& field) { others.push_back(&field); });
  auto other = others.begin();
  visit(a, [&]<class Field>(Field& field) { body(field, *static_cast<Field*>(*other++)); });
}

void join(Tensor& a, const Tensor& b);  // zeros stand behind what is shorter
inline void join(TextRead& a, const TextRead& b) { a.join(b); }
inline void join(Places& a, const Places& b) { a.join(b); }
template <Visitable Fields>
void join(Fields& a, Fields& b) {
  with_each(
      a, b, [](Fields& fields, auto&& field) { fields.visit([&](const char*, auto& each) { field(each); }); },
      [](auto& mine, auto& other) { join(mine, other); });
}
template <class Field>
void join(std::vector<Field>& a, std::vector<Field>& b) {
  for (size_t n = 0; n < a.size(); ++n) join(a[n], b[n]);
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
  // All of it or, after an Error, nothing: the copy's fields get new tensors.
  void join(StateOf& more) {
    State all = state;
    const auto join_both = [](auto& mine, auto& other) { sequence::join(mine, other); };
    with_each(
        all, more.state, [](State& of, auto&& field) { of.visit_sentences(field); }, join_both);
    with_each(
        all, more.state, [](State& of, auto&& field) { of.visit_rows(field); }, join_both);
    state = std::move(all);
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
  bool join(DecoderState& state, DecoderState& more) const override {
    if constexpr (requires { model_.joins(); })
      if (!model_.joins()) return false;
    dynamic_cast<State&>(state).join(dynamic_cast<State&>(more));
    return true;
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
