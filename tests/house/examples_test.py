#!/usr/bin/env python3
"""Builds and runs every example that is shown: the C++ blocks of the READMEs and of the pages in docs that are there in both
languages, which must show the same code, and the examples in the public headers.

    examples_test.py BUILD

The examples of a header are what stands behind `//   ` (three spaces) at the beginning of a line. Lines that follow each
other are one block. Statements go into a function of their own; a block that begins with a type or a function stands outside.
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(sys.argv[1]).resolve()
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DEFINITION = re.compile(r"^(struct|class|template|namespace|enum|[\w:]+ \w+\(const heed::[^;]*\{)")
PREAMBLE = "#include <heed/heed.h>\n#include <cmath>\n#include <fstream>\n#include <iostream>\n#include <vector>\n"


def page_blocks(path):
    return [(language, code) for language, code in FENCE.findall(path.read_text(encoding="utf-8")) if language]


def pages():
    """Each page and its Chinese twin."""
    return [(path.with_suffix("").with_suffix(".md"), path)
            for path in [ROOT / "README.zh.md", *sorted((ROOT / "docs").glob("*.zh.md"))]]


def header_blocks(path):
    """The examples of a header, each a list of lines."""
    blocks, block = [], []
    for line in path.read_text(encoding="utf-8").splitlines() + [""]:
        if line.startswith("//   "):
            block.append(line[5:])
            continue
        if block:
            blocks.append(block)
            block = []
    return blocks


def program_of(blocks):
    outside, calls = "", ""
    for number, block in enumerate(blocks):
        code = "\n".join(block)
        first = next(line for line in block if line.strip() and not line.lstrip().startswith("//"))
        if DEFINITION.match(first):
            outside += code + "\n"
        else:
            outside += f"static void example_{number}() {{\n{code}\n}}\n"
            calls += f"  example_{number}();\n"
    return PREAMBLE + outside + ("" if "int main()" in outside else f"int main() {{\n{calls}}}\n")


def build_and_run(name, program, folder):
    source, binary = folder / f"{name}.cc", folder / name
    source.write_text(program, encoding="utf-8")
    command = ["g++", "-std=c++20", f"-I{ROOT}/include", str(source), "-o", str(binary), f"-L{BUILD}", "-lheed",
               f"-Wl,-rpath,{BUILD}"]
    for step in (command, [str(binary)]):
        done = subprocess.run(step, cwd=folder, capture_output=True, text=True)
        if done.returncode != 0:
            print(f"{name}: {' '.join(step[:1])} failed ({done.returncode})\n{done.stderr[:4000]}\n{program}")
            return False
    print(f"{name}: ok")
    return True


def umbrella_is_whole():
    umbrella = (ROOT / "include/heed/heed.h").read_text(encoding="utf-8")
    missing = [path.name for path in (ROOT / "include/heed").glob("*.h")
               if path.name != "heed.h" and f"<heed/{path.name}>" not in umbrella]
    if missing:
        print(f"heed.h does not include {missing}")
    return not missing


def main():
    good = umbrella_is_whole()
    programs = {}
    for english, chinese in pages():
        blocks = page_blocks(english)
        if blocks != page_blocks(chinese):
            print(f"{english.name} and {chinese.name} show different code")
            good = False
        programs |= {f"{english.stem}_{i}": code for i, (language, code) in enumerate(blocks) if language == "cpp"}
    for path in sorted((ROOT / "include/heed").glob("*.h")):
        blocks = header_blocks(path)
        if not blocks:
            print(f"{path.name} shows no example")
            good = False
        programs[f"header_{path.stem}"] = program_of(blocks)
    with tempfile.TemporaryDirectory() as folder:
        results = [build_and_run(name, program, Path(folder)) for name, program in programs.items()]
    sys.exit(0 if good and programs and all(results) else 1)


main()
