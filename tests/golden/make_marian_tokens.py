"""The tokenisers of a small MarianMTModel's folder and what Hugging Face's MarianTokenizer makes of texts:
tests/golden/marian_tokens.

    pip install transformers==5.23.0 sentencepiece==0.2.3 && python make_marian_tokens.py

vocab.json numbers the pieces of both sides, with language codes.
tests/golden/marian_tokens_test.cc reads the folder; texts.json holds texts, the numbers of their pieces on either side,
and the texts that those are decoded to.
"""
import io
import json
import os
import random
import warnings
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
warnings.simplefilter("ignore")

import sentencepiece
from transformers import MarianTokenizer

rng = random.Random(11)
SOURCE = "the a house cat dog sees finds old new and under over green garden river runs sleeping walking slowly".split()
TARGET = "das ein Haus Katze Hund sieht findet alt neu und unter über grün Garten Fluss läuft schläft langsam Straße".split()
folder = Path("marian_tokens")
folder.mkdir(exist_ok=True)


def sentence(words):
    return " ".join(rng.choice(words) for _ in range(rng.randint(1, 9))) + rng.choice([".", "!", "?", ""])


def train(words, size, path):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([sentence(words) for _ in range(400)]), model_writer=model, vocab_size=size,
        normalization_rule_name="identity", hard_vocab_limit=False, minloglevel=3)
    path.write_bytes(model.getvalue())
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    return [processor.id_to_piece(n) for n in range(3, processor.get_piece_size())]


pieces = sorted(set(train(SOURCE, 44, folder / "source.spm")) | set(train(TARGET, 48, folder / "target.spm")))
rng.shuffle(pieces)
names = ["</s>", "<unk>", *pieces, ">>de<<", ">>fr<<", "<pad>"]
(folder / "vocab.json").write_text(json.dumps({name: n for n, name in enumerate(names)}, ensure_ascii=False))
tokenizer = MarianTokenizer.from_pretrained(folder)

texts = [sentence(rng.choice([SOURCE, TARGET])) for _ in range(40)]
texts += [">>de<< the house", ">>fr<< the old cat.", "a word unheard of", "ÄÖ 42", "", "  two  spaces ", "das Haus und der Hund"]
said = []
for text in texts:
    source, target = tokenizer(text)["input_ids"], tokenizer(text_target=text)["input_ids"]
    said.append({"text": text, "source": source[:-1], "target": target[:-1],
                 "decoded": tokenizer.decode(target, skip_special_tokens=True)})
    assert source[-1] == target[-1] == 0
(folder / "texts.json").write_text(json.dumps(said, ensure_ascii=False))
print(len(names), "pieces", sum(p.stat().st_size for p in folder.iterdir()), "bytes")
