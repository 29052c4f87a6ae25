// LlamaForCausalLM: decoder-lm with rope.                       Touvron et al. 2023, arXiv:2302.13971
#include "models/hugging_face/layout.h"

namespace heed::hugging_face {
namespace {

std::vector<Held> tensors(const Fields&) {
  const std::string self = "layers.*.self.heads.", theirs = "model.layers.*.";
  return std::vector<Held>{{{"text.words.weight"}, "model.embed_tokens.weight"}, {{"words"}, "lm_head.weight"}} +
         layer({"layers.*.after_self.norm"}, theirs + "input_layernorm") +
         layer({self + "query"}, theirs + "self_attn.q_proj") + layer({self + "key"}, theirs + "self_attn.k_proj") +
         layer({self + "value"}, theirs + "self_attn.v_proj") + layer({self + "output"}, theirs + "self_attn.o_proj") +
         layer({"layers.*.after_forward.norm"}, theirs + "post_attention_layernorm") +
         layer({"layers.*.forward.in"}, theirs + "mlp.gate_proj") +
         layer({"layers.*.forward.gate"}, theirs + "mlp.up_proj") +
         layer({"layers.*.forward.out"}, theirs + "mlp.down_proj") + layer({"after.norm"}, "model.norm");
}

// Before rope_parameters there were rope_theta and, for longer texts, rope_scaling with its own name for the type.
void gather_rope(Json& config) {
  if (config.value("rope_parameters", Json()).is_object()) return;
  Json rope = config.value("rope_scaling", Json());
  if (!rope.is_object()) rope = {{"rope_type", "default"}};
  if (rope.contains("type")) rope["rope_type"] = rope["type"], rope.erase("type");
  rope["rope_theta"] = config.value("rope_theta", Json(10000.0));
  config["rope_parameters"] = rope;
  config.erase("rope_theta"), config.erase("rope_scaling");
}

void complete(Json& config) {
  gather_rope(config);
  const auto number = [&](const char* entry) { return config.value(entry, Json()).is_number_integer(); };
  if (!number("num_attention_heads") || !number("hidden_size")) return;
  const auto heads = config["num_attention_heads"].get<int64_t>(), width = config["hidden_size"].get<int64_t>();
  if (!number("num_key_value_heads")) config["num_key_value_heads"] = heads;
  if (!number("head_dim") && heads > 0) config["head_dim"] = width / heads;
}

}  // namespace

Layout llama() {
  return {.model_type = "llama",
          .architecture = "LlamaForCausalLM",
          .model = "decoder-lm",
          .entries = {same("target_words", "vocab_size"),
                      same("width", "hidden_size"),
                      same("layers", "num_hidden_layers"),
                      same("heads", "num_attention_heads"),
                      same("groups", "num_key_value_heads"),
                      same("head_width", "head_dim"),
                      same("longest", "max_position_embeddings", 2048),
                      same("inner", "intermediate_size"),
                      choice("activation", "hidden_act", {{"swiglu", "silu"}, {"swiglu", "swish"}}, "silu"),
                      same("attention_dropout", "attention_dropout", 0.0),
                      same("norm_epsilon", "rms_norm_eps", 1e-6),
                      same("rope_base", "rope_parameters/rope_theta", 10000.0),
                      theirs("rope_parameters/rope_type", "default"),
                      same("bias", "attention_bias", false),
                      same("bias", "mlp_bias", false),
                      same("tied", "tie_word_embeddings", false),
                      unasked("dropout", 0.0),
                      ours("pre_norm", true),
                      ours("norm", "rms"),
                      ours("scale_embedding", false),
                      ours("attention", "scaled_dot"),
                      ours("position", "rope")},
          .tensors = tensors,
          .derived = {"model.layers.*.self_attn.rotary_emb.inv_freq", "lm_head.weight"},
          .complete = complete};
}

}  // namespace heed::hugging_face
