"""Golden values of metrics: tests/golden/metrics.json.

    pip install sacrebleu==2.6.0 scikit-learn==1.9.1 scipy numpy && python make_metrics.py   # some minutes: TER

20 made systems, which damage the references of an English, a Chinese and a German-like corpus more or less: BLEU, chrF and
TER of the corpus under several options, of each segment under some, signatures and the paired bootstrap, all by sacreBLEU.
The bootstrap's segments are drawn here as heed draws them (Philox4x32-10), the rest is sacreBLEU's. Labels, probabilities
and numbers with the figures of scikit-learn and SciPy; the calibration error, which these lack, by its formula.
"""
import json
import random
from pathlib import Path

import numpy as np
import sacrebleu
import scipy.stats
import sklearn.metrics as sk
from sacrebleu.metrics import BLEU, CHRF, TER
from sacrebleu.significance import _compute_p_value, estimate_ci

SEGMENTS, RESAMPLES, SEED = 25, 200, 12345

WORDS = {
    "en": "the a house cat dog river of in on and which said that it's don't 1,234.5 3.14 2004-05-03 (perhaps) \"quoted\" "
          "well-known e.g. U.S. $5 50% Mr. Smith's &quot;entity&quot; &amp; A&B x<y semi;colon slash/es İstanbul ΣΊΣΥΦΟΣ "
          "café naïve … – — ‘single’ “double” <skipped> end- 7-year under_score #tag @you no.5 5.a a.5 a,b 1,2,c "
          "THE House ¿qué? «ja» 3° ½ ² ①".split(),
    "de": "der die das Haus die Straße Öl über größer und nicht zwölf 3,5 1.000,00 am 3. Mai z.B. „Zitat“ Müller's ÄPFEL "
          "Donaudampfschiff - – usw. (vielleicht) ist war sein's Ende! Wer? Ja: nein; 50% §5 €10 Straßen-Bau".split(),
    "zh": list("的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可里后小么心多") +
          "， 。 ！ ？ 、 ： “ ” （ ） 《 》 2004 3.14 GDP 50% ABC 𠀀 々 ① ㎏ ー ア イ ｱ １２ km/h → ¥ 豈 ★".split(),
}


def sentence(rng, language, length):
    glue = "" if language == "zh" else " "
    return glue.join(rng.choice(WORDS[language]) for _ in range(length)) + rng.choice([".", " .", "!", "", "?\u3000", "\t", ". "])


def pieces(text, language):
    return list(text) if language == "zh" else text.split(" ")


def damaged(rng, text, language, rate):
    words = pieces(text, language)
    out = []
    for word in words:
        draw = rng.random()
        if draw < rate / 4:
            continue
        out.append(rng.choice(WORDS[language]) if draw < rate / 2 else word)
        if draw > 1 - rate / 4:
            out.append(rng.choice(WORDS[language]))
    for _ in range(rng.randrange(3) if rng.random() < 2 * rate else 0):  # moves a few words
        if len(out) > 3:
            begin = rng.randrange(len(out) - 1)
            moved = out[begin:begin + rng.randint(1, 4)]
            del out[begin:begin + len(moved)]
            at = rng.randrange(len(out) + 1)
            out[at:at] = moved
    if rng.random() < rate / 3:
        out = [word.upper() for word in out]
    return ("" if language == "zh" else " ").join(out)


def corpus(language, seed):
    rng = random.Random(seed)
    first = [sentence(rng, language, rng.choice([1, 2, 3, 5, 8, 12, 20, 30])) for _ in range(SEGMENTS)]
    first[3] = ""
    first[7] = " ".join(rng.choice("a b c d".split()) for _ in range(90))  # more moves than are tried
    first[8] = " ".join(str(i) for i in range(150))                        # more words than the beam is wide
    others = [[damaged(rng, text, language, 0.3) for text in first] for _ in range(2)]
    return [first, *others]


def system(language, references, rate, seed):
    rng = random.Random(seed)
    texts = [damaged(rng, text, language, rate) for text in references[0]]
    texts[5] = ""
    if rate > 0.2:
        texts[7] = " ".join(rng.choice("a b c d".split()) for _ in range(80))
        numbers = texts[8].split(" ")
        texts[8] = " ".join(numbers[70:] + numbers[:70])
    if rate > 0.5:
        texts[9] = "word " * 200
        texts[10] = "x"
    return texts


def metric_of(options):
    return {"bleu": BLEU, "chrf": CHRF, "ter": TER}[options["metric"]](**{k: v for k, v in options.items() if k != "metric"})


CORPUS_OPTIONS = (
    [{"metric": "bleu", "tokenize": t} for t in ("13a", "intl", "zh", "char", "none")]
    + [{"metric": "bleu", "tokenize": "13a", "smooth_method": s} for s in ("floor", "add-k", "none")]
    + [{"metric": "bleu", "tokenize": "intl", "smooth_method": "floor", "smooth_value": 0.05, "lowercase": True},
       {"metric": "bleu", "tokenize": "char", "smooth_method": "add-k", "smooth_value": 2.5}]
    + [{"metric": "chrf"}, {"metric": "chrf", "word_order": 2}, {"metric": "chrf", "whitespace": True, "lowercase": True},
       {"metric": "chrf", "word_order": 1, "eps_smoothing": True}, {"metric": "chrf", "char_order": 4, "beta": 3}]
    + [{"metric": "ter"}, {"metric": "ter", "normalized": True}, {"metric": "ter", "case_sensitive": True},
       {"metric": "ter", "no_punct": True}, {"metric": "ter", "normalized": True, "asian_support": True},
       {"metric": "ter", "no_punct": True, "asian_support": True}]
)
SEGMENT_OPTIONS = [
    {"metric": "bleu", "tokenize": "13a", "effective_order": True}, {"metric": "bleu", "tokenize": "zh"},
    {"metric": "bleu", "tokenize": "intl", "smooth_method": "add-k", "effective_order": True},
    {"metric": "bleu", "tokenize": "char", "smooth_method": "floor"}, {"metric": "bleu", "tokenize": "none", "smooth_method": "none"},
    {"metric": "chrf", "word_order": 2}, {"metric": "ter"}, {"metric": "ter", "normalized": True, "asian_support": True},
]


def references_of(corpora, entry):
    """Streams as sacreBLEU takes them: None where a segment has fewer."""
    streams = [list(stream) for stream in corpora[entry["corpus"]][:entry["references"]]]
    if entry["missing"]:
        for i in range(0, SEGMENTS, 3):
            streams[-1][i] = None
    return streams


def philox(position, stream, seed):
    """Four words of Philox4x32-10 from arrays of positions and streams (below 2^32)."""
    zero = np.zeros_like(position)
    c = [position, zero, stream, zero]
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        low, high = np.uint64(0xFFFFFFFF), np.uint64(32)
        c = [(p1 >> high) ^ c[1] ^ np.uint64(k0), p1 & low, (p0 >> high) ^ c[3] ^ np.uint64(k1), p0 & low]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c


def draws():
    resample, place = np.meshgrid(np.arange(RESAMPLES, dtype=np.uint64), np.arange(SEGMENTS, dtype=np.uint64), indexing="ij")
    return (philox(place, resample, SEED)[0] * np.uint64(SEGMENTS) >> np.uint64(32)).astype(np.int64)


def scores_of(options, texts, streams):
    metric = metric_of(options)
    stats = np.array(metric._extract_corpus_statistics(texts, streams), dtype=np.float64)
    resampled = [metric._compute_score_from_stats(list(stats[row].sum(0))).score for row in draws()]
    return metric.corpus_score(texts, streams).score, np.array(resampled)


def comparison(corpora, systems, first, second, options):
    streams = references_of(corpora, systems[first])
    a, first_scores = scores_of(options, systems[first]["texts"], streams)
    b, second_scores = scores_of(options, systems[second]["texts"], streams)
    differences = np.abs(second_scores - first_scores)
    mean, half = estimate_ci(second_scores)
    return {"first": first, "second": second, "options": options,
            "p_value": _compute_p_value(differences - differences.mean(), abs(a - b)), "mean": float(mean), "half": float(half),
            "second_ahead": float((second_scores > first_scores).mean())}


def texts():
    corpora = {language: corpus(language, seed) for seed, language in enumerate(WORDS)}
    systems = []
    for i in range(20):
        language = ["en", "zh", "de", "en"][i % 4]
        entry = {"corpus": language, "references": 1 + i % 3, "missing": i in (5, 14)}
        entry["texts"] = system(language, corpora[language], [0.0, 0.1, 0.25, 0.5, 0.9][i // 4], 100 + i)
        streams = references_of(corpora, entry)
        entry["scores"], entry["segments"] = [], []
        for options in CORPUS_OPTIONS:
            metric = metric_of(options)
            score = metric.corpus_score(entry["texts"], streams).score
            entry["scores"].append([score, str(metric.get_signature())])
        for options in SEGMENT_OPTIONS:
            metric = metric_of(options)
            per_segment = zip(*streams)
            entry["segments"].append([metric.sentence_score(text, [r for r in refs if r is not None]).score
                                      for text, refs in zip(entry["texts"], per_segment)])
        systems.append(entry)
    pairs = [(4, 7), (8, 11), (5, 9), (1, 13)]
    compared = [comparison(corpora, systems, a, b, options) for a, b in pairs
                for options in ({"metric": "bleu", "tokenize": "char"}, {"metric": "chrf", "word_order": 2}, {"metric": "ter"})]
    return {"corpora": corpora, "systems": systems, "compared": compared, "resamples": RESAMPLES, "seed": SEED,
            "corpus_options": CORPUS_OPTIONS, "segment_options": SEGMENT_OPTIONS}


def calibration_error(confidence, right, bins):
    """Σ n_b/n |accuracy − confidence| over bins (low, high]."""
    which = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    error = 0.0
    for b in range(bins):
        inside = which == b
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return float(error)


def averages(truth, predicted, **how):
    return [float(x) for x in sk.precision_recall_fscore_support(truth, predicted, zero_division=0, **how)[:3]]


def labels():
    rng = np.random.default_rng(7)
    n, classes = 200, 5
    truth = rng.choice(4, n)  # the fifth class never occurs
    logits = rng.normal(size=(n, classes)) + 1.5 * np.eye(classes)[truth]
    logits[:, 3] -= 9         # and the fourth is never predicted
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    probabilities = np.round(probabilities, 2)  # ties
    predicted = probabilities.argmax(1)
    confidence, right = probabilities.max(1), predicted == truth
    per_class = [list(map(float, column)) for column in
                 zip(*sk.precision_recall_fscore_support(truth, predicted, labels=range(classes), zero_division=0)[:3])]
    areas = [float(sk.roc_auc_score(truth == c, probabilities[:, c])) for c in range(4)]
    brier = float(np.mean(np.sum((probabilities - np.eye(classes)[truth]) ** 2, axis=1)))
    return {"truth": truth.tolist(), "probabilities": probabilities.ravel().tolist(), "predicted": predicted.tolist(),
            "accuracy": float(sk.accuracy_score(truth, predicted)), "per_class": per_class,
            "macro": averages(truth, predicted, average="macro"), "micro": averages(truth, predicted, average="micro"),
            "confusion": sk.confusion_matrix(truth, predicted, labels=range(classes)).ravel().tolist(), "auc": areas,
            "ece": {bins: calibration_error(confidence, right, bins) for bins in (1, 10, 15)}, "brier": brier,
            "binary_brier": float(sk.brier_score_loss(truth == 0, probabilities[:, 0]))}


def many_labels():
    rng = np.random.default_rng(8)
    truth = rng.random((60, 4)) < 0.4
    predicted = truth ^ (rng.random((60, 4)) < 0.2)
    return {"truth": truth.tolist(), "predicted": predicted.tolist(), "exact": float(sk.accuracy_score(truth, predicted)),
            "hamming": float(sk.hamming_loss(truth, predicted)), "macro": averages(truth, predicted, average="macro"),
            "micro": averages(truth, predicted, average="micro")}


def numbers():
    rng = np.random.default_rng(9)
    truth = np.round(1000 + rng.normal(size=50), 6)
    predicted = np.round(truth + rng.normal(size=50) / 2, 6)
    return {"truth": truth.tolist(), "predicted": predicted.tolist(), "mse": float(sk.mean_squared_error(truth, predicted)),
            "mae": float(sk.mean_absolute_error(truth, predicted)), "r2": float(sk.r2_score(truth, predicted)),
            "pearson": float(scipy.stats.pearsonr(truth, predicted).statistic)}


def main():
    assert sacrebleu.__version__ == "2.6.0"
    content = {"texts": texts(), "labels": labels(), "many_labels": many_labels(), "numbers": numbers()}
    path = Path(__file__).parent / "metrics.json"
    path.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
