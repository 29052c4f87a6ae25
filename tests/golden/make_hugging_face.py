"""Small checkpoints of Hugging Face's transformers with what they compute: tests/golden/hugging_face/NAME.

    pip install torch==2.15.0 transformers==5.23.0 && python make_hugging_face.py

Each folder holds what save_pretrained writes (config.json, model.safetensors) and logits.npz: the ids that were read (of
Marian the source as well) and the logits. tests/golden/hugging_face_test.cc reads each folder, compares the logits and
writes the same folder again.
"""
import os

os.environ["HF_HUB_OFFLINE"] = "1"

import shutil
from pathlib import Path

import numpy as np
import torch
from transformers import (GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, MarianConfig, MarianMTModel)

ENDS = {"bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 0}
MARIAN = {"d_model": 8, "encoder_layers": 1, "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
          "encoder_ffn_dim": 12, "decoder_ffn_dim": 12, "max_position_embeddings": 12, "decoder_start_token_id": 2,
          "forced_eos_token_id": 3, **ENDS}
CASES = {
    "gpt2": (GPT2LMHeadModel, GPT2Config(vocab_size=11, n_positions=10, n_embd=8, n_layer=2, n_head=2, **ENDS)),
    "gpt2_untied": (GPT2LMHeadModel, GPT2Config(vocab_size=11, n_positions=10, n_embd=8, n_layer=1, n_head=4, n_inner=12,
                                                activation_function="gelu", layer_norm_epsilon=1e-3,
                                                tie_word_embeddings=False, **ENDS)),
    "llama": (LlamaForCausalLM, LlamaConfig(vocab_size=11, hidden_size=16, intermediate_size=12, num_hidden_layers=2,
                                            num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=16,
                                            rms_norm_eps=1e-3, rope_parameters={"rope_type": "default", "rope_theta": 500.0},
                                            **ENDS)),
    "llama_wide_heads": (LlamaForCausalLM, LlamaConfig(vocab_size=11, hidden_size=8, intermediate_size=12,
                                                       num_hidden_layers=1, num_attention_heads=4, num_key_value_heads=2,
                                                       head_dim=6, max_position_embeddings=16, **ENDS)),
    "llama_tied": (LlamaForCausalLM, LlamaConfig(vocab_size=11, hidden_size=8, intermediate_size=12, num_hidden_layers=1,
                                                 num_attention_heads=2, max_position_embeddings=16, attention_bias=True,
                                                 mlp_bias=True, tie_word_embeddings=True, **ENDS)),
    "marian": (MarianMTModel, MarianConfig(vocab_size=11, activation_function="swish", scale_embedding=True, **MARIAN)),
    "marian_two_vocabularies": (MarianMTModel, MarianConfig(vocab_size=9, decoder_vocab_size=11, activation_function="relu",
                                                            share_encoder_decoder_embeddings=False, **MARIAN)),
}


def ids(words, *shape):
    return torch.randint(4, words, shape)


for name, (model_class, config) in CASES.items():
    torch.manual_seed(5)
    model = model_class(config).eval()
    with torch.no_grad():
        for tensor in list(model.parameters()) + [b for n, b in model.named_buffers() if n == "final_logits_bias"]:
            if "embed_positions" not in {n.split(".")[-2] for n, p in model.named_parameters() if p is tensor and "." in n}:
                tensor.add_(torch.randn(tensor.shape) * 0.2)  # norms and biases too
    folder = Path("hugging_face") / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    said = ids(getattr(config, "decoder_vocab_size", config.vocab_size), 2, 6)
    arrays = {"said": said}
    if model_class is MarianMTModel:
        arrays["source"] = ids(config.vocab_size, 2, 5)
        logits = model(input_ids=arrays["source"], decoder_input_ids=said).logits
    else:
        logits = model(said).logits
    np.savez_compressed(folder / "logits.npz", logits=logits.detach().numpy(), **{k: v.numpy() for k, v in arrays.items()})
    print(name, sum(p.stat().st_size for p in folder.iterdir()), "bytes")
