"""Hand-written instructions and what they mean: of each meaning every fourth wording, for time."""

from __future__ import annotations

from typing import Any

import pytest
from language_scenes import cases, mistake


@pytest.mark.parametrize("case", cases("instructions.yaml", every=4), ids=lambda c: f"{c['scene']}: {c['say']}")
def test_an_instruction_means_what_it_says(case: dict[str, Any]) -> None:
    assert mistake(case) == ""
