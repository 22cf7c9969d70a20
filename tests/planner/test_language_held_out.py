"""Wordings the grammar was not designed for: most are understood, hardly any misunderstood, the rest asked about.

Every second wording is tried, for time. Of all of them, when first tried and nothing was tuned to them, 69 of the
120 of the third set were understood (2 misread) and 36 of the 60 of the fourth (3 misread).
"""

from __future__ import annotations

import pytest
from language_scenes import cases, mistake

_MEASURED = [
    ("held_out_instructions.yaml", 30, 1),
    ("held_out_later.yaml", 17, 0),
    ("held_out_3.yaml", 58, 0),
    ("held_out_4.yaml", 25, 0),
]


@pytest.mark.parametrize(("file_name", "right", "misread"), _MEASURED)
def test_most_held_out_wordings_are_understood(file_name: str, right: int, misread: int) -> None:
    mistakes = {case["say"]: mistake(case) for case in cases(file_name)[::2]}
    assert sum(not m for m in mistakes.values()) >= right
    wrong = [say for say, m in mistakes.items() if m and not m.startswith(("clarify", "impossible"))]
    assert len(wrong) <= misread, wrong
