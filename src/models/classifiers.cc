// The table of classifiers.
#include "models/classifier.h"

namespace heed {
namespace {

const std::vector<classify::ClassifierRow>& classifier_rows() {
  static const std::vector<classify::ClassifierRow> all = {
      classify::attention_classifier_row(),
      classify::encoder_classifier_row(),
  };
  return all;
}

}  // namespace

const std::vector<ModelInfo>& classifiers() {
  static const std::vector<ModelInfo> all = infos_of(classifier_rows());
  return all;
}

std::unique_ptr<TextClassifier> make_classifier(const std::string& name,
                                                const std::map<std::string, std::string>& fields) {
  return make_of(classifier_rows(), name, fields);
}

}  // namespace heed
