"""Golden values of attention from PyTorch 2.15, Keras 3.15 (torch backend), x-transformers and entmax: attention.npz.

    pip install torch==2.15.0 keras==3.15.1 x-transformers==2.31.10 entmax==1.3 numpy
    KERAS_BACKEND=torch python make_attention.py

NAME/in0, NAME/in1, ... are the inputs in f64 (a boolean one has no gradient), NAME/out0 what comes of them, NAME/dout0
its gradient, NAME/din0, ... the gradients of the inputs.
"""
import os

os.environ["KERAS_BACKEND"] = "torch"
import keras
import numpy as np
import torch
import torch.nn.functional as F
from entmax import entmax15, sparsemax
from x_transformers.attend import Attend

keras.backend.set_floatx("float64")
torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(11)
store = {}


def normal(*shape):
    return rng.normal(size=shape)


def case(name, function, *inputs):
    tensors = [torch.tensor(x, requires_grad=np.asarray(x).dtype == np.float64) for x in inputs]
    out = function(*tensors)
    dout = normal(*out.shape)
    out.backward(torch.tensor(dout, dtype=out.dtype))
    store.update({f"{name}/out0": out.detach().double().numpy(), f"{name}/dout0": dout})
    for i, x in enumerate(tensors):
        store[f"{name}/in{i}"] = np.asarray(inputs[i])
        if x.requires_grad:
            store[f"{name}/din{i}"] = x.grad.numpy()


def qkv(heads=2, groups=2, queries=5, keys=7, width=4, value_width=4):
    return normal(2, heads, queries, width), normal(2, groups, keys, width), normal(2, groups, keys, value_width)


sdpa = F.scaled_dot_product_attention
mask = rng.random((5, 7)) < 0.6
mask[:, 0] = True
case("sdpa", sdpa, *qkv())
case("sdpa_causal", lambda q, k, v: sdpa(q, k, v, is_causal=True), *qkv(queries=7))
case("sdpa_mask", lambda q, k, v, m: sdpa(q, k, v, attn_mask=m), *qkv(), mask)
case("sdpa_bias", lambda q, k, v, b: sdpa(q, k, v, attn_mask=b), *qkv(), normal(2, 1, 5, 7))
case("sdpa_grouped", lambda q, k, v: sdpa(q, k, v, enable_gqa=True), *qkv(heads=4))
case("sdpa_scale", lambda q, k, v: sdpa(q, k, v, scale=0.3), *qkv(value_width=3))


def multi_head(x, key, value, wq, wk, wv, b, wo, bo):
    out, _ = F.multi_head_attention_forward(
        x.transpose(0, 1), key.transpose(0, 1), value.transpose(0, 1), 8, 2, None, b, None, None, False, 0.0, wo, bo,
        use_separate_proj_weight=True, q_proj_weight=wq, k_proj_weight=wk, v_proj_weight=wv, need_weights=False)
    return out.transpose(0, 1)


case("multi_head", multi_head, normal(2, 5, 8), normal(2, 7, 6), normal(2, 7, 3), normal(8, 8), normal(8, 6), normal(8, 3),
     normal(24), normal(8, 8), normal(8))


def keras_case(name, layer, weight_names, inputs, call):
    layers = {w: getattr(layer, w) for w in weight_names}
    values = [normal(*layers[w].shape) for w in weight_names]
    for w, value in zip(weight_names, values):
        layers[w].assign(value)
    tensors = [torch.tensor(x, requires_grad=True) for x in inputs]
    out = call(layer, *tensors)
    dout = normal(*out.shape)
    out.backward(torch.tensor(dout))
    gradients = [x.grad.numpy() for x in tensors] + [layers[w].value.grad.numpy() for w in weight_names]
    store.update({f"{name}/out0": out.detach().numpy(), f"{name}/dout0": dout})
    for i, (x, dx) in enumerate(zip(list(inputs) + values, gradients)):
        store[f"{name}/in{i}"], store[f"{name}/din{i}"] = np.asarray(x), dx


def built(layer, *shapes):
    layer.build(list(shapes))
    return layer


q, k, v = normal(2, 5, 4), normal(2, 7, 4), normal(2, 7, 3)
call = lambda layer, q, k, v: layer([q, v, k])
shapes = ((2, 5, 4), (2, 7, 3), (2, 7, 4))
keras_case("keras_attention", built(keras.layers.Attention(), *shapes), [], (q, k, v), call)
keras_case("keras_attention_scale", built(keras.layers.Attention(use_scale=True), *shapes), ["scale"], (q, k, v), call)
keras_case("keras_additive", built(keras.layers.AdditiveAttention(), *shapes), ["scale"], (q, k, v), call)

layer = keras.layers.MultiHeadAttention(num_heads=2, key_dim=3, value_dim=4)
layer.build((2, 5, 4), (2, 7, 3), (2, 7, 4))
values = [normal(*w.shape) for w in layer.weights]
for w, value in zip(layer.weights, values):
    w.assign(value)
tensors = [torch.tensor(x, requires_grad=True) for x in (q, k, v)]
out = layer(tensors[0], tensors[2], key=tensors[1])
dout = normal(*out.shape)
out.backward(torch.tensor(dout))
store.update({"keras_multi_head/out0": out.detach().numpy(), "keras_multi_head/dout0": dout})
# query kernel (in, heads, width), bias (heads, width); key's; value's; output kernel (heads, width, out), bias (out)
for i, x in enumerate([q, k, v] + values):
    store[f"keras_multi_head/in{i}"] = x
for i, dx in enumerate([t.grad.numpy() for t in tensors] + [w.value.grad.numpy() for w in layer.weights]):
    store[f"keras_multi_head/din{i}"] = dx


def x_transformers(**options):
    attend = Attend(heads=2, scale=0.5, **options)
    return lambda q, k, v: attend(q, k, v)[0]


case("x_softcap", x_transformers(softclamp_logits=True, logit_softclamp_value=1.5), *qkv())
case("x_top_k", x_transformers(sparse_topk=3), *qkv())
case("x_sigmoid", x_transformers(sigmoid=True), *qkv())
case("x_causal_longer_keys", x_transformers(causal=True), *qkv())

case("sparsemax", lambda q, k, v: sparsemax(q @ k.mT / 2, dim=-1) @ v, *qkv())
case("entmax15", lambda q, k, v: entmax15(q @ k.mT / 2, dim=-1) @ v, *qkv())
np.savez_compressed("attention.npz", **store)
print(len(store), "arrays", sorted({n.split("/")[0] for n in store}))
