#!/usr/bin/env python3
"""`heed attend`, end to end, from a language without a binding: safetensors written and read by hand.

    attend_test.py BUILD
"""
import json
import math
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

HEED = Path(sys.argv[1]).resolve() / "heed"


def write(path, tensors):
    header, data = {}, b""
    for name, (shape, values) in tensors.items():
        packed = struct.pack(f"<{len(values)}d", *values)
        header[name] = {"dtype": "F64", "shape": shape, "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def read(path):
    content = path.read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:8 + size])
    header.pop("__metadata__", None)
    return {name: struct.unpack(f"<{(e['data_offsets'][1] - e['data_offsets'][0]) // 8}d",
                                content[8 + size + e["data_offsets"][0]:8 + size + e["data_offsets"][1]])
            for name, e in header.items()}


def run(*arguments):
    return subprocess.run([HEED, "attend", *map(str, arguments)], capture_output=True, text=True, check=False)


def expect_refused(code, words, *arguments):
    done = run(*arguments)
    assert done.returncode == code, (arguments, done)
    assert all(word in done.stderr for word in words) and not done.stdout, (words, done)
    assert len(done.stderr.splitlines()) <= 2, done.stderr


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, target = folder / "in.safetensors", folder / "out.safetensors"
        q, k, v = [1, 2, 3, 4, 5, 6], [7, 9, 11, 8, 10, 12], [1, 0, 0, 1]
        tensors = {"q": ([2, 3], q), "k": ([2, 3], k), "v": ([2, 2], v)}
        write(source, tensors)
        done = run("scaled_dot", source, "-o", target, "--weights")
        assert done.returncode == 0 and not done.stderr, done
        out = read(target)
        weight = 1 / (1 + math.exp((58 - 64) / math.sqrt(3)))
        assert set(out) == {"out", "weights", "log_sum_exp"}, out
        assert abs(out["weights"][1] - weight) < 1e-12 and abs(out["out"][1] - weight) < 1e-12, out

        write(source, {**tensors, "dout": ([2, 2], [1, 0, 0, 1])})
        assert run("scaled_dot", source, "-o", target, "--causal").returncode == 0
        out = read(target)
        assert set(out) == {"out", "dq", "dk", "dv"} and out["out"][:2] == (1, 0), out

        target.unlink()
        expect_refused(2, ["scaled_dto", "scaled_dot"], "scaled_dto", source, "-o", target)
        expect_refused(2, ["--cuasal", "--causal"], "scaled_dot", source, "-o", target, "--cuasal")
        expect_refused(2, ["--out"], "scaled_dot", source)
        expect_refused(2, ["--window"], "scaled_dot", source, "-o", target, "--window", "1")
        expect_refused(2, ["--dtype"], "scaled_dot", source, "-o", target, "--dtype", "f8")
        expect_refused(1, ["nowhere"], "scaled_dot", folder / "nowhere", "-o", target)
        expect_refused(1, ["nowhere"], "scaled_dot", source, "-o", folder / "nowhere" / "out")
        source.write_bytes(struct.pack("<Q", 2**63) + b"{}")
        expect_refused(1, ["in.safetensors"], "scaled_dot", source, "-o", target)
        assert not target.exists()
    print("attend: ok")


main()
