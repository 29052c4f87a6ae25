"""Golden values of the models of sentences: twins in PyTorch 2.15, in f64: tests/golden/models.npz.

    pip install torch==2.15.0 numpy && python make_models.py

Each twin is written from its paper with the names that heed's model gives to its weights, and knows nothing of padding:
it reads one sentence after the other. A case holds its weights (NAME/weight/...), the logits (NAME/logits, zero in the
padding), what is sent back (NAME/seed) and the gradients (NAME/gradient/...); the sentences are those of all cases.
tests/golden/models_test.cc has a line for each case.
"""
import math

import numpy as np
import torch
import torch.nn.functional as F

WIDTH, SOURCE_WORDS, TARGET_WORDS, LONGEST = 6, 7, 5, 5
SOURCES = [[3, 4, 6, 2], [5, 2], [6, 3, 2]]
TARGETS = [[1, 4, 3], [1, 2, 3, 4], [1, 3]]
BEFORE = [[1, 2, 4, 3], [], [3, 4]]  # what a language model remembers
rng = np.random.default_rng(5)
store = {}


class Weights:
    """Drawn when they are first asked for."""

    def __init__(self):
        self.all = {}

    def __call__(self, name, *shape):
        if name not in self.all:
            values = rng.uniform(-0.6, 0.6, shape).astype(np.float32)
            self.all[name] = torch.tensor(values, dtype=torch.float64, requires_grad=True)
        return self.all[name]

    def linear(self, name, x, out, bias=True):
        return F.linear(x, self(f"{name}.weight", out, x.shape[-1]), self(f"{name}.bias", out) if bias else None)

    def embed(self, name, ids, words, width=WIDTH):
        return self(f"{name}.weight", words, width)[ids]


def cell(w, name, kind, x, state):
    """One step: x (in), state (h, c); the gates i, f, g, o or r, z, n."""
    h, c = state
    width, gates = len(h), 4 if kind == "lstm" else 3
    a = F.linear(x, w(f"{name}.input", gates * width, len(x)), w(f"{name}.input_bias", gates * width))
    u = F.linear(h, w(f"{name}.hidden", gates * width, width), w(f"{name}.hidden_bias", gates * width))
    if kind == "lstm":
        i, f, g, o = (a + u).chunk(4)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c
    (ar, az, an), (ur, uz, un) = a.chunk(3), u.chunk(3)
    z = torch.sigmoid(az + uz)
    return (1 - z) * torch.tanh(an + torch.sigmoid(ar + ur) * un) + z * h, c


def zero(width=WIDTH):
    return torch.zeros(width, dtype=torch.float64), torch.zeros(width, dtype=torch.float64)


def layer(w, name, kind, xs, state, reverse=False, direction=0):
    """All steps, and the last state."""
    out = []
    for x in reversed(xs) if reverse else xs:
        state = cell(w, f"{name}.directions.{direction}", kind, x, state)
        out.append(state[0])
    return (out[::-1] if reverse else out), state


def both(w, name, kind, xs, width):
    ahead, _ = layer(w, name, kind, xs, zero(width))
    back, first = layer(w, name, kind, xs, zero(width), True, 1)
    return [torch.cat(pair) for pair in zip(ahead, back)], first


def additive(w, name, q, keys):
    v, bias = w(f"{name}.vec", WIDTH), w(f"{name}.b", WIDTH)
    hidden = F.linear(q, w(f"{name}.w", WIDTH, WIDTH)) + F.linear(keys, w(f"{name}.u", WIDTH, WIDTH)) + bias
    return torch.softmax(torch.tanh(hidden) @ v, 0) @ keys


def rnn_search(w, source, target, kind):
    states, first = both(w, "encoder", kind, list(w.embed("source", source, SOURCE_WORDS)), WIDTH // 2)
    keys, state = torch.stack(states), (torch.tanh(w.linear("first", first[0], WIDTH)), zero()[1])
    features = []
    for word in w.embed("target", target, TARGET_WORDS):
        context = additive(w, "attention", state[0], keys)
        before = w.linear("of_state", state[0], 2 * WIDTH) + w.linear("of_word", word, 2 * WIDTH, False)
        before = before + w.linear("of_context", context, 2 * WIDTH, False)
        features.append(before.view(WIDTH, 2).amax(1))
        state = cell(w, "decoder.directions.0", kind, torch.cat([word, context]), state)
    return features


def luong(w, source, target, kind, feeding, span, layers=2):
    xs, states = list(w.embed("source", source, SOURCE_WORDS)), []
    for n in range(layers):
        xs, last = layer(w, f"encoder.layers.{n}", kind, xs, zero())
        states.append(last)
    keys, seen, features = torch.stack(xs), zero()[0], []
    for t, word in enumerate(w.embed("target", target, TARGET_WORDS)):
        x = torch.cat([word, seen]) if feeding else word
        for n in range(layers):
            states[n] = cell(w, f"decoder.layers.{n}.directions.0", kind, x, states[n])
            x = states[n][0]
        scores = (x @ w("attention.w", WIDTH, WIDTH)) @ keys.T
        j = torch.arange(len(keys), dtype=torch.float64)
        fall = torch.ones(len(keys), dtype=torch.float64)
        centre = None
        if span == "local_m":
            centre = torch.tensor(float(t))
        if span == "local_p":
            inner = torch.tanh(F.linear(x, w("attention.place", WIDTH, WIDTH))) @ w("attention.place_vector", WIDTH)
            centre = len(keys) * torch.sigmoid(inner)
            fall = torch.exp(-((j - centre) ** 2) / (2 * 0.5 ** 2))
        if centre is not None:
            scores = scores.masked_fill((j - centre).abs() > 1, -math.inf)
        weights = torch.softmax(scores, 0).nan_to_num() * fall
        seen = torch.tanh(w.linear("mix", torch.cat([weights @ keys, x]), WIDTH, False))
        features.append(seen)
    return features


def plain(w, source, target, kind, layers=2):
    xs, states = list(w.embed("source", source, SOURCE_WORDS)), []
    for n in range(layers):
        xs, last = layer(w, f"encoder.layers.{n}", kind, xs, zero(), reverse=True)
        states.append(last)
    ys = list(w.embed("target", target, TARGET_WORDS))
    for n in range(layers):
        ys, _ = layer(w, f"decoder.layers.{n}", kind, ys, states[n])
    return ys


def gnmt(w, source, target, kind, layers=3):
    xs, _ = both(w, "encoder.0", kind, list(w.embed("source", source, SOURCE_WORDS)), WIDTH)
    for n in range(1, layers):
        ys, _ = layer(w, f"encoder.{n}", kind, xs, zero())
        xs = [x + y for x, y in zip(xs, ys)] if n >= 2 else ys
    keys, states, features = torch.stack(xs), [zero() for _ in range(layers)], []
    for word in w.embed("target", target, TARGET_WORDS):
        context, x = additive(w, "attention", states[0][0], keys), word
        for n in range(layers):
            states[n] = cell(w, f"decoder.{n}.directions.0", kind, torch.cat([x, context]), states[n])
            x = x + states[n][0] if n >= 2 else states[n][0]
        features.append(x)
    return features


def gated(w, name, x, before, after, kernel):
    """x (T, width)"""
    v = w(f"{name}.direction", 2 * WIDTH, WIDTH, kernel)
    weight = torch._weight_norm(v, w(f"{name}.gain", 2 * WIDTH).view(-1, 1, 1), 0)
    padded = F.pad(x.T[None], (before, after))
    return F.glu(F.conv1d(padded, weight, w(f"{name}.bias", 2 * WIDTH)), 1)[0].T


def conv(w, source, target, kernel, layers=2):
    half = math.sqrt(0.5)

    def placed(name, ids, words):
        places = w.embed(f"{name}.places", torch.arange(len(ids)), LONGEST)
        return w.embed(f"{name}.words", ids, words) + places

    e, g = placed("source", source, SOURCE_WORDS), placed("target", target, TARGET_WORDS)
    x = w.linear("source_in", e, WIDTH)
    for n in range(layers):
        x = (x + gated(w, f"encoder.{n}", x, (kernel - 1) // 2, kernel // 2, kernel)) * half
    z = w.linear("source_out", x, WIDTH)
    x = w.linear("target_in", g, WIDTH)
    for n in range(layers):
        h = gated(w, f"decoder.{n}.convolution", x, kernel - 1, 0, kernel)
        d = (w.linear(f"decoder.{n}.query", h, WIDTH) + g) * half
        c = torch.softmax(d @ z.T, -1) @ ((z + e) * half) * math.sqrt(len(e))
        x = ((h + w.linear(f"decoder.{n}.context", c, WIDTH)) * half + x) * half
    return list(w.linear("target_out", x, WIDTH))


def transformer_xl(w, before, target, layers=2, heads=2):
    """Dai et al. 2019; `before` is the memory: the inputs of the same layer, without gradients."""
    depth = WIDTH // heads

    def attend(name, x, memory):
        both = torch.cat([memory.detach(), x])
        q, k, v = (w.linear(f"{name}.heads.{part}", of, WIDTH).view(-1, heads, depth)
                   for part, of in (("query", x), ("key", both), ("value", both)))
        u, b = w(f"{name}.u", heads, depth), w(f"{name}.v_bias", heads, depth)
        distance = torch.arange(len(memory), len(both))[:, None] - torch.arange(len(both))[None]
        angles = distance[..., None] * 10000.0 ** (-torch.arange(0, WIDTH, 2, dtype=torch.float64) / WIDTH)
        r = F.linear(torch.cat([angles.sin(), angles.cos()], -1), w(f"{name}.w_relative", WIDTH, WIDTH))
        r = r.view(len(x), len(both), heads, depth)
        scores = torch.einsum("thd,shd->hts", q + u, k) + torch.einsum("thd,tshd->hts", q + b, r)
        weights = torch.softmax((scores / math.sqrt(depth)).masked_fill(distance < 0, -math.inf), -1)
        return w.linear(f"{name}.heads.output", torch.einsum("hts,shd->thd", weights, v).reshape(-1, WIDTH), WIDTH)

    def norm(name, x):
        return F.layer_norm(x, (WIDTH,), w(f"{name}.weight", WIDTH), w(f"{name}.bias", WIDTH))

    def layer(n, x, memory):
        x = norm(f"layers.{n}.after_self.norm", x + attend(f"layers.{n}.self", x, memory))
        inner = torch.relu(w.linear(f"layers.{n}.forward.in", x, 4 * WIDTH))
        return norm(f"layers.{n}.after_forward.norm", x + w.linear(f"layers.{n}.forward.out", inner, WIDTH))

    m, h = (w.embed("text.words", ids, TARGET_WORDS) * math.sqrt(WIDTH) for ids in (before, target))
    for n in range(layers):
        m, h = layer(n, m, m[:0]), layer(n, h, m)
    return list(h)


def padded(rows):
    ids = np.zeros((len(rows), max(map(len, rows))), np.int64)
    for n, row in enumerate(rows):
        ids[n, : len(row)] = row
    return ids


def case(name, twin, sources=SOURCES, logits_of=lambda w, x: w.linear("words", x, TARGET_WORDS)):
    w, steps = Weights(), max(map(len, TARGETS))
    logits = torch.zeros(len(sources), steps, TARGET_WORDS, dtype=torch.float64)
    for n, (source, target) in enumerate(zip(sources, TARGETS)):
        features = torch.stack(twin(w, torch.tensor(source, dtype=torch.int64), torch.tensor(target)))
        logits[n, : len(target)] = logits_of(w, features)
    seed = np.zeros(logits.shape, np.float32)
    for n, target in enumerate(TARGETS):
        seed[n, : len(target)] = rng.uniform(-1, 1, (len(target), TARGET_WORDS))
    (logits * torch.tensor(seed, dtype=torch.float64)).sum().backward()
    store[f"{name}/logits"], store[f"{name}/seed"] = logits.detach().numpy(), seed
    for key, weight in w.all.items():
        store[f"{name}/weight/{key}"] = weight.detach().numpy().astype(np.float32)
        store[f"{name}/gradient/{key}"] = weight.grad.numpy().astype(np.float32)


store["source"], store["source_lengths"] = padded(SOURCES), np.array([len(s) for s in SOURCES])
store["before"], store["before_lengths"] = padded(BEFORE), np.array([len(b) for b in BEFORE])
store["target"], store["target_lengths"] = padded(TARGETS), np.array([len(t) for t in TARGETS])
case("rnn_search", lambda w, s, t: rnn_search(w, s, t, "gru"))
case("rnn_search_lstm", lambda w, s, t: rnn_search(w, s, t, "lstm"))
case("luong", lambda w, s, t: luong(w, s, t, "lstm", True, None))
case("luong_at_once", lambda w, s, t: luong(w, s, t, "gru", False, None, layers=1))
case("luong_local_m", lambda w, s, t: luong(w, s, t, "gru", True, "local_m", layers=1))
case("luong_local_p", lambda w, s, t: luong(w, s, t, "gru", False, "local_p", layers=1))
case("plain_seq2seq", lambda w, s, t: plain(w, s, t, "lstm"))
case("gnmt", lambda w, s, t: gnmt(w, s, t, "lstm"))
case("conv_seq2seq", lambda w, s, t: conv(w, s, t, 3))
case("conv_seq2seq_even", lambda w, s, t: conv(w, s, t, 2, layers=1))
case("transformer_xl", transformer_xl, BEFORE, lambda w, x: x @ w("text.words.weight", TARGET_WORDS, WIDTH).T)

np.savez_compressed("models.npz", **store)
print(len({k.split("/")[0] for k in store if "/" in k}), "cases,", len(store), "arrays")
