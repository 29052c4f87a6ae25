"""A Transformer of the base shape with random weights in CTranslate2, ONNX Runtime and heed: greedy, beam 4, encoder."""
import os
import sys
import tempfile

import ctranslate2
import numpy
import onnxruntime
import torch
from ctranslate2.converters import transformers as converters
from onnxruntime.transformers import optimizer
from transformers import MarianConfig, MarianMTModel

from peers import THREADS, best, heed_model, report

SENTENCES, LENGTH, WORDS = 32, 32, 32000
SHAPE = f"{SENTENCES}x{LENGTH} V {WORDS}"
torch.manual_seed(0)
torch.set_num_threads(THREADS)


def base_model():
    return MarianMTModel(MarianConfig(
        vocab_size=WORDS, d_model=512, encoder_layers=6, decoder_layers=6, encoder_attention_heads=8,
        decoder_attention_heads=8, encoder_ffn_dim=2048, decoder_ffn_dim=2048, max_position_embeddings=512,
        pad_token_id=WORDS - 1, eos_token_id=0, forced_eos_token_id=None, bos_token_id=0,
        decoder_start_token_id=WORDS - 1, activation_function="relu")).eval()


def translator(model, folder):
    tokens = ["</s>", *(f"t{i}" for i in range(1, WORDS - 2)), "<unk>", "<pad>"]
    model.config.normalize_before = model.config.normalize_embedding = False
    spec = converters.BartLoader.get_model_spec(converters.MarianMTLoader(), model)
    spec.register_source_vocabulary(tokens)
    spec.register_target_vocabulary(tokens)
    spec.config.eos_token = spec.config.bos_token = "</s>"
    spec.config.unk_token, spec.config.decoder_start_token = "<unk>", "<pad>"
    spec.validate()
    spec.optimize(quantization=None)
    os.makedirs(folder)
    spec.save(folder)
    return ctranslate2.Translator(folder, device="cpu", intra_threads=THREADS, compute_type="float32")


def decoding(model, folder):
    peer = translator(model, folder)
    ids = numpy.random.default_rng(0).integers(1, WORDS - 10, (SENTENCES, LENGTH))
    source = [[f"t{i}" for i in row] for row in ids]
    for beam, which in ((1, "greedy"), (4, "beam 4")):
        work = lambda: peer.translate_batch(source, beam_size=beam, min_decoding_length=LENGTH,
                                            max_decoding_length=LENGTH, max_batch_size=0)
        ours = heed_model("decoding", "transformer", which)
        report("CTranslate2", SHAPE, which, best(work, 2), ours["ms"])


def encoder(model, folder):
    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = model.get_encoder()

        def forward(self, ids):
            return self.encoder(input_ids=ids).last_hidden_state

    ids = torch.randint(1, WORDS - 10, (SENTENCES, LENGTH))
    plain, fused = os.path.join(folder, "encoder.onnx"), os.path.join(folder, "fused.onnx")
    torch.onnx.export(Encoder(), (ids,), plain, input_names=["ids"], dynamo=False, opset_version=17)
    optimizer.optimize_model(plain, model_type="bart", num_heads=8, hidden_size=512).save_model_to_file(fused)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    times = []
    for path in (plain, fused):
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        times.append(best(lambda: session.run(None, {"ids": ids.numpy()})))
    report("ONNX Runtime", SHAPE, "encode", min(times), heed_model("decoding", "transformer encoder")["ms"])


print("CTranslate2", ctranslate2.__version__, "ONNX Runtime", onnxruntime.__version__, "on", THREADS, "threads",
      file=sys.stderr)
with tempfile.TemporaryDirectory() as folder:
    made = base_model()
    decoding(made, os.path.join(folder, "ct2"))
    encoder(made, folder)
