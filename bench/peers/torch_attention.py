"""PyTorch's scaled_dot_product_attention beside heed: forward, causal, backward, boolean mask, dropout; additive scores."""
import torch
from torch.nn.functional import scaled_dot_product_attention as attend

from peers import ADDITIVE_SHAPES, SHAPES, THREADS, best, heed_lines, heed_passes, report, wanted

torch.manual_seed(0)
torch.set_num_threads(THREADS)
print("PyTorch", torch.__version__, "on", THREADS, "threads")


def tensors(shape):
    batch, heads, queries, keys, width = shape
    q = torch.randn(batch, heads, queries, width)
    k, v = (torch.randn(batch, heads, keys, width) for _ in range(2))
    return q, k, v


def backward(inputs, **options):
    inputs = [x.clone().requires_grad_() for x in inputs]
    out = attend(*inputs, **options)
    seed = torch.randn_like(out)
    return lambda: torch.autograd.grad(out, inputs, seed, retain_graph=True)


def plain():
    for shape in wanted(SHAPES):
        inputs = tensors(shape)
        for name, flags, options in (("plain", [], {}), ("causal", ["--causal"], {"is_causal": True})):
            ours = heed_passes(shape, *flags)
            report(name, shape, "forward", best(lambda: attend(*inputs, **options)), ours.get("forward"))
            report(name, shape, "backward", best(backward(inputs, **options), 3), ours.get("backward"))


def with_options():
    shape = SHAPES[0]
    inputs = tensors(shape)
    mask = torch.rand(shape[2], shape[3]) > 0.1
    for name, options in (("boolean mask", {"attn_mask": mask}), ("dropout 0.1", {"dropout_p": 0.1})):
        for line in heed_lines("--filter", name):
            work = backward(inputs, **options) if line["pass"] == "backward" else lambda: attend(*inputs, **options)
            report(name, shape, line["pass"], best(work, 2), line["ms"])


def additive(q, k, v):
    return torch.softmax((torch.tanh(q.unsqueeze(2) + k.unsqueeze(1)) * v).sum(-1), -1) @ k


def additive_scores():
    for shape in wanted(ADDITIVE_SHAPES):
        batch, _, queries, keys, width = shape
        inputs = [torch.randn(batch, queries, width), torch.randn(batch, keys, width), torch.randn(width)]
        ours = heed_passes(shape, "--mechanism", "keras_additive")
        if not ours:
            return
        with torch.no_grad():
            report("additive", shape, "forward", best(lambda: additive(*inputs), 2), ours["forward"])
        for x in inputs:
            x.requires_grad_()
        report("additive", shape, "both", best(lambda: additive(*inputs).sum().backward(), 2), sum(ours.values()))


plain()
with_options()
additive_scores()
