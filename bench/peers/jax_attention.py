"""JAX's dot_product_attention beside heed: forward, forward and backward."""
import jax

from peers import SHAPES, THREADS, best, heed_passes, report, wanted

print("JAX", jax.__version__, "on", THREADS, "threads")
attend = jax.nn.dot_product_attention
forward = jax.jit(attend, static_argnames="is_causal")
both = jax.jit(jax.grad(lambda q, k, v, is_causal: attend(q, k, v, is_causal=is_causal).sum(), (0, 1, 2)),
               static_argnames="is_causal")

for shape in wanted(SHAPES):
    batch, heads, queries, keys, width = shape
    one, two, three = jax.random.split(jax.random.PRNGKey(0), 3)
    q = jax.random.normal(one, (batch, queries, heads, width))
    k, v = (jax.random.normal(key, (batch, keys, heads, width)) for key in (two, three))
    for name, flags, causal in (("plain", [], False), ("causal", ["--causal"], True)):
        ours = heed_passes(shape, *flags)
        for part, work, mine in (("forward", forward, ours.get("forward")), ("both", both, sum(ours.values()))):
            report(name, shape, part, best(lambda: jax.block_until_ready(work(q, k, v, is_causal=causal)), 3), mine)
