// MarianMTModel: transformer, as published.                     Junczys-Dowmunt et al. 2018, arXiv:1804.00344
#include "models/hugging_face/layout.h"

namespace heed::hugging_face {
namespace {

std::vector<Held> attention(const std::string& ours, const std::string& theirs) {
  return layer({ours + "query"}, theirs + "q_proj") + layer({ours + "key"}, theirs + "k_proj") +
         layer({ours + "value"}, theirs + "v_proj") + layer({ours + "output"}, theirs + "out_proj");
}

std::vector<Held> layers(const std::string& ours, const std::string& theirs) {
  return attention(ours + "self.heads.", theirs + "self_attn.") +
         layer({ours + "after_self.norm"}, theirs + "self_attn_layer_norm") +
         attention(ours + "cross.", theirs + "encoder_attn.") +
         layer({ours + "after_cross.norm"}, theirs + "encoder_attn_layer_norm") +
         layer({ours + "forward.in"}, theirs + "fc1") + layer({ours + "forward.out"}, theirs + "fc2") +
         layer({ours + "after_forward.norm"}, theirs + "final_layer_norm");
}

std::vector<Held> marian_tensors(const Fields& fields) {
  const bool shared = fields.at("shared") == true;
  return std::vector<Held>{
             {{"source.words.weight"}, "model.encoder.embed_tokens.weight"},
             {{"target.words.weight"}, shared ? "model.shared.weight" : "model.decoder.embed_tokens.weight"},
             {{"word_bias"}, "final_logits_bias", Held::As::one_row}} +
         layers("encoder.*.", "model.encoder.layers.*.") + layers("decoder.*.", "model.decoder.layers.*.");
}

void complete_marian(Json& config) {
  if (config.value("decoder_vocab_size", Json()).is_null() && config.contains("vocab_size"))
    config["decoder_vocab_size"] = config["vocab_size"];
}

}  // namespace

Layout marian() {
  return {
      .model_type = "marian",
      .architecture = "MarianMTModel",
      .model = "transformer",
      .entries =
          {same("source_words", "vocab_size"),
           same("target_words", "decoder_vocab_size"),
           same("width", "d_model"),
           same("layers", "encoder_layers"),
           same("decoder_layers", "decoder_layers"),
           same("heads", "encoder_attention_heads"),
           same("heads", "decoder_attention_heads"),
           same("groups", "encoder_attention_heads"),
           same("inner", "encoder_ffn_dim"),
           same("inner", "decoder_ffn_dim"),
           choice("activation", "activation_function",
                  {{"relu", "relu"}, {"gelu", "gelu"}, {"gelu_tanh", "gelu_new"}, {"silu", "swish"}, {"silu", "silu"}},
                  "gelu"),
           same("dropout", "dropout", 0.1),
           same("attention_dropout", "attention_dropout", 0.0),
           same("longest", "max_position_embeddings", 1024),
           same("scale_embedding", "scale_embedding", false),
           same("shared", "share_encoder_decoder_embeddings", true),
           ours("tied", true),
           ours("pre_norm", false),
           ours("norm", "layer"),
           ours("norm_epsilon", 1e-5),
           ours("bias", true),
           ours("attention", "scaled_dot"),
           ours("position", "sinusoidal_halves"),
           theirs("tie_word_embeddings", true),
           theirs("is_encoder_decoder", true),
           theirs("activation_dropout", 0.0),
           theirs("encoder_layerdrop", 0.0),
           theirs("decoder_layerdrop", 0.0)},
      .tensors = marian_tensors,
      .derived = {"model.encoder.embed_positions.weight", "model.decoder.embed_positions.weight",
                  "model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight", "lm_head.weight"},
      .complete = complete_marian};
}

}  // namespace heed::hugging_face
