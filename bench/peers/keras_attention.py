"""Keras' AdditiveAttention (TensorFlow below) beside heed: forward, forward and backward."""
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
from tensorflow import keras

from peers import ADDITIVE_SHAPES, THREADS, best, heed_passes, report, wanted

tf.config.threading.set_intra_op_parallelism_threads(THREADS)
print("Keras", keras.__version__, "on", THREADS, "threads")


def passes(shape):
    batch, _, queries, keys, width = shape
    draw = np.random.default_rng(0)
    q = tf.constant(draw.standard_normal((batch, queries, width), "f"))
    k = tf.constant(draw.standard_normal((batch, keys, width), "f"))
    layer = keras.layers.AdditiveAttention()
    layer([q, k])

    @tf.function
    def forward():
        return layer([q, k])

    @tf.function
    def both():
        with tf.GradientTape() as tape:
            tape.watch([q, k])
            total = tf.reduce_sum(layer([q, k]))
        return tape.gradient(total, [q, k])

    return forward, both


for shape in wanted(ADDITIVE_SHAPES):
    ours = heed_passes(shape, "--mechanism", "keras_additive")
    if ours:
        forward, both = passes(shape)
        report("additive", shape, "forward", best(forward), ours["forward"])
        report("additive", shape, "both", best(both, 3), sum(ours.values()))
