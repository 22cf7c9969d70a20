"""Wordings the grammar was not designed for: most are understood, hardly any misunderstood, the rest asked about."""

from __future__ import annotations

import pytest
from language_scenes import cases, mistake

# Figures of today. When first tried, untouched: 69 of 120 of the third set (2 misread), 36 of 60 of the fourth (3).
_MEASURED = [
    ("held_out_instructions.yaml", 59, 2),
    ("held_out_later.yaml", 33, 0),
    ("held_out_3.yaml", 115, 0),
    ("held_out_4.yaml", 52, 0),
]


@pytest.mark.parametrize(("file_name", "right", "misread"), _MEASURED)
def test_most_held_out_wordings_are_understood(file_name: str, right: int, misread: int) -> None:
    mistakes = {case["say"]: mistake(case) for case in cases(file_name)}
    assert sum(not m for m in mistakes.values()) >= right
    wrong = [say for say, m in mistakes.items() if m and not m.startswith(("clarify", "impossible"))]
    assert len(wrong) <= misread, wrong
