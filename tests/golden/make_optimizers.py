"""Golden values of the optimisers: ten steps of PyTorch 2.15 and Keras 3.15 (torch backend), in f32: optimizers.npz.

    pip install torch==2.15.0 keras==3.15.1 numpy && KERAS_BACKEND=torch python make_optimizers.py

start (7,), gradients (10, 7), and NAME (10, 7): the weights after each step.
"""
import os

os.environ["KERAS_BACKEND"] = "torch"
import keras
import numpy as np
import torch

rng = np.random.default_rng(3)
start = rng.uniform(-1, 1, 7).astype(np.float32)
gradients = rng.normal(0, 1, (10, 7)).astype(np.float32)
store = {"start": start, "gradients": gradients}


def with_torch(name, make):
    weight = torch.nn.Parameter(torch.tensor(start))
    optimizer = make([weight])
    steps = []
    for gradient in gradients:
        weight.grad = torch.tensor(gradient)
        optimizer.step()
        steps.append(weight.detach().numpy().copy())
    store[name] = np.stack(steps)


def with_keras(name, optimizer):
    weight = keras.Variable(start)
    optimizer.build([weight])
    steps = []
    for gradient in gradients:
        optimizer.apply([torch.tensor(gradient)], [weight])
        steps.append(weight.numpy().copy())
    store[name] = np.stack(steps)


o = torch.optim
with_torch("sgd", lambda p: o.SGD(p, lr=0.1))
with_torch("sgd_momentum", lambda p: o.SGD(p, lr=0.1, momentum=0.9, dampening=0.1, weight_decay=0.01))
with_torch("sgd_nesterov", lambda p: o.SGD(p, lr=0.1, momentum=0.9, nesterov=True))
with_torch("rmsprop", lambda p: o.RMSprop(p, lr=0.01, alpha=0.9))
with_torch("rmsprop_centered", lambda p: o.RMSprop(p, lr=0.01, alpha=0.9, centered=True, momentum=0.5, weight_decay=0.01))
with_torch("adagrad", lambda p: o.Adagrad(p, lr=0.1, lr_decay=0.01, initial_accumulator_value=0.1, weight_decay=0.01))
with_torch("adam", lambda p: o.Adam(p, lr=0.01, weight_decay=0.01))
with_torch("adam_amsgrad", lambda p: o.Adam(p, lr=0.01, amsgrad=True))
with_torch("adamw", lambda p: o.AdamW(p, lr=0.01, weight_decay=0.1))
k = keras.optimizers
with_keras("keras_sgd_momentum", k.SGD(0.1, momentum=0.9))
with_keras("keras_sgd_nesterov", k.SGD(0.1, momentum=0.9, nesterov=True))
with_keras("keras_rmsprop", k.RMSprop(0.01, rho=0.9))
with_keras("keras_rmsprop_centered", k.RMSprop(0.01, rho=0.9, momentum=0.5, centered=True))
with_keras("keras_adagrad", k.Adagrad(0.1))
with_keras("keras_adam", k.Adam(0.01))
with_keras("keras_adam_amsgrad", k.Adam(0.01, amsgrad=True))
with_keras("keras_adamw", k.AdamW(0.01, weight_decay=0.1))
np.savez_compressed("optimizers.npz", **store)
print(len(store) - 2, "optimizers")
