#!/usr/bin/env python3
"""Trains with the program: killed at random moments it ends with the bits of the undisturbed training; what cannot go
well is refused with a sentence.

    train_test.py BUILD
"""
import hashlib
import json
import os
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HEED = Path(sys.argv[1]).resolve() / "heed"
KILLS = int(os.environ.get("HEED_KILLS", "6"))


def heed(*arguments, **options):
    return subprocess.run([HEED, *map(str, arguments)], capture_output=True, text=True, timeout=120, **options)


def train(run, *more, epochs=3):
    return ["train", "translate", "--data", "copy.tsv", "--run", run, "--tokens", "characters", "--width", "16",
            "--batch", "16", "--epochs", str(epochs), "--average", "0.9", "--accumulate", "2", "--save-every", "3", *more]


def digest(run):
    return hashlib.sha256((Path(run) / "model.safetensors").read_bytes()).hexdigest()


def complains(result, code, *words):
    text = result.stderr
    assert result.returncode == code, (result.returncode, text)
    for word in words:
        assert word in text, f"no '{word}' in: {text}"


def kills_change_nothing():
    assert heed(*train("whole")).returncode == 0
    draw = random.Random(1)
    killed = 0
    while killed < KILLS:
        process = subprocess.Popen([HEED, *train("killed")], stderr=subprocess.DEVNULL)
        time.sleep(draw.uniform(0.02, 0.4))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.wait()
    result = heed(*train("killed"))
    assert result.returncode == 0, result.stderr
    assert digest("whole") == digest("killed")
    steps = [json.loads(line)["step"] for line in Path("killed/metrics.jsonl").read_text().splitlines()]
    assert steps == sorted(steps), "metrics of steps that were done over stayed"


# What a process may write into a file is bounded, and later no more: a full disk, and room made on it.
def a_full_disk_loses_nothing():
    def bounded():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))

    process = subprocess.Popen([HEED, *train("full")], stderr=subprocess.PIPE, text=True, preexec_fn=bounded,
                               restore_signals=False)
    text = ""
    for line in process.stderr:
        text += line
        if text.count("tries again") == 2:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert process.wait(timeout=60) == 0 and text.count("tries again") >= 2, text
    assert digest("whole") == digest("full")
    assert sorted(os.listdir("whole/state")) == sorted(os.listdir("full/state"))
    assert heed(*train("full", epochs=4)).returncode == 0

    process = subprocess.run([HEED, *train("never")], capture_output=True, text=True, preexec_fn=bounded,
                             restore_signals=False, timeout=60)
    complains(process, 1, "tries again", "could not be saved", "make room on the disk")


def signals_save_and_say_how_to_go_on():
    process = subprocess.Popen([HEED, *train("stopped", epochs=1000)], stderr=subprocess.PIPE, text=True)
    process.stderr.readline()  # what it is going to do
    process.send_signal(signal.SIGTERM)
    text = process.communicate(timeout=60)[1]
    assert process.returncode == 130 and "heed train translate --run stopped" in text, (process.returncode, text)
    result = heed("train", "translate", "--run", "stopped", "--epochs", "1")
    assert result.returncode == 0 and "goes on after step" in result.stderr, result.stderr


def one_writer():
    process = subprocess.Popen([HEED, *train("locked", epochs=1000)], stderr=subprocess.PIPE, text=True)
    process.stderr.readline()
    complains(heed(*train("locked", epochs=1000)), 1, f"process {process.pid}", "another --run")
    process.kill()
    process.wait()


def bad_input_is_a_sentence():
    Path("empty.tsv").write_text("")
    Path("one_column.tsv").write_text("alone\n")
    Path("binary.tsv").write_bytes(bytes(range(256)) * 8)
    Path("short.txt").write_text("a\n")
    Path("long.txt").write_text("a\nb\n")
    with_data = lambda data, *more: heed("train", "translate", "--run", "bad", "--data", data, *more)
    complains(heed("train", "translate", "--run", "bad"), 2, "--data")
    complains(with_data("missing.tsv"), 1, "missing.tsv", "No such file")
    complains(with_data("."), 1, "folder")
    complains(with_data("empty.tsv"), 1, "empty.tsv", "is empty")
    complains(with_data("one_column.tsv"), 1, "one_column.tsv:1", "has one column")
    complains(with_data("binary.tsv"), 1, "binary.tsv:")
    complains(with_data("long.txt", "--target-data", "short.txt"), 1, "short.txt")
    Path("named.tsv").write_text("x\ty\na\tb\n")
    complains(with_data("named.tsv", "--header", "--columns", "0,1"), 2, "columns", "they have names")
    Path("keys.jsonl").write_text('{"source": "a", "about": "b"}\n')
    complains(with_data("keys.jsonl"), 2, "keys.jsonl", "--columns SOURCE,TARGET")
    complains(with_data("copy.tsv", "--kernel", "3"), 2, "rnn-search", "no option kernel")
    complains(with_data("copy.tsv", "--attention", "alibi"), 2, "alibi", "no place in the source")
    complains(with_data("copy.tsv", "--width", "many"), 2, "width", "many", "whole number")
    complains(with_data("copy.tsv", "--model", "rnn-serch"), 2, "rnn-serch", "rnn-search")
    complains(heed(*train("/proc/none")), 1, "/proc/none")


def numbers_out_of_bounds_are_a_sentence():
    """Every option of every task that is a number says what it wants; nothing is begun, so that the next try may be right."""
    sections = dict(re.findall(r"^## heed train (\w+)(.*?)(?=^## |\Z)", heed("options").stdout, re.M | re.S))
    data = {"classify": "reviews.tsv"}
    assert set(sections) >= {"translate", "classify", "lm"}, sections.keys()
    for task, section in sections.items():
        numbers = set(re.findall(r"^\| `--([a-z-]+)` \| `-?[\d.e-]+` \|", section, re.M)) - {"seed"}
        assert len(numbers) > 20, numbers
        for option in sorted(numbers):
            result = heed("train", task, "--data", data.get(task, "copy.tsv"), "--run", "out-of-bounds", f"--{option}", "-2")
            complains(result, 2)
            assert not Path("out-of-bounds/heed.json").exists(), option


def bad_runs_are_a_sentence():
    predict = lambda run: heed("predict", run, input="a\n")
    complains(predict("nowhere"), 1, "nowhere", "no run")
    about = json.loads(Path("whole/heed.json").read_text())
    copy = lambda name: (subprocess.run(["cp", "-r", "whole", name], check=True), Path(name))[1]
    (copy("newer") / "heed.json").write_text(json.dumps(about | {"format": 99}))
    complains(predict("newer"), 1, "newer heed", "99")
    (copy("other") / "heed.json").write_text(json.dumps(about | {"task": "paint"}))
    complains(predict("other"), 1, "paint")
    for name in ["config.json", "source.json", "model.safetensors", "heed.json"]:
        broken = copy(f"short-{name}") / name
        broken.write_bytes(broken.read_bytes()[:-20])
        complains(predict(broken.parent), 1, name)
    tampered = copy("tampered") / "model.safetensors"
    data = bytearray(tampered.read_bytes())
    data[-5] ^= 1
    tampered.write_bytes(data)
    complains(predict("tampered"), 1, "changed or damaged")
    complains(heed(*train("whole", "--warm-up", "7")), 2, "was begun with warm_up 200")


def answers_come_line_by_line():
    process = subprocess.Popen([HEED, "predict", "whole"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    for line in ["a b", "c"]:
        process.stdin.write(line + "\n")
        process.stdin.flush()
        assert process.stdout.readline().endswith("\n")
    process.stdin.close()
    assert process.wait(timeout=60) == 0
    details = json.loads(heed("predict", "whole", "--json", "--alignment", input="a b\n").stdout)
    assert len(details["alignment"]) == len(details["tokens"]) == len(details["log_probabilities"])
    assert "exact match" in heed("eval", "whole", "--data", "copy.tsv", "--beam", "1").stdout
    assert "rnn-search" in heed("info", "whole").stdout
    with open("/dev/full", "w") as full:
        result = subprocess.run([HEED, "predict", "whole"], input="a\n", stdout=full, stderr=subprocess.PIPE, text=True)
    complains(result, 1, "stdout", "cannot be written")


def every_kind_of_token_trains():
    for kind in ["unigram", "bpe", "words", "characters", "whitespace", "bytes"]:
        result = heed("train", "translate", "--data", "copy.tsv", "--run", kind, "--tokens", kind, "--width", "16",
                      "--steps", "1")
        assert result.returncode == 0, result.stderr
        assert heed("predict", kind, input="a b\n").returncode == 0


def no_model_says_more_than_it_has_places_for():
    for more in [["--model", "conv-seq2seq"], ["--model", "transformer", "--position", "learned"]]:
        result = heed("train", "translate", "--data", "copy.tsv", "--run", more[-1], "--tokens", "whitespace", "--width",
                      "16", "--longest", "8", "--steps", "1", *more)
        assert result.returncode == 0, result.stderr
        assert heed("predict", more[-1], input="a b c d e f g h i j k l\n").returncode == 0


def folds_are_runs():
    folds = lambda *more: heed("train", "classify", "--data", "reviews.tsv", "--width", "16", "--epochs", "2", *more)
    result = folds("--run", "folds", "--folds", "3")
    assert result.returncode == 0, result.stderr
    stored = json.loads(Path("folds/folds.json").read_text())
    accuracy = stored["figures"]["accuracy"]
    assert stored["folds"] == 3 and len(accuracy["values"]) == 3, stored
    assert abs(sum(accuracy["values"]) / 3 - accuracy["mean"]) < 1e-9 and accuracy["deviation"] >= 0
    assert re.search(r"accuracy +[0-9.]+ +[0-9.e-]+ ", result.stdout), result.stdout
    sizes = [json.loads(Path(f"folds/fold-{n}/heed.json").read_text())["data"]["held_out"] for n in (1, 2, 3)]
    assert sorted(sizes) == [66, 67, 67], sizes
    assert heed("predict", "folds/fold-2", input="the food was good .\n").returncode == 0
    assert folds("--run", "folds", "--folds", "3").stdout == result.stdout
    complains(folds("--run", "folds", "--folds", "2"), 2, "more than 2 folds")
    complains(folds("--run", "parts", "--folds", "1"), 2, "two parts")
    complains(folds("--run", "parts", "--folds", "3", "--validation", "0.2"), 2, "validation", "3 folds")
    complains(folds("--run", "whole", "--folds", "3"), 2, "whole", "a run of its own")
    complains(folds("--run", "parts", "--validation", "4/3"), 2, "validation", "4/3")


def rates_are_tested():
    before = sorted(os.listdir("."))
    result = heed(*train("rates", "--find-lr"))
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert re.fullmatch(r"Suggested, .*: --learning-rate [0-9.e-]+", lines[-1]), lines[-1]
    assert 10 < len(lines) < 30 and all(len(line) <= 80 for line in lines), result.stdout
    assert sorted(os.listdir(".")) == before


def trainings_are_drawn():
    drawn = heed("plot", "whole").stdout
    for title in ["loss", "learning rate", "gradient norm", "bleu"]:
        assert f"\n{title}\n" in "\n" + drawn, (title, drawn)
    assert max(map(len, drawn.splitlines())) <= 80
    assert heed("plot", "whole", "killed", "-o", "both.svg").returncode == 0
    text = Path("both.svg").read_text()
    assert text.startswith("<svg") and "killed, validation" in text
    assert heed("plot", "whole", "-o", "one.png").returncode == 0
    assert Path("one.png").read_bytes().startswith(b"\x89PNG")
    complains(heed("plot", "whole", "-o", "one.pdf"), 2, "one.pdf", ".svg or .png")
    complains(heed("plot", "nowhere"), 1, "nowhere")


def heads_are_drawn():
    of_heads = ["plot", "whole", "--heads", "--data", "copy.tsv", "--lines", "3"]
    drawn = heed(*of_heads).stdout
    for what in ["entropy of a head's weights, nats, mean of 3 answers", "distance", "importance"]:
        assert what in drawn, (what, drawn)
    narrow = heed(*of_heads, env={**os.environ, "COLUMNS": "40"}).stdout
    assert max(map(len, narrow.splitlines())) <= 40 < max(map(len, drawn.splitlines())), narrow
    assert heed(*of_heads, "-o", "heads.svg").returncode == 0
    assert "importance" in Path("heads.svg").read_text()
    meddled = ["explain", "whole", "a b", "--heads", "--counterfactual", "uniform", "-o"]
    assert heed(*meddled, "why.svg").returncode == 0
    assert "importance" in Path("why.svg").read_text() and "as it was" in Path("why.svg").read_text()
    complains(heed("plot", "whole", "--heads"), 2, "--data")
    complains(heed("plot", "whole", "--data", "copy.tsv"), 2, "--heads")
    complains(heed(*of_heads, "--columns", "9,10"), 1, "copy.tsv")
    complains(heed(*of_heads[:-1], "0"), 2, "lines", "at least 1")


def memory_is_counted_before_it_is_taken():
    limit = 900 << 20
    bounded = lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    wide = list(train("wide"))
    wide[wide.index("--width") + 1] = "1024"
    result = subprocess.run([HEED, *wide], capture_output=True, text=True, preexec_fn=bounded, timeout=120)
    complains(result, 1, "would take about", "iB more", "largest batch", "batch")
    assert "memory: about" in heed(*train("memory")).stderr


def options_come_from_files():
    config = heed(*train("config"), "--dump-config").stdout
    Path("run.toml").write_text(config)
    assert heed("train", "translate", "--config", "run.toml", "--dump-config").stdout == config
    assert not Path("config").exists()
    named = heed("train", "translate", "--data", 'a "quoted" \\ name', "--dump-config").stdout
    assert "quoted" in named
    Path("run.toml").write_text(named)
    assert heed("train", "translate", "--config", "run.toml", "--dump-config").stdout == named
    for text, *words in [('width = 16"', "line 1"), ('\nmodel = "a"b"', "line 2"), ("width = [16]", "width", "number"),
                         ("width = 1979-05-27", "width"), ("widht = 16", "widht", "width"), ("[width]\nx = 1", "width"),
                         ("batch-tokens = 1\nbatch_tokens = 1", "batch_tokens", "twice"), ("width = 1\nwidth = 2", "line 2")]:
        Path("bad.toml").write_text(text)
        broken = words[0].startswith("line")
        complains(heed("train", "translate", "--config", "bad.toml", "--dump-config"), 1 if broken else 2, "bad.toml", *words)


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    assert heed("data", "reviews", "-n", "200", "-o", "reviews.tsv").returncode == 0
    assert heed("data", "copy", "-n", "400", "--length", "2,6", "-o", "copy.tsv").returncode == 0
    for check in [kills_change_nothing, a_full_disk_loses_nothing, signals_save_and_say_how_to_go_on, one_writer,
                  bad_input_is_a_sentence, numbers_out_of_bounds_are_a_sentence, bad_runs_are_a_sentence,
                  answers_come_line_by_line, every_kind_of_token_trains, no_model_says_more_than_it_has_places_for, folds_are_runs,
                  rates_are_tested, trainings_are_drawn, heads_are_drawn, memory_is_counted_before_it_is_taken, options_come_from_files]:
        check()
        print("ok", check.__name__)
