#!/usr/bin/env python3
"""What examples/serve has to run a server with: the unit is whole and keeps its promises, the image has every library that the
program needs, and what asks after its health is answered. Each is skipped where its tool is not installed.

    served_files_test.py BUILD
"""
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/support"))
from serving import HEED, Server, folder_of_runs  # noqa: E402

EXAMPLES = ROOT / "examples/serve"
EXPOSED = 12  # tenths of what systemd counts, from 0 to 100


def unit_is_whole():
    with tempfile.TemporaryDirectory() as folder:
        unit = Path(folder) / "heed.service"  # the program need not be installed here
        unit.write_text((EXAMPLES / "heed.service").read_text().replace("/usr/local/bin/heed", str(HEED)))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True)
        assert done.returncode == 0 and "heed.service" not in done.stderr, done.stderr
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={EXPOSED}", unit],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def image_has_every_library(image):
    names = set(re.findall(r"\blib[a-z]+[0-9]+d?\b|\bzlib1g\b", image.split("\nFROM ")[-1]))
    needed = re.findall(r"NEEDED\s+(\S+)", subprocess.run(["objdump", "-p", HEED], capture_output=True, text=True, check=True).stdout)
    base = {"libc6", "libgcc-s1", "libstdc++6"}  # of every image that has a program in C++
    for library in needed:
        said = subprocess.run(["dpkg", "-S", f"*/{library}"], capture_output=True, text=True).stdout
        owners = {line.split(":")[0] for line in said.splitlines()}
        assert not owners or owners & (names | base), f"{library} of {owners} is not in the image"


def health_is_asked_after(image):
    command = json.loads(re.search(r"^HEALTHCHECK .*CMD (.*)$", image, re.M)[1])
    with folder_of_runs(), Server("lm") as server:
        ask = [part.replace("8080", str(server.port)) for part in command]
        assert subprocess.run(ask, timeout=20).returncode == 0
        server.stop()
        assert subprocess.run(ask, timeout=20, stderr=subprocess.DEVNULL).returncode != 0


IMAGE = (EXAMPLES / "Dockerfile").read_text()
assert re.search(r"^USER [1-9]", IMAGE, re.M), "the image runs as root"
for tool, check in [("systemd-analyze", unit_is_whole), ("dpkg", lambda: image_has_every_library(IMAGE)), ("bash", lambda: health_is_asked_after(IMAGE))]:
    check() if shutil.which(tool) else print(f"skipped: there is no {tool}")
print("ok")
