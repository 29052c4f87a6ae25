// Checkpoints of Hugging Face's transformers: read, they give their logits; written again, they are the same files.
// Each folder is a case of golden/make_hugging_face.py.
#include "models/hugging_face/hugging_face.h"

#include <filesystem>
#include <fstream>

#include "support/close.h"
#include "support/gradcheck.h"

namespace heed::hugging_face {
namespace {

using testing::close;
using testing::complains;
using Json = nlohmann::json;

const std::string kFolder = HEED_GOLDEN "/hugging_face";

std::vector<std::string> cases() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}
Checkpoint checkpoint(const std::string& name) {
  std::ifstream config(kFolder + "/" + name + "/config.json");
  return {Json::parse(config), load_safetensors(kFolder + "/" + name + "/model.safetensors")};
}

Sentences whole(const Tensor& ids) { return {ids, Tensor::full({ids.dim(0)}, ids.dim(1), Dtype::i64)}; }
Sentences nothing(const Tensor& said) {
  return {Tensor({said.dim(0), 0}, Dtype::i64), Tensor::zeros({said.dim(0)}, Dtype::i64)};
}

class HuggingFace : public ::testing::TestWithParam<std::string> {};

TEST_P(HuggingFace, LogitsAreTheirs) {
  const NoGrad scope;
  const auto model = read(GetParam(), checkpoint(GetParam()));
  const TensorFile golden = load_npz(kFolder + "/" + GetParam() + "/logits.npz");
  const Tensor& said = golden["said"];
  const Sentences source = golden.contains("source") ? whole(golden["source"]) : nothing(said);
  const Tensor logits = model->read_out(model->forward(source, whole(said)).features);
  EXPECT_TRUE(close(logits.values(), golden["logits"].values(), 1e-4));
}

TEST_P(HuggingFace, WrittenAgainItIsTheSame) {
  const Checkpoint before = checkpoint(GetParam());
  const Checkpoint again = written(*read(GetParam(), before), before.config);
  EXPECT_EQ(again.config, before.config);
  ASSERT_EQ(again.weights.tensors.size(), before.weights.tensors.size());
  for (const auto& [name, tensor] : before.weights.tensors) {
    EXPECT_EQ(again.weights[name].shape(), tensor.shape()) << name;
    EXPECT_EQ(again.weights[name].values(), tensor.values()) << name;
  }
}

// Of a model that comes from nowhere all that matters is said: read back it is the same model.
TEST_P(HuggingFace, WrittenWithoutAnOriginItIsTheSameModel) {
  const auto model = read(GetParam(), checkpoint(GetParam()));
  const Checkpoint anew = written(*model);
  const Json original = checkpoint(GetParam()).config;
  for (const auto& [entry, value] : anew.config.items())
    if (!original.at(entry).is_null()) {  // null: what follows from other entries
      EXPECT_EQ(value, original.at(entry)) << entry;
    }
  EXPECT_EQ(read(GetParam(), anew)->configuration(), model->configuration());
}

INSTANTIATE_TEST_SUITE_P(All, HuggingFace, ::testing::ValuesIn(cases()), [](const auto& info) { return info.param; });

// ---- refused, with the reason --------------------------------------------------------------------------------------

Checkpoint with(const std::string& name, const std::string& entry, const Json& value) {
  Checkpoint changed = checkpoint(name);
  changed.config[Json::json_pointer("/" + entry)] = value;
  return changed;
}
::testing::AssertionResult refused(const Checkpoint& checkpoint, const std::vector<std::string>& words) {
  return complains([&] { read("there", checkpoint); }, words);
}

TEST(HuggingFaceReading, WhatHeedHasNoCounterpartForIsNamed) {
  EXPECT_TRUE(refused(with("gpt2", "model_type", "gpt_bigcode"), {"there", "gpt_bigcode", "gpt2, llama, marian"}));
  EXPECT_TRUE(
      refused(with("gpt2", "activation_function", "quick_gelu"), {"activation_function", "quick_gelu", "relu"}));
  EXPECT_TRUE(
      refused(with("gpt2", "scale_attn_by_inverse_layer_idx", true), {"scale_attn_by_inverse_layer_idx", "false"}));
  EXPECT_TRUE(refused(with("gpt2", "embd_pdrop", 0.3), {"embd_pdrop", "0.3", "0.1"}));
  EXPECT_TRUE(refused(with("llama", "rope_parameters/rope_type", "longrope"), {"rope_type", "longrope", "llama3"}));
  EXPECT_TRUE(refused(with("llama", "rope_parameters/rope_type", 7), {"rope_type", "7", "default"}));
  EXPECT_TRUE(refused(with("llama", "rope_parameters/rope_type", "yarn"), {"rope_parameters/factor", "missing"}));
  EXPECT_TRUE(refused(with("llama", "rope_parameters/mscale", 0.7), {"rope_parameters/mscale", "0.7", "nothing"}));
  EXPECT_TRUE(refused(with("llama", "head_dim", 8), {"q_proj.weight", "rows (16, 16)", "(32, 16)"}));
  EXPECT_TRUE(refused(with("llama", "mlp_bias", true), {"mlp_bias", "true", "false"}));
  EXPECT_TRUE(refused(with("marian", "decoder_ffn_dim", 24), {"decoder_ffn_dim", "24", "12"}));
}

TEST(HuggingFaceReading, EntriesThatOldFilesLeaveOut) {
  Checkpoint old = checkpoint("llama");
  for (const char* entry : {"rope_parameters", "head_dim", "num_key_value_heads", "attention_bias", "mlp_bias"})
    old.config.erase(entry);
  old.config["rope_theta"] = 500.0, old.config["num_key_value_heads"] = 2;
  EXPECT_EQ(read("old", old)->configuration(), read("llama", checkpoint("llama"))->configuration());
  Checkpoint stretched = old;
  stretched.config["rope_scaling"] = {{"type", "linear"}, {"factor", 2.0}};
  const auto fields = read("stretched", stretched)->configuration();
  EXPECT_EQ(fields.at("rope_stretch"), "linear");
  EXPECT_EQ(fields.at("rope_factor"), "2");
  EXPECT_EQ(fields.at("rope_base"), "500");
  EXPECT_TRUE(refused(with("gpt2", "n_embd", nullptr), {"n_embd", "missing"}));
}

TEST(HuggingFaceReading, TensorsAreCheckedByName) {
  Checkpoint less = checkpoint("gpt2"), more = less, bare = less;
  const auto last = less.weights.tensors.back();
  less.weights.tensors.pop_back();
  EXPECT_TRUE(refused(less, {"missing", last.first}));
  more.weights.tensors.emplace_back("adapter.weight", last.second);
  EXPECT_TRUE(refused(more, {"adapter.weight", "GPT2LMHeadModel"}));
  less.weights.tensors.emplace_back(last.first, concat({last.second, last.second}, 0));
  EXPECT_TRUE(refused(less, {last.first, "rows"}));
  bare.weights.tensors.clear();
  for (const auto& [name, tensor] : checkpoint("gpt2").weights.tensors)
    bare.weights.tensors.emplace_back(name.substr(name.find('.') + 1), tensor);
  bare.weights.tensors.emplace_back("h.0.attn.bias", ones({1, 1, 10, 10}));  // a mask that older files hold
  EXPECT_EQ(read("bare", bare)->configuration(), read("gpt2", checkpoint("gpt2"))->configuration());
}

TEST(HuggingFaceWriting, WhatTheLayoutHasNoRoomForIsNamed) {
  const auto small = [](const std::string& name, std::map<std::string, std::string> fields) {
    fields.merge(std::map<std::string, std::string>{{"target_words", "9"}});
    return make_model(name, fields);
  };
  EXPECT_TRUE(complains(
      [&] {
        written(*small("decoder-lm", {{"position", "alibi"}}));
      },
      {"decoder-lm", "GPT2LMHeadModel", "position is alibi, wanted learned", "LlamaForCausalLM", "rope"}));
  EXPECT_TRUE(complains(
      [&] {
        written(*small("decoder-lm", {{"pre_norm", "false"}}));
      },
      {"pre_norm is false, wanted true"}));
  EXPECT_TRUE(complains([&] { written(*small("decoder-lm", {{"groups", "1"}})); }, {"groups is 1, wanted 4"}));
  EXPECT_TRUE(complains([&] { written(*small("decoder-lm", {{"head_width", "8"}})); }, {"head_width is 8, wanted 64"}));
  EXPECT_TRUE(complains(
      [&] {
        written(*small("transformer", {{"source_words", "9"}, {"attention", "cosine"}}));
      },
      {"MarianMTModel", "attention is cosine, wanted scaled_dot"}));
  EXPECT_TRUE(complains([&] { written(*small("luong", {{"source_words", "9"}})); }, {"luong", "no layout"}));
  EXPECT_NO_THROW(written(*small("decoder-lm", {})));
  EXPECT_NO_THROW(written(*small("transformer", {{"source_words", "9"}})));
}

}  // namespace
}  // namespace heed::hugging_face
