// What every classifier of texts is made from: a struct with its configuration, its weights and two functions becomes a
// TextClassifier here.
//
//   struct Model {
//     struct Config { …; void visit(auto&& field); };    // (name, value, help)
//     static constexpr ModelWords kWords;
//     explicit Model(const Config& config);
//     Classified forward(const Sentences& texts, const Pass& pass) const;
//     Tensor embedding() const;
//     void visit(auto&& field);                          // the weights
//   };
#pragma once

#include "models/model.h"

namespace heed::classify {

template <class Model>
class ClassifierOf final : public NamedModelOf<TextClassifier, Model> {
  using NamedModelOf<TextClassifier, Model>::model_;

 public:
  using NamedModelOf<TextClassifier, Model>::NamedModelOf;
  Classified forward(const Sentences& texts, const Pass& pass) const override { return model_.forward(texts, pass); }
  Tensor embedding() const override { return model_.embedding(); }
};

using ClassifierRow = RowOf<TextClassifier>;

template <class Model>
ClassifierRow row_of() {
  return model_row<TextClassifier, ClassifierOf<Model>>();
}

// A room each.
ClassifierRow attention_classifier_row();
ClassifierRow encoder_classifier_row();

}  // namespace heed::classify
