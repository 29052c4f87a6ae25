// Every model against its twin in PyTorch: logits, and the gradient of each weight. Each line of the table is a case of
// golden/make_models.py.
#include <heed/models.h>

#include <set>

#include "support/close.h"

namespace heed {
namespace {

using testing::close;
using Fields = std::map<std::string, std::string>;

struct Case {
  const char *name, *model;
  Fields fields;
};
const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"rnn_search", "rnn-search", {}},
      {"rnn_search_lstm", "rnn-search", {{"cell", "lstm"}}},
      {"luong", "luong", {}},
      {"luong_at_once", "luong", {{"cell", "gru"}, {"layers", "1"}, {"input_feeding", "false"}}},
      {"luong_local_m", "luong", {{"cell", "gru"}, {"layers", "1"}, {"span", "local_m"}, {"reach", "1"}}},
      {"luong_local_p",
       "luong",
       {{"cell", "gru"}, {"layers", "1"}, {"input_feeding", "false"}, {"span", "local_p"}, {"reach", "1"}}},
      {"plain_seq2seq", "plain-seq2seq", {}},
      {"gnmt", "gnmt", {{"layers", "3"}}},
      {"conv_seq2seq", "conv-seq2seq", {{"layers", "2"}, {"longest", "5"}}},
      {"transformer_xl", "transformer-xl", {{"layers", "2"}, {"heads", "2"}}},
      {"conv_seq2seq_even", "conv-seq2seq", {{"layers", "1"}, {"kernel", "2"}, {"longest", "5"}}},
  };
  return all;
}

const TensorFile& golden() {
  static const TensorFile file = load_npz(HEED_GOLDEN "/models.npz");
  return file;
}

// Those whose names begin so, without that.
TensorFile all_of(const std::string& beginning) {
  TensorFile found;
  for (const auto& [name, tensor] : golden().tensors)
    if (name.starts_with(beginning)) found.tensors.emplace_back(name.substr(beginning.size()), tensor);
  return found;
}

bool has_source(const std::string& name) {
  const auto of_name = [&](const ModelInfo& info) { return info.name == name; };
  return std::find_if(models().begin(), models().end(), of_name)->has_source;
}

std::unique_ptr<SequenceModel> made(const Case& each) {
  Fields fields = each.fields;
  fields.merge(Fields{{"width", "6"}, {"target_words", "5"}});
  if (has_source(each.model)) fields["source_words"] = "7";
  auto model = make_model(each.model, fields);
  const std::string name = each.name;
  copy_weights("models.npz", all_of(name + "/weight/"), model->weights());
  return model;
}

TEST(GoldenModels, EveryCaseOfTheFileIsInTheTable) {
  std::set<std::string> table, file;
  for (const Case& each : cases()) table.insert(each.name);
  for (const auto& [name, tensor] : golden().tensors)
    if (const size_t at = name.find('/'); at != std::string::npos) file.insert(name.substr(0, at));
  EXPECT_EQ(file, table);
}

TEST(GoldenModels, LogitsAndGradientsEqualPyTorch) {
  const auto sentences = [](const std::string& name) { return Sentences{golden()[name], golden()[name + "_lengths"]}; };
  for (const Case& each : cases()) {
    SCOPED_TRACE(each.name);
    const std::string name = each.name;
    const auto model = made(each);
    const Sentences source = sentences(model->has_source() ? "source" : "before"), target = sentences("target");
    const Tensor inside = to(not_equal(golden()[name + "/seed"], 0), Dtype::f32);
    const Tensor logits = model->read_out(model->forward(source, target).features) * inside;
    EXPECT_TRUE(close(logits.values(), golden()[name + "/logits"].values(), 1e-5));
    backward(sum(logits * golden()[name + "/seed"]));
    const TensorFile gradients = all_of(name + "/gradient/");
    for (const auto& [weight, tensor] : model->weights())
      EXPECT_TRUE(close(tensor.grad().values(), gradients[weight].values(), 1e-4)) << weight;
  }
}

}  // namespace
}  // namespace heed
