"""What the scripts of this folder share: heed's time of a case, the peer's of the same, a line with the ratio."""
import argparse
import json
import os
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
THREADS = int(os.environ.get("HEED_THREADS", os.cpu_count()))
SHAPES = [(1, 8, 4096, 4096, 64), (1, 8, 4096, 4096, 128), (16, 8, 512, 512, 64), (8, 8, 128, 128, 64),
          (32, 8, 32, 32, 32)]
ADDITIVE_SHAPES = [(32, 1, 32, 32, 256), (16, 1, 256, 256, 128), (4, 1, 1024, 1024, 128)]

parser = argparse.ArgumentParser()
parser.add_argument("--heed", default=ROOT / "build/release/heed")
parser.add_argument("--quick", action="store_true", help="the small shapes only")
ARGUMENTS = parser.parse_args()


def wanted(shapes):
    return [s for s in shapes if not ARGUMENTS.quick or s[0] * s[1] * s[2] * s[3] * s[4] <= 1 << 27]


def best(work, repeats=5):
    """Milliseconds of the quickest call after a first one."""
    work()
    least = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        least = min(least, time.perf_counter() - start)
    return least * 1e3


def heed_bench(family, *arguments):
    """What `heed bench FAMILY --json` says, a dictionary a line; none where heed lacks what is asked for."""
    done = subprocess.run([ARGUMENTS.heed, "bench", family, "--json", *arguments], capture_output=True, text=True,
                          env={**os.environ, "HEED_THREADS": str(THREADS)}, check=False)
    if done.returncode != 0:
        print(done.stderr.strip())
        return []
    return [json.loads(line) for line in done.stdout.splitlines()]


def heed_lines(*arguments):
    return heed_bench("attention", *arguments)


def heed_model(family, case, which=None):
    """The line of a whole model; `which`: its pass, where there are several."""
    return next(line for line in heed_bench(family, "--filter", case)
                if line["case"] == case and which in (None, line["pass"]))


def heed_passes(shape, *flags):
    """Milliseconds of forward and backward of one shape."""
    lines = heed_lines("--shape", ",".join(map(str, shape)), "--backward", *flags)
    return {line["pass"]: line["ms"] for line in lines}


def report(name, shape, part, peer, ours):
    if ours is None:
        return
    shape = shape if isinstance(shape, str) else ",".join(map(str, shape))
    print(f"{name:<22} {shape:<18} {part:<8} {peer:10.3f} ms, heed {ours:10.3f} ms: "
          f"{peer / ours:6.2f} times faster", flush=True)
