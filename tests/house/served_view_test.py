#!/usr/bin/env python3
"""The viewer at / of a server, in a browser: a text is typed, sent and seen; a key is asked for and kept by the page alone;
curves grow while a training goes on; nothing but the server is asked, and no foreign script runs. Skipped without Chromium.

    served_view_test.py BUILD [FOLDER for screenshots]
"""
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/support"))
import chromium  # noqa: E402
from page_checks import CONTRAST, DRAWN, NAMES, violations  # noqa: E402
from serving import HEED, Server, folder_of_runs  # noqa: E402

SHOTS = Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else None
KEY = "a-key-of-the-test"


def said(page, server):
    """What the page complained of; it may ask its server."""
    return [each for each in page.complaints if not each.startswith(f"asks for http://127.0.0.1:{server.port}/")]


def type_into(page, field, text):
    page.evaluate(f"(() => {{ const node = document.getElementById('{field}'); node.focus(); node.select(); }})()")
    page.call("Input.insertText", text=text)


def enter(page):
    for kind in ("keyDown", "keyUp"):
        page.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r" if kind == "keyDown" else "")


def ask(page, text):
    type_into(page, "ask-input", text)
    enter(page)
    page.until("document.getElementById('asking-said').textContent !== heed.say('looking') && heed.open !== null")


def shoot(page, name):
    if SHOTS:
        page.screenshot(SHOTS / f"{name}.png")


def choose(page, model):
    page.evaluate(f"(() => {{ const node = document.getElementById('ask-model'); node.value = '{model}'; node.dispatchEvent(new Event('change')); }})()")


def show(page, state):
    page.evaluate(f"heed.set({json.dumps(state)})")
    page.until("heed.open !== null")


def a_text_is_seen(page, server):
    page.until("document.getElementById('ask-look') && heed.open !== null")
    assert page.evaluate("document.activeElement.id") == "ask-input"
    assert page.evaluate("[...document.getElementById('ask-model').options].map((each) => each.value)") == ["copy", "reviews", "lm"]
    assert page.evaluate("document.getElementById('ask-method').options.length") == 8
    ask(page, "a b c")
    assert page.evaluate("heed.state.view") == "matrix" and page.evaluate(DRAWN) > 10
    assert page.evaluate("document.getElementById('title').textContent").startswith("a b c → ")
    assert page.evaluate("heed.layer().queries !== heed.layer().keys"), "the layer between the texts is shown first"
    assert {"elements", "steps"} <= set(page.evaluate("heed.viewIds()"))
    vectors = page.evaluate("""(() => {
      const { T, S, heads, width, qRows, kRows } = heed.layer();
      return [...qRows.numbers(0, heads * T), ...kRows.numbers(0, heads * S)].filter(Number.isFinite).length / ((T + S) * heads * width);
    })()""")
    assert vectors == 1, vectors
    assert page.evaluate("heed.seen.answers.length") == 4
    for lang, theme in [("en", "light"), ("en", "dark"), ("zh", "dark")]:
        for view in page.evaluate("heed.viewIds()"):
            show(page, {"view": view, "lang": lang, "theme": theme})
            assert page.evaluate(CONTRAST) == [], (view, lang, theme, page.evaluate(CONTRAST))
            assert page.evaluate(NAMES) == [], (view, page.evaluate(NAMES))
            assert violations(page) == [], (view, lang, theme, violations(page))
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
            shoot(page, f"{view}-{lang}-{theme}")
    assert page.evaluate("document.getElementById('ask-look').textContent") == "看"
    show(page, {"view": "steps"})
    assert page.evaluate("document.querySelectorAll('[role=treeitem]').length") >= 4
    show(page, {"view": "matrix", "lang": "en", "theme": "light"})
    choose(page, "reviews")
    hostile = "<img src=x onerror=alert(1)> </script> good"
    ask(page, hostile)
    assert page.evaluate("document.getElementById('title').textContent").startswith(hostile)
    assert page.evaluate("document.images.length") == 0
    choose(page, "lm")
    ask(page, "the cat")
    assert "steps" in page.evaluate("heed.viewIds()")
    ask(page, "a " * 600)
    assert "512" in page.evaluate("document.getElementById('asking-said').textContent")
    mine = [each for each in said(page, server) if "400 (Bad Request)" not in each]
    assert mine == [], mine


def curves_grow(page):
    choose(page, "lm")
    show(page, {"view": "training", "lang": "en", "theme": "light"})
    page.until("heed.open !== null")
    assert page.evaluate(DRAWN) > 10
    shoot(page, "training")
    page.evaluate("(window.before = document.getElementById('side').innerText, 0)")
    with open("lm/metrics.jsonl", "a") as file:
        file.write('{"step": 999, "loss": 0.125, "learning_rate": 0.001}\n')
    page.until("document.getElementById('side').innerText.includes('999')", seconds=10)


def no_foreign_script_runs(page):
    ran = page.evaluate("""(() => {
      const script = document.createElement('script');
      script.textContent = 'window.evil = 1';
      document.body.append(script);
      return window.evil === 1;
    })()""")
    assert not ran
    assert page.evaluate("fetch('http://127.0.0.1:1/').then(() => 'asked', () => 'refused')") == "refused"


def a_key_is_asked_for(browser):
    Path("keys").write_text(f"{KEY}\n")
    with Server("copy", "--api-key-file", "keys") as server:
        page = browser.open(f"http://127.0.0.1:{server.port}/")
        page.until("document.getElementById('ask-key') && heed.open !== null")
        assert page.evaluate("document.getElementById('ask-key').type") == "password"
        assert violations(page) == [], violations(page)
        shoot(page, "key")
        type_into(page, "ask-key", "wrong")
        enter(page)
        page.until("document.getElementById('asking-said').textContent.includes('Bearer')")
        type_into(page, "ask-key", KEY)
        enter(page)
        page.until("document.getElementById('ask-input') !== null")
        ask(page, "a b")
        assert page.evaluate("heed.state.view") == "matrix"
        assert page.evaluate("localStorage.length + sessionStorage.length + document.cookie.length") == 0
        assert KEY not in page.evaluate("location.href + document.documentElement.outerHTML")


def a_page_shows_what_heads_do(browser):
    """Heads switched off and other weights, on the page that `heed explain` writes."""
    asked = [HEED, "explain", "lm", "a b c", "--heads", "--counterfactual", "shuffled,uniform", "-o"]
    for name in ("why.html", "why.json"):
        subprocess.run([*asked, name], check=True, capture_output=True, timeout=60)
    wanted = json.loads(Path("why.json").read_text())
    page = browser.open(Path("why.html").resolve().as_uri())
    page.until("document.documentElement.dataset.shown")
    for measure in ("entropy", "distance", "importance"):
        for lang, theme in [("en", "light"), ("zh", "dark")]:
            show(page, {"view": "model", "measure": measure, "lang": lang, "theme": theme})
            page.evaluate("heed.open.filled")
            assert page.evaluate(DRAWN) > 10, (measure, lang)
            assert page.evaluate(CONTRAST) == [], (measure, lang, page.evaluate(CONTRAST))
            assert page.evaluate(NAMES) == [] and violations(page) == [], (measure, lang, violations(page))
            shoot(page, f"heads-{measure}-{lang}-{theme}")
    table = page.evaluate("heed.open.csv()")
    assert table[0] == ["layer", "head", "entropy", "distance", "importance"], table[0]
    heads = [(each["name"], head) for each in wanted["attention"] for head in each["heads"]]
    for row, (layer, head) in zip(table[1:], heads, strict=True):
        assert row[0] == layer and abs(row[2] - head["entropy"]) < 0.02 and abs(row[4] - head["importance"]) < 1e-5, (row, head)
        assert row[3] == "" or abs(row[3] - head["distance"]) < 0.02, (row, head)
    show(page, {"lang": "en"})
    page.until("document.getElementById('side').innerText.includes('With other weights')")
    side = page.evaluate("document.getElementById('side').innerText")
    for each in wanted["counterfactuals"]:
        assert f"{each['layer']} · {each['weights']}" in side, (each, side)
    most = max(range(len(heads)), key=lambda n: heads[n][1]["importance"])
    assert side.split("Heads that the answer needs")[1].strip().startswith(heads[most][0]), side
    page.evaluate("location.hash = 'view=model&measure=nonsense'; heed.open = null")
    page.until("heed.open !== null")
    assert page.evaluate("heed.state.measure") == ""
    assert page.complaints == [], page.complaints


def only_this_page(server):
    status, headers, body = server.ask("GET", "/")
    policy = headers["content-security-policy"]
    assert status == 200 and "unsafe" not in policy and "connect-src 'self'" in policy and "default-src 'none'" in policy, policy
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
    assert b"unsafe-inline" not in body and b"{nonce}" not in body
    nonce = policy.split("'nonce-")[1].split("'")[0]
    assert body.count(f'<script nonce="{nonce}">'.encode()) == (ROOT / "web/index.html").read_text().count("<script ")
    assert nonce not in server.ask("GET", "/")[1]["content-security-policy"]
    status, headers, nothing = server.ask("HEAD", "/")
    assert status == 200 and nothing == b"" and int(headers["content-length"]) == len(body)


with folder_of_runs(), Server("copy", "reviews", "lm") as server:
    only_this_page(server)
    if not chromium.PROGRAM:
        print("the page: skipped: there is no chromium")
        sys.exit(0)
    with chromium.Chromium() as browser:
        page = browser.open(f"http://127.0.0.1:{server.port}/")
        a_text_is_seen(page, server)
        curves_grow(page)
        no_foreign_script_runs(page)
        a_key_is_asked_for(browser)
        a_page_shows_what_heads_do(browser)
        print("ok")
