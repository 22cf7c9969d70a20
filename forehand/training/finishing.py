"""The end of a training: folder/checkpoint with the averaged weights and all that tells where they come from.

Not for: checkpoints on the way, which collectors use (rt2.training.publishing).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from forehand.taught import write_taught
from forehand.training.config import TrainConfig
from forehand.training.folder import CHECKPOINT, as_yaml
from forehand.training.report import TrainingFacts, model_card, training_table
from forehand.training.skill_learning import taught_by
from rt2.small import SmallVLA, save_small
from skills.rates import Rate

TABLE = "table.md"


def finish(
    folder: Path,
    config: TrainConfig,
    vla: SmallVLA,
    facts: TrainingFacts,
    on_policy: Mapping[str, Rate],
    window_s: float,
) -> None:
    """Write table.md and checkpoint/, the latter whole or not at all."""
    partial = folder / f".{CHECKPOINT}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    save_small(partial, vla)
    complete(folder, partial, config, facts, on_policy, window_s)


def complete(
    folder: Path,
    partial: Path,
    config: TrainConfig,
    facts: TrainingFacts,
    on_policy: Mapping[str, Rate],
    window_s: float,
) -> None:
    """Put card, configuration and figures beside the weights in `partial`, and all of it in its place."""
    taught = taught_by(config)
    skills = tuple(dict.fromkeys((*config.robot.collect.skills, *(t.skill for t in taught))))
    if taught:
        write_taught(partial, taught)
    (partial / "README.md").write_text(model_card(config, facts, on_policy, window_s, skills), encoding="utf-8")
    (partial / "train.yaml").write_text(as_yaml(config), encoding="utf-8")
    (partial / "training.json").write_text(json.dumps(facts.as_record(), indent=1) + "\n", encoding="utf-8")
    (folder / TABLE).write_text(training_table(facts, on_policy, window_s), encoding="utf-8")
    os.replace(partial, folder / CHECKPOINT)
