"""Golden values of the positions: tests/golden/positions.npz.

    pip install torch==2.15.0 transformers==5.23.0 numpy && python make_positions.py

rope: frequencies by Hugging Face's ROPE_INIT_FUNCTIONS (f32), applied in both layouts as its Llama and GPT-J code does;
t5: buckets and bias of its T5Attention; alibi: slopes of its Bloom code. Shaw and Transformer-XL: their formulas in
NumPy, pair by pair. tests/golden/positions_test.cc reads all of them.
"""
import numpy as np
import torch
from transformers import LlamaConfig, T5Config
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.models.bloom.modeling_bloom import _get_alibi_slopes
from transformers.models.gptj.modeling_gptj import rotate_every_two
from transformers.models.llama.modeling_llama import rotate_half
from transformers.models.t5.modeling_t5 import T5Attention

rng = np.random.default_rng(26)
store = {}
QUERIES, KEYS, WIDTH = 3, 7, 16


def numbers(*shape):
    return rng.uniform(-1, 1, shape)


# ---- rope ----
q, k = numbers(2, QUERIES, WIDTH), numbers(2, KEYS, WIDTH)
store["rope/q"], store["rope/k"] = q, k


def rope(name, parameters, base=10000.0, length=KEYS, trained=64):
    """Scores of q and k, turned by their places among the keys; `length` places are in use."""
    config = LlamaConfig(hidden_size=2 * WIDTH, num_attention_heads=2, max_position_embeddings=trained,
                         rope_parameters={"rope_theta": base, **parameters})
    kind = parameters["rope_type"]
    if kind == "default":
        width = int(WIDTH * parameters.get("partial_rotary_factor", 1))
        turns, amplitude = 1.0 / base ** (torch.arange(0, width, 2).double() / width), 1.0
    else:
        turns, amplitude = ROPE_INIT_FUNCTIONS[kind](config, "cpu", seq_len=length)
    turns = turns.double()
    store[f"rope/{name}/turns"] = turns.numpy()
    shift = length - KEYS

    def turn(x, first, layout):
        angles = (torch.arange(x.shape[1]).double() + first + shift)[:, None] * turns
        width = 2 * turns.numel()
        head, tail = torch.tensor(x)[..., :width], torch.tensor(x)[..., width:]
        if layout == "half_split":
            cos, sin = torch.cat([angles.cos()] * 2, -1), torch.cat([angles.sin()] * 2, -1)
            y = head * cos * amplitude + rotate_half(head) * sin * amplitude
        else:
            cos, sin = angles.cos().repeat_interleave(2, -1), angles.sin().repeat_interleave(2, -1)
            y = head * cos * amplitude + rotate_every_two(head[None])[0] * sin * amplitude
        return torch.cat([y, tail], -1)

    for layout in "half_split", "interleaved":
        scores = turn(q, KEYS - QUERIES, layout) @ turn(k, 0, layout).transpose(-1, -2)
        store[f"rope/{name}/{layout}"] = scores.numpy()


rope("default", {"rope_type": "default"})
rope("partial", {"rope_type": "default", "partial_rotary_factor": 0.5}, base=500.0)
rope("linear", {"rope_type": "linear", "factor": 4.0})
rope("dynamic", {"rope_type": "dynamic", "factor": 2.0}, length=100)
rope("dynamic_short", {"rope_type": "dynamic", "factor": 2.0}, length=40)
rope("yarn", {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64})
rope("yarn_tuned", {"rope_type": "yarn", "factor": 8.0, "original_max_position_embeddings": 512, "beta_fast": 24.0,
                    "beta_slow": 2.0, "attention_factor": 1.25}, base=1e6)
rope("llama3", {"rope_type": "llama3", "factor": 8.0, "original_max_position_embeddings": 64, "low_freq_factor": 1.0,
                "high_freq_factor": 4.0}, base=500.0)

# ---- t5 ----
distances = torch.arange(-300, 301)
for name, both in ("bidirectional", True), ("causal", False):
    store[f"t5/{name}/buckets"] = T5Attention._relative_position_bucket(distances, both, 32, 128).double().numpy()
    torch.manual_seed(1)
    module = T5Attention(T5Config(num_heads=2, d_kv=4, d_model=8, is_decoder=not both),
                         has_relative_attention_bias=True).double()
    store[f"t5/{name}/table"] = module.relative_attention_bias.weight.detach().numpy().T.copy()
    store[f"t5/{name}/bias"] = module.compute_bias(30, 30)[0, :, -QUERIES:].detach().numpy()

# ---- alibi ----
for heads in 8, 12:
    store[f"alibi/{heads}"] = _get_alibi_slopes(heads, "cpu").double().numpy()


# ---- Shaw et al. 2018: s_ij = q_i·(k_j + a)/√D, out_i = Σ p_ij (v_j + b), a and b by clip(j − i, −R, R) ----
def softmax(s):
    p = np.exp(s - s.max(-1, keepdims=True))
    return p / p.sum(-1, keepdims=True)


R, D, E = 2, 4, 3
q, k, v = numbers(QUERIES, D), numbers(KEYS, D), numbers(KEYS, E)
a, b = numbers(2 * R + 1, D), numbers(2 * R + 1, E)
clip = [[int(np.clip(j - (i + KEYS - QUERIES), -R, R)) + R for j in range(KEYS)] for i in range(QUERIES)]
scores = np.array([[q[i] @ (k[j] + a[clip[i][j]]) for j in range(KEYS)] for i in range(QUERIES)]) / np.sqrt(D)
p = softmax(scores)
out = np.array([sum(p[i, j] * (v[j] + b[clip[i][j]]) for j in range(KEYS)) for i in range(QUERIES)])
store.update({"shaw/q": q, "shaw/k": k, "shaw/v": v, "shaw/keys": a, "shaw/values": b, "shaw/scores": scores,
              "shaw/out": out})

# ---- Dai et al. 2019: A_ij = ((q_i + u)·k_j + (q_i + v)·W R_{i−j})/√D, R_x = [sin, cos] of x·10000^(−2c/M) ----
M, H = 6, 2
q, k = numbers(H, QUERIES, D), numbers(H, KEYS, D)
u, v, w = numbers(H, D), numbers(H, D), numbers(H * D, M)
scores = np.zeros((H, QUERIES, KEYS))
for h in range(H):
    for i in range(QUERIES):
        for j in range(KEYS):
            angles = (i + KEYS - QUERIES - j) * 10000.0 ** (-np.arange(0, M, 2) / M)
            r = w[h * D:(h + 1) * D] @ np.concatenate([np.sin(angles), np.cos(angles)])
            scores[h, i, j] = ((q[h, i] + u[h]) @ k[h, j] + (q[h, i] + v[h]) @ r) / np.sqrt(D)
store.update({"transformer_xl/q": q, "transformer_xl/k": k, "transformer_xl/u": u, "transformer_xl/v": v,
              "transformer_xl/w": w, "transformer_xl/scores": scores})

np.savez_compressed("positions.npz", **store)
print(len(store), "arrays")
