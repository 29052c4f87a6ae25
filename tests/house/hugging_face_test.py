#!/usr/bin/env python3
"""What heed trained, read by Hugging Face's transformers: no key is missing or unexpected, and each token has the
probability that heed gives it; converted back it is the same run. Skipped where there is no transformers.

    hugging_face_test.py BUILD
"""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
try:
    import torch
    from transformers import GPT2LMHeadModel, LlamaForCausalLM, MarianMTModel
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(0)

HEED = Path(sys.argv[1]).resolve() / "heed"
COMMON = ["--tokens", "characters", "--width", "16", "--heads", "4", "--layers", "2", "--steps", "30"]
LLAMA = ["--norm", "rms", "--position", "rope", "--activation", "swiglu", "--bias=false", "--groups", "2", "--tied=false"]


def heed(*arguments, **options):
    done = subprocess.run([HEED, *map(str, arguments)], capture_output=True, text=True, timeout=120, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded(model_class, folder):
    model, found = model_class.from_pretrained(folder, output_loading_info=True)
    for what in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        assert not found[what], (what, found[what])
    return model.eval()


def ids_of(folder, name, tokens):
    content = json.loads((Path(folder) / f"{name}.json").read_text())
    ids = dict(content["model"]["vocab"], **{token["content"]: token["id"] for token in content["added_tokens"]})
    return [ids[token] for token in tokens]


def agrees(name, theirs, ours):
    worst = max(abs(a - b) for a, b in zip(theirs, ours, strict=True))
    print(f"{name}: {len(ours)} tokens, the log-probabilities differ by {worst:.1e} at most")
    assert len(ours) > 5 and worst < 1e-4


def log_probabilities(logits, ids):
    return torch.log_softmax(logits[0].double(), -1)[range(len(ids)), ids].tolist()


def returns(run, folder):
    """Back again, and once more to theirs."""
    heed("convert", folder, "-o", f"{folder}-back")
    weights = [Path(place, "model.safetensors").read_bytes() for place in (run, f"{folder}-back")]
    assert weights[0] == weights[1]
    heed("convert", f"{folder}-back", "-o", f"{folder}-again")
    for file in ("config.json", "model.safetensors"):
        assert (Path(folder) / file).read_bytes() == (Path(f"{folder}-again") / file).read_bytes(), file


def said_by(run, *options):
    """What it makes of a few texts, with the log-probability of each token."""
    texts = "".join(f"{text}\n" for text in ("a b c", "k l", "z y x w v", "q", "m m"))
    return [json.loads(line) for line in heed("predict", run, "--json", "--strategy", "greedy", *options, input=texts).splitlines()]


def language_model(name, model_class, *options):
    heed("train", "lm", "--data", "text.txt", "--run", name, *COMMON, *options)
    heed("convert", name, "-o", f"{name}-theirs")
    begin = json.loads(Path(f"{name}-theirs/config.json").read_text())["bos_token_id"]
    model, theirs, ours = loaded(model_class, f"{name}-theirs"), [], []
    for said in said_by(name, "--longest", "20"):
        ids = ids_of(f"{name}-theirs", "tokenizer", said["tokens"])
        with torch.no_grad():
            logits = model(torch.tensor([[begin, *ids[:-1]]])).logits
        theirs += log_probabilities(logits, ids)[said["prompt_tokens"]:]
        ours += said["log_probabilities"][said["prompt_tokens"]:]
    agrees(name, theirs, ours)
    returns(name, f"{name}-theirs")


def translator(name, *options):
    heed("train", "translate", "--model", "transformer", "--data", "copy.tsv", "--run", name, *COMMON, *options)
    heed("convert", name, "-o", f"{name}-theirs")
    begin = json.loads(Path(f"{name}-theirs/config.json").read_text())["decoder_start_token_id"]
    model, theirs, ours = loaded(MarianMTModel, f"{name}-theirs"), [], []
    for said in said_by(name):
        source = ids_of(f"{name}-theirs", "source", said["source_tokens"])
        ids = ids_of(f"{name}-theirs", "target", said["tokens"])
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([source]), decoder_input_ids=torch.tensor([[begin, *ids[:-1]]])).logits
        theirs += log_probabilities(logits, ids)
        ours += said["log_probabilities"]
    agrees(name, theirs, ours)
    returns(name, f"{name}-theirs")


def texts_are_theirs():
    """With subwords the folder has what their tokeniser wants too: from text to text it says the same."""
    try:
        import sentencepiece  # noqa: F401: what theirs cuts with
        from transformers import MarianTokenizer
    except ImportError as missing:
        return print(f"skipped: {missing}")
    for name, *options in (["pieces"], ["joint_pieces", "--vocabularies", "joint", "--shared"]):
        heed("train", "translate", "--model", "transformer", "--data", "short.tsv", "--run", name, "--width", "32",
             "--layers", "1", "--steps", "300", *options)
        heed("convert", name, "-o", f"{name}-theirs")
        model, tokenizer = loaded(MarianMTModel, f"{name}-theirs"), MarianTokenizer.from_pretrained(f"{name}-theirs")
        texts = ["a b c d e", "k l m", "z y x w v"]
        ours = heed("predict", name, "--strategy", "greedy", "--longest", "12", input="\n".join(texts) + "\n").splitlines()
        with torch.no_grad():
            read = tokenizer(texts, return_tensors="pt", padding=True)
            said = model.generate(**read, num_beams=1, max_new_tokens=12, bad_words_ids=None)
        assert ours == tokenizer.batch_decode(said, skip_special_tokens=True), (ours, said)
        heed("convert", f"{name}-theirs", "-o", f"{name}-back")
        back = heed("predict", f"{name}-back", "--strategy", "greedy", "--longest", "12", input="\n".join(texts) + "\n")
        assert back.splitlines() == ours
        print(f"{name}: {len(texts)} texts are translated alike")


def refusals():
    config = json.loads(Path("llama_yarn-theirs/config.json").read_text())
    config["rope_parameters"]["mscale"] = 0.7
    os.mkdir("strange"), Path("strange/config.json").write_text(json.dumps(config))
    for file in "model.safetensors", "tokenizer.json":
        os.link(f"llama_yarn-theirs/{file}", f"strange/{file}")
    for arguments, words in [
        (("convert", "strange", "-o", "x"), ("rope_parameters/mscale", "0.7", "yarn")),
        (("convert", "nowhere", "-o", "x"), ("nowhere", "config.json")),
        (("convert", "gpt2", "-o", "llama"), ("llama", "is a run")),
    ]:
        done = subprocess.run([HEED, *arguments], capture_output=True, text=True)
        assert done.returncode in (1, 2), done.stderr
        for word in words:
            assert word in done.stderr, (word, done.stderr)


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    Path("copy.tsv").write_text(heed("data", "copy", "-n", "300", "--length", "8,12"))
    Path("short.tsv").write_text(heed("data", "copy", "-n", "2000", "--length", "3,6"))
    Path("text.txt").write_text("".join(line.split("\t")[0] + "\n" for line in Path("copy.tsv").read_text().splitlines()))
    language_model("gpt2", GPT2LMHeadModel)
    language_model("gpt2_untied", GPT2LMHeadModel, "--activation", "gelu_tanh", "--tied=false", "--norm-epsilon", "0.001")
    language_model("llama", LlamaForCausalLM, *LLAMA)
    language_model("llama_wide_heads", LlamaForCausalLM, *LLAMA, "--head-width", "6")
    stretched = ["--rope-factor", "4", "--rope-trained", "16"]
    for kind in "linear", "yarn", "llama3":
        language_model(f"llama_{kind}", LlamaForCausalLM, *LLAMA, "--rope-stretch", kind, *stretched)
    translator("marian")
    translator("marian_silu", "--activation", "silu", "--scale-embedding=false")
    texts_are_theirs()
    refusals()
