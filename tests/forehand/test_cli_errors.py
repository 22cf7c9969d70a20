"""What a person gets for bad input: one clear line on stderr, exit code 2, nothing half-written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from llm_loopback import LoopbackEndpoint, Reply, completion, refusal

from forehand.cli import main

SCENE = "{objects: [red block, blue bowl, drawer]}"
CYCLE = "steps: [{id: a, do: pick(red block), after: [b]}, {id: b, do: place_in(blue bowl), after: [a]}]"
UNBOUNDED = "steps: [{id: a, repeat: {steps: [{id: b, do: open(drawer)}]}, until: open(drawer)}]"
UNMET = "steps: [{id: a, do: place_in(blue bowl)}]"
UNKNOWN_SKILL = "steps: [{id: a, do: grab(red block)}]"
UNKNOWN_OBJECT = "steps: [{id: a, do: pick(green block)}]"
NO_GOAL = "[{id: a, scene: {objects: [red block]}, instruction: x, expect: goal}]"
ASKING = "{id: a, scene: two-blocks, instruction: x, expect: clarify}"
TWICE = f"[{ASKING}, {ASKING}]"
    taken.write_text("a file, not a folder", "utf-8")
    arguments = ["run", "pick up the red block", "--scene", "scene.yaml", "--out", str(taken / "run")]
    assert "taken" in refused(arguments, monkeypatch, capsys)
