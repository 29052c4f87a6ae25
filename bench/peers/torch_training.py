"""Steps of training in PyTorch and in heed: a Transformer and Bahdanau's translator, Adam, the same sizes and numbers of
weights; time and the memory that a process holds at most."""
import multiprocessing
import resource
import sys

import torch
from torch import nn
from torch.nn import functional

from peers import ARGUMENTS, THREADS, best, heed_model, report

SENTENCES, LENGTH, WORDS, WIDTH = 32, 32, 8000, 256


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(WORDS, WIDTH)
        self.body = nn.Transformer(WIDTH, 4, 3, 3, 1024, dropout=0.1, batch_first=True)
        self.out = nn.Linear(WIDTH, WORDS)
        self.mask = nn.Transformer.generate_square_subsequent_mask(LENGTH)

    def forward(self, source, target):
        return self.out(self.body(self.words(source), self.words(target), tgt_mask=self.mask, tgt_is_causal=True))


class Bahdanau(nn.Module):
    """rnn-search: maxout read-out, GRU of half the width in each direction."""
    def __init__(self):
        super().__init__()
        self.source, self.target = nn.Embedding(WORDS, WIDTH), nn.Embedding(WORDS, WIDTH)
        self.encoder = nn.GRU(WIDTH, WIDTH // 2, bidirectional=True, batch_first=True)
        self.first = nn.Linear(WIDTH // 2, WIDTH)
        self.query, self.key = nn.Linear(WIDTH, WIDTH, bias=False), nn.Linear(WIDTH, WIDTH)
        self.score = nn.Linear(WIDTH, 1, bias=False)
        self.cell = nn.GRUCell(2 * WIDTH, WIDTH)
        self.of_state = nn.Linear(WIDTH, 2 * WIDTH)
        self.of_word, self.of_context = (nn.Linear(WIDTH, 2 * WIDTH, bias=False) for _ in range(2))
        self.out = nn.Linear(WIDTH, WORDS)

    def look(self, state, keys, read):
        scores = self.score(torch.tanh(self.query(state).unsqueeze(1) + keys)).squeeze(-1)
        return torch.bmm(torch.softmax(scores, -1).unsqueeze(1), read).squeeze(1)

    def forward(self, source, target):
        read, last = self.encoder(self.source(source))
        keys, words = self.key(read), self.target(target)
        state, states, contexts = torch.tanh(self.first(last[1])), [], []
        for place in range(target.shape[1]):
            context = self.look(state, keys, read)
            states.append(state)
            contexts.append(context)
            state = self.cell(torch.cat([words[:, place], context], -1), state)
        mixed = self.of_state(torch.stack(states, 1)) + self.of_word(words) + self.of_context(torch.stack(contexts, 1))
        return self.out(mixed.unflatten(-1, (-1, 2)).amax(-1))


def step_of(net):
    optimizer = torch.optim.Adam(net.parameters(), 1e-3, fused=True)
    source, target, after = (torch.randint(0, WORDS, (SENTENCES, LENGTH)) for _ in range(3))

    def step():
        optimizer.zero_grad(set_to_none=True)
        functional.cross_entropy(net(source, target).view(-1, WORDS), after.view(-1)).backward()
        optimizer.step()

    return step


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def beside(name, make):
    torch.manual_seed(0)
    torch.set_num_threads(THREADS)
    before = peak_mb()
    milliseconds = best(step_of(make()), 7)
    peak, ours = peak_mb() - before, heed_model("training", name)
    report(name, f"{SENTENCES}x{LENGTH} V {WORDS}", "step", milliseconds, ours["ms"])
    print(f"{name:<22} peak {peak:.0f} MB besides PyTorch itself, heed {ours['peak_mb']:.0f} MB: "
          f"{ours['peak_mb'] / peak:.2f} of it; {ours['ratio']:.2f} of the limit", flush=True)


if __name__ == "__main__":
    print("PyTorch", torch.__version__, "on", THREADS, "threads", file=sys.stderr)
    for name, make in (("transformer", Transformer), ("bahdanau", Bahdanau)):
        if name == "bahdanau" or not ARGUMENTS.quick:  # a process each: what it held at most is its own
            process = multiprocessing.get_context("spawn").Process(target=beside, args=(name, make))
            process.start()
            process.join()
