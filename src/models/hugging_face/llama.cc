// LlamaForCausalLM: decoder-lm with rope.                       Touvron et al. 2023, arXiv:2302.13971
#include <algorithm>

#include "base/check.h"
#include "models/field_values.h"
#include "models/hugging_face/layout.h"

namespace heed::hugging_face {
namespace {

std::vector<Held> llama_tensors(const Fields&) {
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

// What rope_parameters hold besides rope_type and rope_theta: by what name, and what the table calls it.
struct RopeEntry {
  const char *theirs, *table;
  double usual;  // where it is missing, or 0 in the table; 0: it must be there
};
const std::map<std::string, std::vector<RopeEntry>>& rope_entries() {
  constexpr RopeEntry kFactor = {"factor", "factor", 0}, kTrained = {"original_max_position_embeddings", "trained", 0};
  static const std::map<std::string, std::vector<RopeEntry>> all = {
      {"default", {}},
      {"linear", {kFactor}},
      {"yarn", {kFactor, kTrained, {"beta_slow", "slow", 1}, {"beta_fast", "fast", 32}}},
      {"llama3", {kFactor, kTrained, {"low_freq_factor", "slow", 1}, {"high_freq_factor", "fast", 4}}}};
  return all;
}
std::string rope_type(const Json& rope) { return value_text(rope.value("rope_type", Json("default"))); }

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

void name_as_table(Json& config) {
  gather_rope(config);
  Json& rope = config["rope_parameters"];
  const auto type = rope_entries().find(rope_type(rope));
  if (type == rope_entries().end()) return;  // the table refuses it
  Json named = {{"rope_type", type->first}, {"rope_theta", rope.value("rope_theta", Json(10000.0))}};
  rope.erase("rope_type"), rope.erase("rope_theta");
  if (type->first == "yarn" && !rope.contains("original_max_position_embeddings"))
    rope["original_max_position_embeddings"] = config.value("max_position_embeddings", Json(2048));
  for (const RopeEntry& entry : type->second) {
    check_format(entry.usual > 0 || rope.contains(entry.theirs), "config.json", "rope_parameters/{} is missing",
                 entry.theirs);
    named[entry.table] = rope.value(entry.theirs, Json(entry.usual));
    rope.erase(entry.theirs);
  }
  if (rope.value("partial_rotary_factor", Json(1)) == 1) rope.erase("partial_rotary_factor");
  for (const auto& [name, value] : rope.items())
    check_format(value.is_null(), "config.json",
                 "heed's rope of the type {} cannot: rope_parameters/{} is {}, wanted nothing", type->first, name,
                 value.dump());
  rope = named;
}
void restore(Json& config) {
  if (!config.contains("rope_parameters")) return;
  Json& rope = config["rope_parameters"];
  const std::vector<RopeEntry>& entries = rope_entries().at(rope_type(rope));
  for (const RopeEntry& entry : entries)
    if (const Json value = rope.value(entry.table, Json()); value.is_number())
      rope[entry.theirs] = value == 0 ? Json(entry.usual) : value;
  for (const char* name : {"factor", "trained", "slow", "fast"}) {
    const auto theirs = [name](const RopeEntry& entry) { return std::string(entry.theirs) == name; };
    if (std::none_of(entries.begin(), entries.end(), theirs)) rope.erase(name);
  }
}

void complete_llama(Json& config) {
  name_as_table(config);
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
                      choice("rope_stretch", "rope_parameters/rope_type",
                             {{"none", "default"}, {"linear", "linear"}, {"yarn", "yarn"}, {"llama3", "llama3"}},
                             "default"),
                      same("rope_factor", "rope_parameters/factor", 1.0),
                      same("rope_trained", "rope_parameters/trained", 2048),
                      same("rope_slow", "rope_parameters/slow", 1.0),
                      same("rope_fast", "rope_parameters/fast", 0.0),
                      same("bias", "attention_bias", false),
                      same("bias", "mlp_bias", false),
                      same("tied", "tie_word_embeddings", false),
                      unasked("dropout", 0.0),
                      ours("pre_norm", true),
                      ours("norm", "rms"),
                      ours("scale_embedding", false),
                      ours("attention", "scaled_dot"),
                      ours("position", "rope")},
          .tensors = llama_tensors,
          .derived = {"model.layers.*.self_attn.rotary_emb.inv_freq", "lm_head.weight"},
          .complete = complete_llama,
          .restore = restore};
}

}  // namespace heed::hugging_face
