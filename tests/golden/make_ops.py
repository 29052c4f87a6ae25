"""Golden values of the ops from PyTorch 2.15, in f64: tests/golden/ops.npz.

    pip install torch==2.15.0 numpy && python make_ops.py

Each case holds its inputs (NAME/in0, in1, ...), its outputs (NAME/out0, ...), the gradients that are sent back
(NAME/dout0, ...) and what arrives at the inputs (NAME/din0, ...). tests/golden/ops_test.cc has a line for each case.
"""
import numpy as np
import torch
import torch.nn.functional as F

rng = np.random.default_rng(20)
store = {}


def numbers(*shape, low=-2.0, high=2.0):
    return torch.tensor(rng.uniform(low, high, shape), dtype=torch.float64)


def case(name, function, *inputs):
    """Runs function(*inputs); floating inputs get gradients."""
    leaves = [i.clone().requires_grad_(i.is_floating_point()) for i in inputs]
    outputs = function(*leaves)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    for i, leaf in enumerate(leaves):
        store[f"{name}/in{i}"] = leaf.detach().numpy()
    total = 0
    for i, out in enumerate(outputs):
        store[f"{name}/out{i}"] = out.detach().numpy()
        if out.is_floating_point() and out.requires_grad:
            seed = numbers(*out.shape)
            store[f"{name}/dout{i}"] = seed.numpy()
            total = total + (out * seed).sum()
    if isinstance(total, torch.Tensor):
        total.backward()
        for i, leaf in enumerate(leaves):
            if leaf.grad is not None:
                store[f"{name}/din{i}"] = leaf.grad.numpy()


x, y = numbers(3, 5), numbers(3, 5)
row, column = numbers(5), numbers(3, 1)
positive = numbers(3, 5, low=0.2, high=3)
case("add", lambda a, b: a + b, x, row)
case("subtract", lambda a, b: a - b, column, x)
case("multiply", lambda a, b: a * b, x, column)
case("divide", lambda a, b: a / b, x, positive)
case("power", lambda a, b: a ** b, positive, y)
case("minimum", torch.minimum, x, y)
case("maximum", torch.maximum, x, row)
case("where", lambda a, b: torch.where(a > b, a, b * 2), x, y)
case("masked_fill", lambda a: a.masked_fill(a > 0.5, -7.0), x)
case("clamp", lambda a: a.clamp(-0.5, 1.0), x)
for name, function in {
    "exp": torch.exp, "exp2": torch.exp2, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "erf": torch.erf,
    "sin": torch.sin, "cos": torch.cos, "gelu": F.gelu, "gelu_tanh": lambda a: F.gelu(a, approximate="tanh"),
    "silu": F.silu, "softplus": F.softplus, "relu": F.relu, "leaky_relu": lambda a: F.leaky_relu(a, 0.1),
    "elu": lambda a: F.elu(a, 0.7), "abs": torch.abs, "square": torch.square,
}.items():
    case(name, function, x)
for name, function in {"log": torch.log, "sqrt": torch.sqrt, "rsqrt": torch.rsqrt, "reciprocal": torch.reciprocal}.items():
    case(name, function, positive)

z = numbers(2, 3, 4)
case("sum", lambda a: a.sum(1), z)
case("mean", lambda a: a.mean((0, 2), keepdim=True), z)
case("max", lambda a: a.amax(2), z)
case("min", lambda a: a.amin(0), z)
case("variance", lambda a: a.var(2, correction=1), z)
case("norm", lambda a: a.norm(dim=1), z)
case("norm_p3", lambda a: a.norm(p=3, dim=2), z)
case("log_sum_exp", lambda a: a.logsumexp((0, 1)), z)
case("cumulative_sum", lambda a: a.cumsum(1), z)
case("argmax", lambda a: a.argmax(1), z)
case("argmin", lambda a: a.argmin(2), z)
case("sort", lambda a: tuple(torch.sort(a, dim=-1, stable=True)), z)
case("sort_down", lambda a: tuple(torch.sort(a, dim=1, descending=True, stable=True)), z)
case("topk", lambda a: tuple(torch.topk(a, 2, dim=-1)), z)

case("reshape", lambda a: a.reshape(4, 6), z)
case("transpose", lambda a: a.transpose(0, 2), z)
case("permute", lambda a: a.permute(2, 0, 1), z)
case("slice", lambda a: a[:, 1:, ::2], z)
case("concat", lambda a, b: torch.cat([a, b], 1), z, numbers(2, 2, 4))
case("stack", lambda a, b: torch.stack([a, b], 1), x, y)
case("pad", lambda a: F.pad(a, (1, 2, 0, 1), value=0.5), z)
case("repeat", lambda a: a.repeat(2, 1, 3), z)
case("expand", lambda a: a.expand(4, 3, 5), column)
case("flip", lambda a: a.flip((0, 2)), z)
case("roll", lambda a: a.roll(1, 2), z)
case("tril", lambda a: a.tril(-1), x)
case("triu", lambda a: a.triu(1), x)
ids = torch.tensor([[0, 2, 1, 1], [2, 2, 0, 1]])
case("gather", lambda a, i: torch.gather(a, 1, i), numbers(2, 3), ids)
case("scatter_add", lambda a, i, s: torch.scatter_add(a, 1, i, s), numbers(2, 3), ids, numbers(2, 4))
case("index_select", lambda a, i: a.index_select(0, i), numbers(3, 4), torch.tensor([2, 0, 2]))
case("one_hot", lambda i: F.one_hot(i, 4).double(), ids)

case("matmul", torch.matmul, numbers(3, 4), numbers(4, 5))
case("matmul_batched", torch.matmul, numbers(2, 1, 3, 4), numbers(3, 4, 5))
case("matmul_vector", torch.matmul, numbers(2, 3, 4), numbers(4))
case("linear", F.linear, numbers(2, 3, 4), numbers(5, 4), numbers(5))
case("linear_gelu", lambda a, w, b: F.gelu(F.linear(a, w, b)), numbers(3, 4), numbers(5, 4), numbers(5))
case("einsum", lambda a, b: torch.einsum("bthd,bshd->bhts", a, b), numbers(2, 3, 2, 4), numbers(2, 5, 2, 4))
case("einsum_diagonal", lambda a, b: torch.einsum("iij,j->i", a, b), numbers(3, 3, 4), numbers(4))

case("layer_norm", lambda a, w, b: F.layer_norm(a, (5,), w, b), x, numbers(5), numbers(5))
case("rms_norm", lambda a, w: F.rms_norm(a, (5,), w, eps=1e-6), x, numbers(5))
case("group_norm", lambda a, w, b: F.group_norm(a, 2, w, b), numbers(2, 4, 3), numbers(4), numbers(4))
case("batch_norm", lambda a, w, b: F.batch_norm(a, None, None, w, b, training=True), numbers(4, 3, 2), numbers(3), numbers(3))
case("batch_norm_inference",
     lambda a, w, b, m, v: F.batch_norm(a, m.detach(), v.detach(), w, b, training=False),
     numbers(4, 3, 2), numbers(3), numbers(3), numbers(3), numbers(3, low=0.5))
case("softmax", lambda a: F.softmax(a, 1), z)
case("log_softmax", lambda a: F.log_softmax(a, -1), z)
case("embedding", lambda w, i: F.embedding(i, w), numbers(4, 3), ids)

image, kernel = numbers(2, 4, 6, 5), numbers(6, 2, 3, 2)
case("conv2d", lambda a, w, b: F.conv2d(a, w, b, stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2), image, kernel, numbers(6))
case("conv1d", lambda a, w, b: F.conv1d(a, w, b, stride=2, padding=1), numbers(2, 3, 7), numbers(4, 3, 3), numbers(4))
case("max_pool2d", lambda a: F.max_pool2d(a, (3, 2), (2, 1), (1, 0)), image)
case("max_pool1d", lambda a: F.max_pool1d(a, 2), numbers(2, 3, 7))
case("average_pool2d", lambda a: F.avg_pool2d(a, 3, 2, 1), image)
case("average_pool2d_inside", lambda a: F.avg_pool2d(a, 3, 2, 1, count_include_pad=False), image)
case("average_pool1d", lambda a: F.avg_pool1d(a, 3), numbers(2, 3, 7))

logits, targets = numbers(6, 5), torch.tensor([0, 4, -100, 2, 2, 1])
classes = numbers(5, low=0.2, high=2)
case("cross_entropy", lambda a, t: F.cross_entropy(a, t), logits, targets)
case("cross_entropy_smooth", lambda a, t: F.cross_entropy(a, t, label_smoothing=0.1, reduction="sum"), logits, targets)
case("cross_entropy_weights", lambda a, t, w: F.cross_entropy(a, t, weight=w.detach(), label_smoothing=0.2), logits, targets, classes)
case("cross_entropy_each", lambda a, t: F.cross_entropy(a, t, reduction="none"), logits, targets)
case("linear_cross_entropy", lambda a, w, b, t: F.cross_entropy(F.linear(a, w, b), t, label_smoothing=0.1),
     numbers(6, 3), numbers(5, 3), numbers(5), targets)
case("binary_cross_entropy", lambda a, t: F.binary_cross_entropy_with_logits(a, t.detach()), x, torch.rand(3, 5, dtype=torch.float64))
case("mse_loss", F.mse_loss, x, y)
case("l1_loss", F.l1_loss, x, y)
case("huber_loss", lambda a, b: F.huber_loss(a, b, delta=0.7), x, y)
case("kl_divergence", lambda a, p: F.kl_div(F.log_softmax(a, -1), p, reduction="batchmean"), x, F.softmax(y, -1))
case("cosine_similarity", lambda a, b: F.cosine_similarity(a, b, -1), x, y)


def recurrent(name, module, steps=4, batch=3, lengths=None):
    """Inputs: x, then the weights of each direction, then h0 (and c0)."""
    module = module.double()
    directions = 2 if module.bidirectional else 1
    states = [numbers(directions, batch, module.hidden_size) for _ in range(2 if module.mode == "LSTM" else 1)]
    parameters = [p.detach() for p in module.parameters()]
    names = [n for n, _ in module.named_parameters()]

    def run(a, *rest):
        given = dict(zip(names, rest))
        state = rest[len(names):]
        state = tuple(state) if module.mode == "LSTM" else state[0]
        if lengths is not None:
            a = torch.nn.utils.rnn.pack_padded_sequence(a, torch.tensor(lengths), enforce_sorted=False)
        out, last = torch.func.functional_call(module, given, (a, state))
        if lengths is not None:
            out, _ = torch.nn.utils.rnn.pad_packed_sequence(out, total_length=steps)
        return (out, *last) if module.mode == "LSTM" else (out, last)

    case(name, run, numbers(steps, batch, module.input_size), *parameters, *states)
    if lengths is not None:
        store[f"{name}/lengths"] = np.array(lengths)


torch.manual_seed(1)
recurrent("lstm", torch.nn.LSTM(3, 4))
recurrent("lstm_both", torch.nn.LSTM(3, 4, bidirectional=True), lengths=[4, 2, 3])
recurrent("gru", torch.nn.GRU(3, 4))
recurrent("gru_both", torch.nn.GRU(3, 4, bidirectional=True), lengths=[1, 4, 3])
recurrent("rnn_tanh", torch.nn.RNN(3, 4))
recurrent("rnn_relu", torch.nn.RNN(3, 4, nonlinearity="relu"))

np.savez_compressed("ops.npz", **store)
print(len({k.split("/")[0] for k in store}), "cases,", len(store), "arrays")
