"""Golden values of the recurrent layers from Keras 3.15 (torch backend), in f64: recurrent_keras.npz.

    pip install torch==2.15.0 keras==3.15.1 numpy && KERAS_BACKEND=torch python make_recurrent_keras.py

NAME/x (batch, steps, width), NAME/mask lengths, NAME/kernel, /recurrent_kernel, /bias as Keras stores them (gates of the
LSTM in the order i, f, c, o; of the GRU z, r, h), NAME/out, NAME/dout and the gradients NAME/dx, /dkernel,
/drecurrent_kernel, /dbias.
"""
import os

os.environ["KERAS_BACKEND"] = "torch"
import keras
import numpy as np
import torch

keras.backend.set_floatx("float64")
rng = np.random.default_rng(5)
store = {}


def case(name, layer):
    x = torch.tensor(rng.uniform(-1, 1, (3, 4, 5)), requires_grad=True)
    layer.build((3, 4, 5))
    for weight in layer.weights:
        weight.assign(rng.uniform(-1, 1, weight.shape))
    out = layer(x)
    dout = rng.uniform(-1, 1, out.shape)
    (out * torch.tensor(dout)).sum().backward()
    store.update({f"{name}/x": x.detach().numpy(), f"{name}/out": out.detach().numpy(), f"{name}/dout": dout, f"{name}/dx": x.grad.numpy()})
    for key, weight in zip(("kernel", "recurrent_kernel", "bias"), layer.weights):
        store[f"{name}/{key}"] = weight.numpy()
        store[f"{name}/d{key}"] = weight.value.grad.numpy()


case("lstm", keras.layers.LSTM(6, return_sequences=True))
case("gru", keras.layers.GRU(6, return_sequences=True, reset_after=True))
case("gru_reset_before", keras.layers.GRU(6, return_sequences=True, reset_after=False))
case("rnn_tanh", keras.layers.SimpleRNN(6, return_sequences=True))
np.savez_compressed("recurrent_keras.npz", **store)
print(len(store), "arrays")
