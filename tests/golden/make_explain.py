"""Golden values of what there is to measure of a model at work: tests/golden/explain.npz.

    pip install torch==2.15.0 transformers==5.23.0 captum==0.9.0 networkx==3.6.1 scipy==1.17.1 numpy && python make_explain.py

The model is the checkpoint hugging_face/gpt2, whose words' vectors are put in from outside: gradients by PyTorch, integrated
gradients by Captum, attention and its gradients by Hugging Face's own code, heads switched off in front of its projection.
Flow by networkx, Kendall's tau by SciPy; entropy, distance, rollout, areas and links by their formulas in NumPy and Python.
tests/golden/explain_test.cc reads all of them.
"""
import networkx
import numpy as np
import scipy.stats
import torch
from captum.attr import IntegratedGradients
from transformers import GPT2LMHeadModel

rng = np.random.default_rng(61)
store = {}


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


# ---- heads ----
weights = softmax(2 * rng.standard_normal((2, 3, 4, 6)))
store["heads/weights"] = weights
store["heads/entropy"] = (-(weights * np.log(weights)).sum(-1)).mean(-1)
places = np.arange(4)[:, None] + 2
store["heads/distance"] = (weights * np.abs(places - np.arange(6)[None])).sum(-1).mean(-1)

# ---- rollout and flow ----
layers = softmax(3 * rng.standard_normal((3, 2, 5, 5)))
tied = layers.mean(1) + np.eye(5)
tied /= tied.sum(-1, keepdims=True)
store["rollout/layers"], store["rollout/rollout"] = layers, tied[2] @ tied[1] @ tied[0]
graph = networkx.DiGraph()
for level in range(3):
    for i in range(5):
        for j in range(5):
            graph.add_edge((level + 1, i), (level, j), capacity=tied[level, i, j])
store["rollout/flow"] = np.array([[networkx.maximum_flow_value(graph, (3, i), (0, j)) for j in range(5)] for i in range(5)])

# from another text of 3 tokens on top, past which nothing goes
top = softmax(3 * np.random.default_rng(62).standard_normal((2, 3, 5)))
store["rollout/top"], store["rollout/rollout_from_top"] = top, top.mean(0) @ store["rollout/rollout"]
for i in range(3):
    for j in range(5):
        graph.add_edge((4, i), (3, j), capacity=top.mean(0)[i, j])
store["rollout/flow_from_top"] = np.array([[networkx.maximum_flow_value(graph, (4, i), (0, j)) for j in range(5)] for i in range(3)])

# ---- order ----
store["kendall/a"], store["kendall/b"] = rng.integers(0, 6, 12).astype(float), rng.integers(0, 6, 12).astype(float)
store["kendall/tau"] = np.array(scipy.stats.kendalltau(store["kendall/a"], store["kendall/b"]).statistic)

# ---- a model ----
FIRST = 4  # the text is gone on with from here
model = GPT2LMHeadModel.from_pretrained("hugging_face/gpt2", attn_implementation="eager").eval()
for parameter in model.parameters():
    parameter.requires_grad_(False)
ids = torch.tensor([2, 7, 5, 9, 4, 10, 3])
read, said = ids[:-1], ids[FIRST:]
words = model.transformer.wte(read)[None]
PARTS = len(said)


def answer(x, **options):
    """(copies, parts): the log-probabilities of what was said."""
    result = model(inputs_embeds=x, **options)
    return torch.log_softmax(result.logits[:, FIRST - 1:], -1)[:, torch.arange(PARTS), said], result


def per_part(of_part):
    return np.stack([np.asarray(of_part(t)) for t in range(PARTS)])


def gradient(t):
    x = words.clone().requires_grad_(True)
    return x, torch.autograd.grad(answer(x)[0][0, t], x)[0]


store["model/ids"], store["model/first"] = ids.numpy(), np.array(FIRST)
store["model/answer"] = answer(words)[0][0].numpy()
store["model/gradients"] = per_part(lambda t: gradient(t)[1][0].norm(dim=-1).numpy())
store["model/input_gradients"] = per_part(lambda t: (gradient(t)[1] * words)[0].sum(-1).numpy())

integrated = IntegratedGradients(lambda x: answer(x)[0])
found = [integrated.attribute(words, baselines=torch.zeros_like(words), target=t, n_steps=32, method="riemann_middle",
                              return_convergence_delta=True) for t in range(PARTS)]
store["model/integrated"] = np.stack([scores[0].sum(-1).numpy() for scores, _ in found])
store["model/completeness_error"] = np.array(max(abs(float(delta)) for _, delta in found))


def without(*places):
    x = words.clone()
    x[0, list(places)] = 0
    return x


COUNT = len(read)
whole = answer(words)[0][0]
store["model/occlusion"] = np.stack([(whole - answer(without(j))[0][0]).numpy() for j in range(COUNT)], 1)


def gradient_times_attention(t, layer):
    attentions = []

    def keep(module, arguments, outputs):
        outputs[1].retain_grad()
        attentions.append(outputs[1])

    hook = model.transformer.h[layer].attn.register_forward_hook(keep)
    x = words.clone().requires_grad_(True)
    # The weights that the output was computed from must be those that are returned.
    answer(x, output_attentions=True)[0][0, t].backward()
    hook.remove()
    return (attentions[0] * attentions[0].grad).sum((0, 1, 2)).detach().numpy()


for layer in range(2):
    store[f"model/attention{layer}"] = model(inputs_embeds=words, output_attentions=True).attentions[layer].numpy()
    store[f"model/gradient_attention{layer}"] = per_part(lambda t: gradient_times_attention(t, layer))

# ---- areas ----
scores = rng.standard_normal(COUNT)
order = np.argsort(-scores)


def probability(x):
    return float(answer(x)[0][0].mean().exp())


removed = [probability(without(*order[:n])) for n in range(COUNT + 1)]
kept = [probability(without(*order[n:])) for n in range(COUNT + 1)]
store["areas/scores"], store["areas/removed"], store["areas/kept"] = scores, np.array(removed), np.array(kept)
at = np.linspace(0, 1, COUNT + 1)
store["areas/comprehensiveness"] = np.array(removed[0] - np.trapezoid(removed, at))
store["areas/sufficiency"] = np.array(removed[0] - np.trapezoid(kept, at))

# ---- heads switched off ----
lost = np.zeros((2, 2))
width = model.config.n_embd // model.config.n_head
for layer in range(2):
    for head in range(2):
        def switch_off(module, arguments):
            x = arguments[0].clone()
            x[..., head * width:(head + 1) * width] = 0
            return (x,)

        hook = model.transformer.h[layer].attn.c_proj.register_forward_pre_hook(switch_off)
        lost[layer, head] = float((whole - answer(words)[0][0]).mean())
        hook.remove()
store["model/lost"] = lost


# ---- weights that are equal ----
def uniform(layer):
    def equal(module, arguments, keywords, output):
        x = arguments[0] if arguments else keywords["hidden_states"]
        value = module.c_attn(x).split(model.config.n_embd, -1)[2]
        seen = torch.tril(torch.ones(COUNT, COUNT))
        return (module.c_proj(seen / seen.sum(-1, keepdim=True) @ value),) + tuple(output[1:])

    hook = model.transformer.h[layer].attn.register_forward_hook(equal, with_kwargs=True)
    result = probability(words)
    hook.remove()
    return result


store["model/uniform"] = np.array([uniform(layer) for layer in range(2)])


# ---- links ----
def grow_diag(e2f, f2e):
    """Koehn et al. 2005, after the pseudocode."""
    points, either = e2f & f2e, e2f | f2e
    while True:
        before = len(points)
        for s, t in sorted(points):
            for ds, dt in ((-1, 0), (0, -1), (1, 0), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1)):
                new = (s + ds, t + dt)
                if new in either and not ({p[0] for p in points} >= {new[0]} and {p[1] for p in points} >= {new[1]}):
                    points.add(new)
        if len(points) == before:
            return points


def rows(points):
    return np.array(sorted(points), dtype=np.int64).reshape(-1, 2)


def some(count):
    return {(int(s), int(t)) for s, t in rng.integers(0, 6, (count, 2))}


a = {(j, int(rng.integers(0, 6))) for j in range(6)} | {(2, 2), (4, 3)}
b = {(int(rng.integers(0, 6)), i) for i in range(6)} | {(2, 2), (4, 3)}
store["links/a"], store["links/b"] = rows(a), rows(b)
store["links/intersection"], store["links/either"], store["links/grow_diag"] = rows(a & b), rows(a | b), rows(grow_diag(a, b))
sure, possible = some(5), some(9)
possible |= sure
store["links/sure"], store["links/possible"] = rows(sure), rows(possible)
store["links/error_rate"] = np.array(1 - (len(a & sure) + len(a & possible) + len(b & sure) + len(b & possible)) /
                                     (len(a) + len(b) + 2 * len(sure)))

np.savez_compressed("explain.npz", **store)
print({name: value.shape for name, value in store.items()})
