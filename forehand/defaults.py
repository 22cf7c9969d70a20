"""What a run is made of where nobody says otherwise. Imports nothing heavy: the command line shows it in its help."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

PolicyName: TypeAlias = Literal["rt2", "expert"]

DEFAULT_POLICY: PolicyName = "rt2"
DEFAULT_SCENE = "kitchen-corner"
SHIPPED_CHECKPOINT = Path(__file__).resolve().parent.parent / "rt2" / "checkpoints" / "rt2-small"
