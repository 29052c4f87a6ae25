#!/usr/bin/env python3
"""The viewer in a browser: every view in both languages and both themes, by keyboard, with names for whoever cannot see it
and contrast for whoever can; words that look like markup stay words; nothing is asked of the network; the playground computes
what the program computed; axe-core finds nothing. And the pages of docs/view.md, from Hugging Face and Keras, where these are.
Every view looks as it was drawn in tests/golden/views. Skipped without Chromium.

    view_test.py BUILD
    view_test.py BUILD draw     draws those pictures anew: look at them before they are kept
"""
import json
import math
import os
import re
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/support"))
import chromium  # noqa: E402
from page_checks import AXE, CONTRAST, DRAWN, NAMES, violations  # noqa: E402
from pictures import differs  # noqa: E402

HEED = Path(sys.argv[1]).resolve() / "heed"
HOSTILE = ["</script><script>alert(1)</script>", "<img src=x onerror=alert(2)>", "&lt;", "<!--", "\u2028 \n", "\U0001f63a"]
TOKENS = HOSTILE + ["word"] * 24
VIEWS = ["matrix", "lines", "model", "elements", "tokens", "steps", "mechanisms"]


def save(path, tensors):
    """{name: (shape, numbers)} as safetensors."""
    header, data = {}, b""
    for name, (shape, numbers) in tensors.items():
        packed = struct.pack(f"<{len(numbers)}f", *numbers)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    text = json.dumps(header).encode()
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + data)


def rows(heads, queries, keys):
    """Weights that sum to 1, most of them near the diagonal."""
    numbers = []
    for head in range(heads):
        for query in range(queries):
            row = [math.exp(-abs(key - query - head + 1)) for key in range(keys)]
            numbers += [value / sum(row) for value in row]
    return [heads, queries, keys], numbers


def with_signs(heads, queries, keys):
    """What no normaliser made weights of: every other number below 0."""
    shape, numbers = rows(heads, queries, keys)
    return shape, [-value if i % 2 else value for i, value in enumerate(numbers)]


def answer(tokens, score):
    return {"tokens": tokens, "log_probabilities": [-0.125 * (i % 4) for i in range(len(tokens))], "score": score}


def waves(heads, count, width):
    return [heads, count, width], [math.sin(1.7 * i) for i in range(heads * count * width)]


def files(tokens):
    n = len(tokens)
    tensors = {f"layer.{layer}": rows(3, n, n) for layer in range(2)}
    tensors |= {"layer.0.q": waves(3, n, 4), "layer.0.k": waves(3, n, 4), "layer.2": with_signs(3, n, n)}
    save("weights.safetensors", tensors)
    steps = [{"token": token, "probability": 0.5, "alternatives": [{"token": tokens[0], "probability": 0.25}]} for token in tokens]
    scores = [{"method": tokens[0], "values": [math.cos(i) for i in range(n)], "comprehensiveness": 0.5, "sufficiency": 0.25}]
    answers = [answer(tokens, -0.25), answer([*tokens[:4], "another", "way"], -0.5), answer([*tokens[:4], "another", "road", "home"], -0.75),
               answer(["else"], -1)]
    words = {"title": tokens[0], "model": tokens[-1], "tokens": tokens, "scores": scores, "steps": steps, "answers": answers}
    Path("tokens.json").write_text(json.dumps(words))


def heed(*arguments, wanted=0):
    done = subprocess.run([HEED, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == wanted, (arguments, done.returncode, done.stderr)
    return done.stdout if wanted == 0 else done.stderr


def make(page):
    heed("view", "weights.safetensors", "--tokens", "tokens.json", "-o", page)
    return Path(page).resolve().as_uri()


def go(page, address):
    page.evaluate(f"location.hash = {json.dumps(address)}; heed.open = null")
    page.until("heed.open !== null")
    if "view=model" in address:
        page.evaluate("heed.open.filled")


def every_view_in_every_dress(page):
    said = {}
    for view in VIEWS:
        for lang in ("en", "zh"):
            for theme in ("light", "dark"):
                go(page, f"view={view}&lang={lang}&theme={theme}&layer=0&head=1")
                where = (view, lang, theme)
                assert page.evaluate("document.querySelector('[role=tab][aria-selected=true]').id") == f"tab-{view}", where
                assert page.evaluate(DRAWN) > 10, where
                assert page.evaluate(CONTRAST) == [], (where, page.evaluate(CONTRAST))
                assert page.evaluate(NAMES) == [], (where, page.evaluate(NAMES))
                assert violations(page) == [], (where, violations(page))
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{where}: wider than the window"
                assert page.evaluate("[...document.querySelectorAll('.plate:not(.towers, .beam)')].every((box) => box.scrollWidth <= box.clientWidth)"), f"{where}: cut off"
            said[view, lang] = page.evaluate("document.getElementById('panel').innerText")
        assert said[view, "en"] != said[view, "zh"], view
    assert page.complaints == [], page.complaints


def looks_as_it_was_drawn(page):
    """At a fifth of its size, where letters are shades: what fonts differ in is small, what moves or changes colour is not."""
    pictures = ROOT / "tests/golden/views"
    for view in VIEWS:
        for lang, theme in (("en", "light"), ("zh", "dark")):
            go(page, f"view={view}&lang={lang}&theme={theme}&layer=0&head=1")
            drawn, golden = page.thumbnail(0.2), pictures / f"{view}-{lang}-{theme}.png"
            if "draw" in sys.argv[2:]:
                golden.parent.mkdir(exist_ok=True)
                golden.write_bytes(drawn)
            mean, clearly = differs(drawn, golden.read_bytes())
            assert mean < 0.006 and clearly < 0.012, f"{golden.name}: off by {mean:.3f}, {100 * clearly:.1f} % of it clearly"


def words_stay_words(page):
    for view in VIEWS:
        go(page, f"view={view}&lang=en")
        assert page.evaluate("document.images.length + document.querySelectorAll('[onerror]').length") == 0, view
    scripts = (ROOT / "web/index.html").read_text().count("<script ")
    assert page.evaluate("[...document.scripts].filter((s) => !s.type).length") == scripts
    go(page, "view=tokens&lang=en")
    marks = page.evaluate("[...document.querySelectorAll('.mark')].map((mark) => mark.textContent)")
    assert marks[:4] == HOSTILE[:4], marks
    assert page.evaluate("document.getElementById('title').textContent") == HOSTILE[0]
    assert page.complaints == [], page.complaints


def by_keyboard(page):
    go(page, "view=matrix&lang=en&layer=0&head=0")
    page.evaluate("document.getElementById('picture').focus()")
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "]", "}"):
        page.press(key)
        page.until("heed.open !== null")
    assert page.evaluate("[heed.state.query, heed.state.key, heed.state.head, heed.state.layer]") == [2, 1, 1, 1]
    page.until("location.hash.includes('query=2')")  # an address of its own
    page.until("document.activeElement.id === 'picture'")
    page.evaluate("document.getElementById('tab-matrix').focus()")
    for view in VIEWS[1:]:
        page.press("ArrowRight")
        page.until(f"heed.open !== null && heed.state.view === '{view}' && document.activeElement.id === 'tab-{view}'")
    go(page, "view=model&lang=en")
    page.evaluate("document.getElementById('picture').focus()")
    for key in ("ArrowDown", "ArrowRight", "Enter"):
        page.press(key)
    page.until("heed.open !== null && heed.state.view === 'matrix'")
    assert page.evaluate("[heed.state.layer, heed.state.head]") == [1, 1]


def what_is_saved(page):
    for view in VIEWS[:-1]:
        go(page, f"view={view}&lang=en&layer=0&head=1")
        xml.etree.ElementTree.fromstring(page.evaluate("heed.svg()"))
        assert page.evaluate("heed.png().then((blob) => blob.size)") > 1000, view
    go(page, "view=matrix&layer=1&head=2")
    lines = page.evaluate("heed.csv(heed.open.csv())").split("\r\n")
    n = len(TOKENS)
    weights = rows(3, n, n)[1][2 * n * n:]
    assert len(lines) == n + 2 and lines[1].startswith('"</script>'), lines[:2]
    for token, weight in zip(lines[2].split(",")[-n:], weights[n:2 * n], strict=True):
        assert abs(float(token) - weight) < 0.002


def beam_as_a_tree(page):
    go(page, "view=steps&lang=en&step=1")
    nodes = page.evaluate("[...document.querySelectorAll('[role=treeitem]')].map((node) => [node.ariaLevel, node.querySelector('.stretch').textContent])")
    shared, own, another, way, road, alone = nodes
    assert [level for level, _ in nodes] == ["1", "2", "2", "3", "3", "1"], nodes
    assert shared[1].startswith(HOSTILE[0] + "0.00") and "answer" not in shared[1] and "answer 1: −0.25" in own[1], nodes
    assert another[1] == "another0.00" and way[1] == "way−0.13answer 2: −0.50" and "answer 3" in road[1], nodes
    assert alone[1] == "else0.00answer 4: −1.00", nodes
    said = page.evaluate("document.getElementById('branch-2').ariaLabel")
    assert said == "“another”, log-probability 0.00, answers 2, 3.", said
    assert page.evaluate("[...document.querySelectorAll('.own')].map((node) => node.id)") == ["branch-0", "branch-1"]
    page.evaluate("document.getElementById('branch-0').focus()")
    for key, reached in [("ArrowRight", 1), ("ArrowDown", 2), ("ArrowRight", 3), ("ArrowLeft", 2), ("End", 5), ("ArrowDown", 5), ("Home", 0)]:
        page.press(key)
        assert page.evaluate("document.activeElement.id") == f"branch-{reached}", key
    page.evaluate("document.querySelectorAll('.own .beamed')[2].click()")  # a token of the answer leads to its step
    page.until("heed.open !== null && heed.state.step === 2 && document.querySelectorAll('.beamed.here').length === 1")
    assert "another" in page.evaluate("heed.svg()")
    rows_of_it = page.evaluate("heed.csv(heed.open.csv())").split("\r\n")
    assert rows_of_it[0] == '"answer","score","token","log-probability"' and '3,-0.75,"home",-0.25' in rows_of_it, rows_of_it[:3]


def weights_below_0(page):
    n = len(TOKENS)
    wanted = with_signs(3, n, n)[1][n * n:2 * n * n]
    for theme in ("light", "dark"):
        for view in ("matrix", "lines", "model", "tokens"):
            go(page, f"view={view}&lang=en&theme={theme}&layer=2&head=1")
            assert page.evaluate(DRAWN) > 10, view
            if view == "lines":
                assert "stroke-dasharray" in page.evaluate("heed.svg()")
        go(page, f"view=matrix&lang=en&theme={theme}&layer=2&head=1")
        got = page.evaluate("[...heed.layer().matrix(1)]")
        assert all(abs(a - b) <= max(map(abs, wanted)) / 254 for a, b in zip(got, wanted, strict=True))
        side = page.evaluate("document.getElementById('side').innerText")
        assert "Some values are below 0" in side and "−0." in side, side
        below, zero, above = page.evaluate("""(() => {
          const drawn = heed.pixels(Float32Array.of(-1, 0, 1), 3, 1, 1, heed.palette(), true).getContext('2d').getImageData(0, 0, 3, 1).data;
          return [0, 4, 8].map((at) => [...drawn.slice(at, at + 3)]);
        })()""")
        assert below[0] > below[2] and above[2] > above[0] and max(zero) - min(zero) < 20, (theme, below, zero, above)
        # What is as far from 0 on either side is as light or as dark: only the hue tells them apart.
        for share in (0.25, 0.5, 1):
            light = page.evaluate(f"[-{share}, {share}].map((x) => heed.luminance(heed.palette().signed(x)))")
            assert abs(light[0] - light[1]) < 0.15, (theme, share, light)
    go(page, "view=mechanisms&mechanism=none&lang=en")
    assert "below 0" in page.evaluate("document.querySelector('figcaption').innerText")
    go(page, "view=matrix&lang=en&layer=1&head=1")
    assert "below 0" not in page.evaluate("document.getElementById('side').innerText")


def playground(page):
    """Every number that is computed here, beside the program's."""
    off = page.evaluate("""(async () => {
      const table = await heed.seen.mechanismTable(), off = {}, flat = (x) => x.flat().map((value) => (value === '-inf' ? -Infinity : value));
      for (const name of Object.keys(heed.PLAYABLE)) {
        const row = table.find((each) => each.name === name), { q, k, v, learned } = row.example;
        const steps = heed.attend({ q, k, v, mask: q.map(() => k.map(() => true)), learned }, { ...heed.PLAY, ...heed.PLAYABLE[name] });
        const worst = (got, want) => Math.max(...flat(got).map((x, i) => (x === flat(want)[i] ? 0 : Math.abs(x - flat(want)[i]))));
        // Which of equal scores is kept hangs on the last bit of the engine's: the weights are compared, not their places.
        const sorted = (x) => x.map((line) => [...line].sort()), weights = name === 'top_k' ? sorted : (x) => x;
        const out = name === 'top_k' ? 0 : worst(steps.at(-1).matrix, row.example.out);
        off[name] = Math.max(worst(steps.at(-3).matrix, row.example.scores), worst(weights(steps.at(-2).matrix), weights(row.example.weights)), out);
      }
      return off;
    })()""")
    assert len(off) > 15 and all(value < 1e-6 for value in off.values()), off
    go(page, "view=mechanisms&mechanism=scaled_dot&lang=en")
    before = page.evaluate("heed.played.map((step) => step.matrix)")
    change = "(selector, value) => { const node = document.querySelector(selector); node.value = value; node.dispatchEvent(new Event('input')); }"
    page.evaluate(f"({change})('table.inputs input', 0)")
    after = page.evaluate("heed.played.map((step) => step.matrix)")
    assert all(a[0] != b[0] and a[1] == b[1] for a, b in zip(before, after, strict=True)), (before, after)
    page.evaluate(f"({change})('#temperature', 2)")
    assert page.evaluate("heed.played.length") == 4  # scores, by the temperature, weights, output
    page.evaluate("document.querySelector('table.mask input').click()")
    assert page.evaluate("heed.played.at(-2).matrix[0][0]") == 0 and page.evaluate("heed.played.at(-2).matrix[0][1]") == 1
    rows_of_program = len(json.loads(heed("mechanisms", "--json")))
    assert page.evaluate("document.querySelectorAll('.item').length") == rows_of_program


def small_and_touched(page):
    page.size(390, 844, touch=True)
    for view in VIEWS:
        go(page, f"view={view}&lang=zh&theme=light")
        assert page.evaluate("[...document.querySelectorAll('.plate:not(.towers, .beam)')].every((box) => box.scrollWidth <= box.clientWidth)"), f"{view}: cut off"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{view}: wider than a telephone"
    page.size(1280, 900)


def refused():
    tokens = json.loads(Path("tokens.json").read_text())
    Path("fewer.json").write_text(json.dumps({"tokens": tokens["tokens"][1:]}))
    said = heed("view", "weights.safetensors", "--tokens", "fewer.json", "-o", "no.html", wanted=2)
    assert "layer.0" in said and f"{len(TOKENS) - 1} tokens" in said and not Path("no.html").exists(), said
    assert "none.json" in heed("view", "weights.safetensors", "--tokens", "none.json", "-o", "no.html", wanted=1)


# ---- the pages of docs/view.md -----------------------------------------------------------------------------


def example(number):
    page = (ROOT / "docs/view.md").read_text(encoding="utf-8")
    names = {}
    exec(re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[number], names)
    return names["save_attention"]


def from_hugging_face():
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    class Tokenizer:
        def __call__(self, text, return_tensors):
            return {"input_ids": torch.tensor([[ord(letter) % 50 for letter in text]])}

        def convert_ids_to_tokens(self, ids):
            return [f"word {int(id)}" for id in ids]

    model = GPT2LMHeadModel(GPT2Config(vocab_size=50, n_embd=16, n_layer=2, n_head=4, attn_implementation="eager"))
    example(0)(model, Tokenizer(), "a text")
    make("hugging-face.html")


def from_keras():
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras
    import numpy
    layer = keras.layers.MultiHeadAttention(2, 4)
    example(1)(layer, numpy.ones((1, 2, 8), "float32"), numpy.ones((1, 3, 8), "float32"), ["the", "cat"], ["die", "Katze", "."])
    make("keras.html")


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for each in (from_hugging_face, from_keras):
            try:
                each()
                print(f"{each.__name__}: ok")
            except ImportError as missing:
                print(f"{each.__name__}: skipped: {missing}")
        files(TOKENS)
        refused()
        address = make("page.html")
        if not chromium.PROGRAM:
            print("the views: skipped: there is no chromium")
            return
        if not AXE:
            print("axe-core: skipped: tools/setup installs it")
        with chromium.Chromium() as browser:
            page = browser.open(address)
            for each in (looks_as_it_was_drawn, every_view_in_every_dress, words_stay_words, by_keyboard, what_is_saved, beam_as_a_tree, weights_below_0,
                         playground, small_and_touched):
                each(page)
                print(f"{each.__name__}: ok", flush=True)
            assert page.complaints == [], page.complaints


main()
