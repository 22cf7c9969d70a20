"""Every snippet of the documentation is executed, in order, in a folder of its own.

A block under `<!-- file: NAME -->` is written to NAME; `sh` blocks run in bash, `python` blocks in Python. Blocks of
language `text` are output or drawings. The address of a local language model becomes that of a loopback server.
`make` lines that would run this very test suite, or a study of many
minutes, are held against the Makefile with `make -n` instead.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from llm_loopback import LoopbackEndpoint, completion

ROOT = Path(__file__).resolve().parent.parent
TESTED_BESIDE_ITS_EXAMPLE = {"adding-a-skill.md"}  # by tests/skills/test_expert_of_ones_own.py
DOCUMENTS = sorted(d for d in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")) if d.name not in TESTED_BESIDE_ITS_EXAMPLE)
BLOCK = re.compile(r"(?:<!-- file: (?P<file>\S+) -->\n+)?^```(?P<language>\w*)\n(?P<body>.*?)^```$", re.M | re.S)
LONG_TARGETS = ("make test", "make bench", "make suite", "make demo")
LOCAL_MODEL = "http://localhost:11434/v1"
ACTIVATE = ". .venv/bin/activate"
RUNNABLE = {"sh", "python"}
KNOWN = RUNNABLE | {"yaml", "json", "text", "makefile"}


@dataclass(frozen=True)
class Snippet:
    language: str
    body: str
    file: str | None


def snippets(document: Path) -> list[Snippet]:
    assert "{{" not in document.read_text("utf-8"), f"{document.name}: something was to be filled in"
    found = [Snippet(m["language"], m["body"], m["file"]) for m in BLOCK.finditer(document.read_text("utf-8"))]
    for snippet in found:
        assert snippet.language in KNOWN, f"{document.name}: a block of language {snippet.language!r} is not executed"
        assert snippet.file or snippet.language not in ("yaml", "json"), f"{document.name}: a file block without a name"
    return found


def shell_script(body: str) -> str:
    lines = []
    for line in body.splitlines():
        command = line.split("#")[0].strip()
        if command in LONG_TARGETS:
            lines.append(f"make -C {ROOT} -n {command.split()[1]} >/dev/null")
        elif command != ACTIVATE:  # the tests' own environment is active already
            lines.append(line)
    return "\n".join(["set -euo pipefail", *lines])


@pytest.fixture
def language_model() -> Iterator[str]:
    plan = {
        "reasoning": "The red block goes into the bowl of its colour.",
        "goal": ["in(red block, red bowl)"],
        "steps": [{"do": "pick(red block)"}, {"do": "place_in(red bowl)"}],
    }
    with LoopbackEndpoint(completion(plan)) as endpoint:
        yield endpoint.url


def run_snippet(snippet: Snippet, folder: Path, language_model: str) -> None:
    if snippet.file is not None:
        target = folder / snippet.file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(snippet.body, "utf-8")
        return
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    body = snippet.body.replace(LOCAL_MODEL, language_model)
    program = ["bash", "-c", shell_script(body)] if snippet.language == "sh" else [sys.executable, "-c", body]
    done = subprocess.run(
        program, cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, (
        f"{snippet.body}\n--- exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.name)
@pytest.mark.timeout(600)
def test_every_snippet_runs(document: Path, tmp_path: Path, language_model: str) -> None:
    for snippet in snippets(document):
        if snippet.file is not None or snippet.language in RUNNABLE:
            run_snippet(snippet, tmp_path, language_model)
