// GPT2LMHeadModel: decoder-lm with learned places.              Radford et al. 2019
// Its matrices hold a column for each output; queries, keys and values are one matrix.
#include "models/hugging_face/layout.h"

namespace heed::hugging_face {
namespace {

std::vector<Held> gpt2_tensors(const Fields&) {
  const std::string self = "layers.*.self.heads.", h = "transformer.h.*.";
  const auto columns = Held::As::columns;
  return std::vector<Held>{{{"text.words.weight"}, "transformer.wte.weight"},
                           {{"text.places"}, "transformer.wpe.weight"},
                           {{"words"}, "lm_head.weight"}} +
         layer({"layers.*.after_self.norm"}, h + "ln_1") +
         layer({self + "query", self + "key", self + "value"}, h + "attn.c_attn", columns) +
         layer({self + "output"}, h + "attn.c_proj", columns) + layer({"layers.*.after_forward.norm"}, h + "ln_2") +
         layer({"layers.*.forward.in"}, h + "mlp.c_fc", columns) +
         layer({"layers.*.forward.out"}, h + "mlp.c_proj", columns) + layer({"after.norm"}, "transformer.ln_f");
}

void complete_gpt2(Json& config) {
  if (config.value("n_inner", Json()).is_null() && config.contains("n_embd") && config["n_embd"].is_number_integer())
    config["n_inner"] = 4 * config["n_embd"].get<int64_t>();
}

}  // namespace

Layout gpt2() {
  return {.model_type = "gpt2",
          .architecture = "GPT2LMHeadModel",
          .model = "decoder-lm",
          .entries = {same("target_words", "vocab_size"),
                      same("width", "n_embd"),
                      same("layers", "n_layer"),
                      same("heads", "n_head"),
                      same("groups", "n_head"),
                      same("longest", "n_positions"),
                      same("inner", "n_inner"),
                      choice("activation", "activation_function",
                             {{"gelu_tanh", "gelu_new"},
                              {"gelu_tanh", "gelu_pytorch_tanh"},
                              {"gelu", "gelu"},
                              {"relu", "relu"},
                              {"silu", "silu"},
                              {"silu", "swish"}},
                             "gelu_new"),
                      same("dropout", "resid_pdrop", 0.1),
                      same("dropout", "embd_pdrop", 0.1),
                      same("attention_dropout", "attn_pdrop", 0.1),
                      same("norm_epsilon", "layer_norm_epsilon", 1e-5),
                      same("tied", "tie_word_embeddings", true),
                      ours("pre_norm", true),
                      ours("norm", "layer"),
                      ours("bias", true),
                      ours("scale_embedding", false),
                      ours("attention", "scaled_dot"),
                      ours("position", "learned"),
                      theirs("scale_attn_weights", true),
                      theirs("scale_attn_by_inverse_layer_idx", false),
                      theirs("add_cross_attention", false)},
          .tensors = gpt2_tensors,
          .derived = {"transformer.h.*.attn.bias", "transformer.h.*.attn.masked_bias", "lm_head.weight"},
          .complete = complete_gpt2};
}

}  // namespace heed::hugging_face
