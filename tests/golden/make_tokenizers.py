"""Golden values of tokenisers: tests/golden/tokenizers*.npz.

    pip install tokenizers==0.23.3 sentencepiece==0.2.3 protobuf numpy && python make_tokenizers.py

10,000 lines of English, Chinese, Japanese, Korean, Cyrillic, Arabic, Thai, Hindi, emoji, marks, odd white space, special
tokens and broken UTF-8, and what Hugging Face's tokenizers make of them (which take text: broken bytes are replaced first,
as decode(errors="replace") does). For each tokeniser:

    NAME/json      the tokenizer.json (bytes)
    NAME/line_sums a byte of the FNV-1a hash of each line's ids, NAME/sum the hash of all of them
    NAME/ids, NAME/lengths   the ids of the first 200 lines
    NAME/begins, NAME/ends   their places in bytes, where the line is valid UTF-8 (else -1)
    NAME/text_sum  the hash of all decoded lines
    NAME/pairs     ids and segments of some pairs of lines, joined

tests/golden/tokenizers_test.cc reads all of them. Hugging Face's trainers choose among equals by chance: made again, the
vocabularies differ in a few tokens.
"""
import base64
import io
import json
import random
from pathlib import Path

import numpy as np
import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

rng = random.Random(2026)
COUNT, SHOWN, PAIRS = 10000, 200, 50

# ---- the lines ----
ENGLISH = """the of and to in a is that it was for on are with as his they be at one have this from or had by but some what
there we can out other were all your when up use word how said an each she which do their time if will way about many then
them would write like so these her long make thing see him two has look more day could go come did my sound no most number
who over know water than call first people may down side been now find any new work part take get place made live where after
back little only round man year came show every good me give our under name very through just form sentence great think say
help low line differ turn cause much mean before move right boy old too same tell does set three want air well also play
small end put home read hand port large spell add even land here must big high such follow act why ask men change went light
kind off need house picture try us again animal point mother world near build self earth father""".split()
CONTRACTIONS = ["don't", "it's", "we'll", "they've", "I'd", "you're", "I'm", "CAN'T", "o'clock", "'tis", "rock 'n' roll"]
CHINESE = list("的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运")
JAPANESE = ["こんにちは", "世界", "ありがとう", "東京", "カタカナ", "ﾊﾝｶｸ", "です", "ます", "という", "日本語", "、", "。", "「", "」", "ー"]
KOREAN = ["안녕하세요", "세계", "한국어", "감사합니다", "입니다", "나는", "학생"]
OTHERS = ["привет", "мир", "Москва", "ЁЖИК", "Ελλάδα", "ΌΣΟΣ", "λόγος", "مرحبا", "العالم", "שלום", "สวัสดี", "ประเทศไทย", "नमस्ते", "दुनिया",
          "straße", "STRASSE", "İstanbul", "ıșık", "naïve", "café", "cafe\u0301", "Ａｂｃ", "ﬁne", "½", "²", "①", "Ⅷ", "Å", "A\u030a\u0323",
          "\u1e9b\u0323", "ñandú", "Ångström", "œuvre", "Việt", "Nam", "tiếng", "\u0958", "각", "\u1100\u1161\u11a8"]
EMOJI = ["😀", "👍", "👍🏽", "👩‍👩‍👧‍👦", "🇩🇪", "🏳️‍🌈", "❤️", "✨", "🤷‍♂️", "🥳", "🧑🏻‍🚀", "©", "™", "→", "€", "½", "∑"]
SIGNS = [".", ",", "!", "?", ";", ":", "...", "—", "-", "(", ")", "[", "]", "\"", "“", "”", "'", "’", "/", "\\", "@", "#", "$", "%", "^", "&",
         "*", "+", "=", "<", ">", "|", "~", "`", "_", "{", "}", "。", "，", "！", "？", "、", "「", "」", "·", "§", "¿"]
SPACES = [" "] * 30 + ["  ", "   ", "\t", "\u00a0", "\u3000", "\u2009", " \t ", "\u200b", "\u2028", "\r", "\x0b", "\u0085", ""]
ODD = ["\u0000", "\u0007", "\u007f", "\u200d", "\ufeff", "\u202e", "\ufffd", "\ue000", "▁", "▁a", "Ġ", "##", "</w>", "<0x41>", "<unk>"]
SPECIAL = ["[MASK]", "[CLS]", "<s>", "</s>", "<mask>", "<|endoftext|>", "Ünit", "unit", "[PAD]", "<sep>"]


def number():
    return rng.choice([str(rng.randrange(10)), str(rng.randrange(100000)), "3.14", "1,000,000", "2026-11-21", "٣٤", "１２", "९"])


def english():
    word = ENGLISH[min(int(rng.expovariate(1 / 40)), len(ENGLISH) - 1)]
    word = rng.choice([word] * 8 + [word.capitalize(), word.upper(), word + "s", word + "ing", word + "ness"])
    return word if rng.random() < 0.95 else rng.choice(CONTRACTIONS)


def chinese():
    return "".join(CHINESE[min(int(rng.expovariate(1 / 60)), len(CHINESE) - 1)] for _ in range(rng.randrange(1, 7)))


KINDS = [(english, 50), (chinese, 14), (lambda: rng.choice(JAPANESE), 4), (lambda: rng.choice(KOREAN), 3),
         (lambda: rng.choice(OTHERS), 8), (lambda: rng.choice(EMOJI), 4), (lambda: rng.choice(SIGNS), 12), (number, 4),
         (lambda: rng.choice(ODD), 0.6), (lambda: rng.choice(SPECIAL), 1)]


def line():
    """Bytes; one of sixteen lines is broken."""
    parts = []
    for _ in range(rng.choice([0, 1, 2, 4, 6, 8, 8, 10])):
        parts.append(rng.choices([kind for kind, _ in KINDS], [weight for _, weight in KINDS])[0]())
        parts.append(rng.choice(SPACES))
    text = "".join(parts)
    if rng.random() < 0.7:
        text = text.strip(" ")
    data = bytearray(text.encode())
    if rng.random() < 1 / 16 and data:
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(data))
            data[at:at + rng.randrange(2)] = rng.choice([b"\xff", b"\xc3", b"\xe4\xb8", b"\xed\xa0\x80", b"\xf0\x9f\x98", b"\x80", b"\xc0\xaf",
                                                        b"\xf4\x90\x80\x80", b"\xe4"])
    return bytes(data).replace(b"\n", b" ")


lines = [line() for _ in range(COUNT)]
texts = [data.decode(errors="replace") for data in lines]
lengths = np.array([len(data) for data in lines], np.int32)
store = {"lines": np.frombuffer(b"".join(lines), np.uint8), "line_lengths": lengths}


# ---- what is kept of a tokeniser ----
def fnv(data, start=0xcbf29ce484222325):
    for byte in data:
        start = ((start ^ byte) * 0x100000001b3) & 0xffffffffffffffff
    return start


def as_ids(ids):
    return np.array(ids, np.int32).tobytes()


def keep(name, tokenizer, into=store):
    text = tokenizer.to_str()
    tokenizer = Tokenizer.from_str(text)
    encoded = tokenizer.encode_batch(texts)
    sums = [fnv(as_ids(one.ids)) for one in encoded]
    into[f"{name}/json"] = np.frombuffer(text.encode(), np.uint8)
    into[f"{name}/line_sums"] = np.array([total & 255 for total in sums], np.uint8)
    into[f"{name}/sum"] = np.array([fnv(np.array(sums, np.uint64).tobytes())], np.uint64).view(np.int64)
    shown = encoded[:SHOWN]
    into[f"{name}/ids"] = np.array([i for one in shown for i in one.ids], np.int32)
    into[f"{name}/lengths"] = np.array([len(one.ids) for one in shown], np.int32)
    begins, ends = [], []
    for data, string, one in zip(lines, texts, shown):
        valid = data == string.encode()
        for begin, end in one.offsets:
            begins.append(len(string[:begin].encode()) if valid else -1)
            ends.append(len(string[:end].encode()) if valid else -1)
    into[f"{name}/begins"], into[f"{name}/ends"] = np.array(begins, np.int32), np.array(ends, np.int32)
    decoded = tokenizer.decode_batch([one.ids for one in encoded])
    into[f"{name}/text_sum"] = np.array([fnv("\n".join(decoded).encode())], np.uint64).view(np.int64)
    pairs = tokenizer.encode_batch([(texts[2 * i], texts[2 * i + 1]) for i in range(PAIRS)])
    into[f"{name}/pairs"] = np.array([x for one in pairs for x in one.ids + one.type_ids], np.int32)
    print(f"{name:16} {tokenizer.get_vocab_size():6} tokens, json {len(text)} bytes")


def seen(count=3000):
    return [text for text in texts[:count]]


# ---- the tokenisers ----
def word_level():
    t = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    t.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    t.pre_tokenizer = pre_tokenizers.Whitespace()
    t.train_from_iterator(seen(), trainers.WordLevelTrainer(vocab_size=900, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]))
    t.add_tokens([AddedToken("Ünit", single_word=True), AddedToken("unit", lstrip=True, rstrip=True, normalized=False)])
    t.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
                                                     special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return t


def byte_bpe():
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder, t.post_processor = decoders.ByteLevel(), processors.ByteLevel(trim_offsets=True)
    t.train_from_iterator(seen(), trainers.BpeTrainer(vocab_size=1500, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                                                      special_tokens=["<|endoftext|>"]))
    return t


def roberta(source):
    t = Tokenizer.from_str(source.to_str())
    t.normalizer = normalizers.Sequence([normalizers.Strip(), normalizers.NFD(), normalizers.StripAccents()])
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    t.decoder = decoders.ByteLevel()
    t.add_special_tokens(["<s>", "</s>", AddedToken("<mask>", lstrip=True)])
    t.post_processor = processors.RobertaProcessing(("</s>", t.token_to_id("</s>")), ("<s>", t.token_to_id("<s>")),
                                                    add_prefix_space=True, trim_offsets=True)
    return t


def split_bpe(source):
    """The pattern of Llama 3, whole words first."""
    raw = json.loads(source.to_str())
    raw["model"]["ignore_merges"] = True
    t = Tokenizer.from_str(json.dumps(raw))
    pattern = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"),
                                               pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), processors.TemplateProcessing(
        single="<|endoftext|> $A", pair="<|endoftext|> $A <|endoftext|>:1 $B:1", special_tokens=[("<|endoftext|>", 0)])])
    return t


def bert():
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer, t.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    t.decoder = decoders.WordPiece()
    t.train_from_iterator(seen(), trainers.WordPieceTrainer(vocab_size=1200, limit_alphabet=600, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]))
    t.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return t


def llama():
    """Byte fall-back, spaces as ▁ by the normaliser, as Llama 2's file has them."""
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    alphabet = [f"<0x{byte:02X}>" for byte in range(256)]
    t.train_from_iterator((word for text in seen() for word in text.replace(" ", " ▁").split(" ")),
                          trainers.BpeTrainer(vocab_size=1400, limit_alphabet=300, special_tokens=["<unk>", "<s>", "</s>"] + alphabet))
    raw = json.loads(t.to_str())
    raw["added_tokens"] = raw["added_tokens"][:3]
    t = Tokenizer.from_str(json.dumps(raw))
    t.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    t.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)])
    return t


def ended_words():
    """Words that end in </w>, digits and signs apart."""
    t = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    t.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFC(), normalizers.Replace(Regex("[aeiou]{2,}"), "A"), normalizers.Lowercase()])
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Digits(individual_digits=True),
                                               pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.Split("e", "merged_with_previous")])
    t.decoder = decoders.BPEDecoder()
    t.train_from_iterator(seen(), trainers.BpeTrainer(vocab_size=1000, limit_alphabet=250, special_tokens=["<unk>", "<sep>"], end_of_word_suffix="</w>"))
    return t


def sentence_piece(**options):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(t.replace("\0", "") for t in seen()), model_writer=model, minloglevel=3,
                                             hard_vocab_limit=False, num_threads=1, **options)
    return model.getvalue()


def unigram(model):
    """An exported SentencePiece model, as Hugging Face's converter writes it."""
    proto = model_pb2.ModelProto()
    proto.ParseFromString(model)
    t = Tokenizer(models.Unigram([(piece.piece, piece.score) for piece in proto.pieces], unk_id=0, byte_fallback=False))
    t.normalizer = normalizers.Sequence([normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap),
                                         normalizers.Replace(Regex(" {2,}"), " ")])
    t.pre_tokenizer, t.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    t.add_special_tokens(["<unk>", "<s>", "</s>"])
    t.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 2)])
    return t


def byte_unigram(model):
    proto = model_pb2.ModelProto()
    proto.ParseFromString(model)
    t = Tokenizer(models.Unigram([(piece.piece, piece.score) for piece in proto.pieces], unk_id=0, byte_fallback=True))
    t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=True)
    t.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace(prepend_scheme="first")])
    t.add_special_tokens(["<s>", "</s>", "<mask>"])
    return t


keep("word_level", word_level())
byte_level = byte_bpe()
keep("byte_bpe", byte_level)
keep("bert", bert())
keep("llama", llama())
np.savez_compressed("tokenizers.npz", **store)

more = {}
keep("roberta", roberta(byte_level), more)
keep("split_bpe", split_bpe(byte_level), more)
keep("ended_words", ended_words(), more)
fallback = sentence_piece(vocab_size=900, model_type="unigram", byte_fallback=True, character_coverage=0.98, normalization_rule_name="identity")
keep("byte_unigram", byte_unigram(fallback), more)
np.savez_compressed("tokenizers_more.npz", **more)

pieces = {}
nmt = sentence_piece(vocab_size=1000, model_type="unigram", normalization_rule_name="nmt_nfkc")
keep("unigram", unigram(nmt), pieces)
np.savez_compressed("tokenizers_unigram.npz", **pieces)

# ---- small SentencePiece models: what fuzzing begins with ----
def small_model(**options):
    own = random.Random(1)
    words = ["hello", "world", "the", "new", "中文", "newer", "hellos", "a", "b", "c"]
    small = [" ".join(own.choice(words) for _ in range(10)) for _ in range(500)]
    model = io.BytesIO()
    rules = Path("rules.tsv")  # the model keeps this name
    rules.write_text("ff21\t61\n3000\t20\n41\t61\n")
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(small), model_writer=model, hard_vocab_limit=False,
                                             normalization_rule_tsv=str(rules), minloglevel=3, num_threads=1, **options)
    rules.unlink()
    return model.getvalue()


for name, options in {"unigram": {"model_type": "unigram", "vocab_size": 50},
                      "bpe": {"model_type": "bpe", "vocab_size": 50, "user_defined_symbols": ["<x>"]},
                      "bytes": {"model_type": "unigram", "vocab_size": 310, "byte_fallback": True}}.items():
    with open(f"{name}.sentence_piece", "wb") as out:
        out.write(small_model(**options))
