"""The same language model, data and steps in PyTorch and in heed, three seeds each: do they learn as much?

A Transformer decoder (pre-norm, GELU, learned places, tied words) reads made reviews by characters; what is compared is
the loss a character of 1,000 reviews that neither was trained on.
"""
import json
import math
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from peers import ARGUMENTS, THREADS

WIDTH, HEADS, LAYERS, LONGEST, BATCH, RATE, DROPOUT = 64, 4, 2, 256, 32, 1e-3, 0.1
STEPS = 60 if ARGUMENTS.quick else 400
SEEDS = (1, 2, 3)
PAD, BEGIN, END = 0, 1, 2


def texts(folder, name, count, seed):
    done = subprocess.run([ARGUMENTS.heed, "data", "reviews", "-n", str(count), "--seed", str(seed), "--lang",
                           "en"], capture_output=True, text=True, check=True)
    lines = [line.split("\t")[1] for line in done.stdout.splitlines()]
    (folder / name).write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return lines


class Decoder(nn.Module):
    def __init__(self, words):
        super().__init__()
        self.words, self.places = nn.Embedding(words, WIDTH), nn.Parameter(torch.empty(LONGEST, WIDTH))
        self.drop = nn.Dropout(DROPOUT)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(WIDTH, HEADS, 4 * WIDTH, DROPOUT, "gelu", batch_first=True, norm_first=True)
            for _ in range(LAYERS))
        for layer in self.layers:  # heed has this dropout and that of attention at 0 by default
            layer.dropout.p = layer.self_attn.dropout = 0.0
        self.norm, self.bias = nn.LayerNorm(WIDTH), nn.Parameter(torch.zeros(words))
        nn.init.normal_(self.words.weight, 0, 1 / math.sqrt(WIDTH))
        nn.init.normal_(self.places, 0, 0.02)
        for name, weight in self.layers.named_parameters():
            if name.endswith("in_proj_weight"):
                for part in weight.chunk(3):
                    nn.init.xavier_uniform_(part)
            elif weight.dim() == 2:
                nn.init.xavier_uniform_(weight)
            elif name.endswith("bias"):
                nn.init.zeros_(weight)

    def forward(self, ids):
        x = self.drop(self.words(ids) + self.places[:ids.shape[1]])
        mask = nn.Transformer.generate_square_subsequent_mask(ids.shape[1])
        for layer in self.layers:
            x = layer(x, src_mask=mask, is_causal=True)
        return functional.linear(self.norm(x), self.words.weight, self.bias)


def batch_of(lines, ids):
    rows = [[BEGIN, *(ids[c] for c in line), END] for line in lines]
    width = max(map(len, rows))
    return torch.tensor([row + [PAD] * (width - len(row)) for row in rows])


def loss_of(net, batch, reduction="mean"):
    logits = net(batch[:, :-1])
    return functional.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten(), ignore_index=PAD, reduction=reduction)


def torch_loss(train, held_out, seed):
    torch.manual_seed(seed)
    ids = {c: i for i, c in enumerate(sorted(set("".join(train + held_out))), 4)}
    net = Decoder(4 + len(ids))
    optimizer = torch.optim.Adam(net.parameters(), RATE)
    order, at = torch.randperm(len(train)).tolist(), 0
    for _ in range(STEPS):
        if at + BATCH > len(train):
            order, at = torch.randperm(len(train)).tolist(), 0
        optimizer.zero_grad()
        loss_of(net, batch_of([train[i] for i in order[at:at + BATCH]], ids)).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        at += BATCH
    net.eval()
    with torch.no_grad():
        batches = [batch_of(held_out[i:i + 100], ids) for i in range(0, len(held_out), 100)]
        total = sum(loss_of(net, batch, "sum").item() for batch in batches)
    return total / sum((batch[:, 1:] != PAD).sum().item() for batch in batches)


def heed_loss(folder, seed):
    run = folder / f"run{seed}"
    subprocess.run([ARGUMENTS.heed, "train", "lm", "--data", folder / "train", "--validation", folder / "held_out",
                    "--run", run, "--tokens", "characters", "--width", str(WIDTH), "--heads", str(HEADS), "--layers",
                    str(LAYERS), "--longest", str(LONGEST), "--batch", str(BATCH), "--bucket", "1", "--learning-rate", str(RATE),
                    "--schedule", "constant", "--warm-up", "0", "--dropout", str(DROPOUT), "--steps", str(STEPS),
                    "--epochs", "1000", "--validate-every", str(STEPS), "--seed", str(seed)], check=True, capture_output=True)
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    return [line["validation_loss"] for line in lines if "validation_loss" in line][-1]


torch.set_num_threads(THREADS)
print("PyTorch", torch.__version__, "on", THREADS, "threads,", STEPS, "steps", file=sys.stderr)
with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    train, held_out = texts(folder, "train", 10000, 1), texts(folder, "held_out", 1000, 2)
    theirs = [torch_loss(train, held_out, seed) for seed in SEEDS]
    ours = [heed_loss(folder, seed) for seed in SEEDS]
for who, losses in (("PyTorch", theirs), ("heed", ours)):
    print(f"{who:<8} {statistics.mean(losses):.4f} ± {statistics.stdev(losses):.4f} nats a character: "
          f"{', '.join(f'{loss:.4f}' for loss in losses)}")
print(f"heed is at {statistics.mean(ours) / statistics.mean(theirs) - 1:+.2%}")
