"""What a finished training says of itself: the table of its last minutes, the facts, and the checkpoint's model card.

Not for: evaluation on seeds never trained on (forehand.studies).
"""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from executor.vla_inputs import IMAGE_SIZES
from forehand import __version__
from forehand.training.config import SkillLearning, TrainConfig
from rt2.training.trainer import Progress
from skills.rates import Rate

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class TrainingFacts:
    """Where a checkpoint comes from. commit: of the source, with "+ changes" where it was not all committed."""

    recipe: str
    samples: int
    steps: int
    minutes: float
    robot_frames: int
    vision_language_examples: int
    parameters: int
    device: str
    machine: str
    seed: int
    collecting_seed: int
    commit: str
    version: str
    losses: Mapping[str, float]
    on_policy: Mapping[str, Mapping[str, int]]

    def as_record(self) -> dict[str, object]:
        """JSON-ready."""
        return asdict(self)


def facts_of(
    config: TrainConfig, recipe: str, progress: Progress, parameters: int, device: str, on_policy: Mapping[str, Rate]
) -> TrainingFacts:
    return TrainingFacts(
        recipe=recipe,
        samples=progress.samples,
        steps=progress.steps,
        minutes=round(progress.seconds / 60, 2),
        robot_frames=progress.frames,
        vision_language_examples=progress.examples,
        parameters=parameters,
        device=device,
        machine=machine(),
        seed=config.training.seed,
        collecting_seed=config.robot.collect.seed,
        commit=source_commit(ROOT),
        version=__version__,
        losses={name: round(value, 4) for name, value in progress.losses.items()},
        on_policy={skill: {"k": rate.k, "n": rate.n} for skill, rate in on_policy.items()},
    )


def machine() -> str:
    """'AMD EPYC, 2 cores, Linux x86_64'."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        models = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        name = models[0] if models else name
    return f"{name}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"


def source_commit(root: Path) -> str:
    """The git commit of the source at `root`; 'unknown' where it is an installed copy."""
    if not (root / ".git").exists():
        return "unknown"
    try:
        commit = _git(root, "rev-parse", "HEAD")
        return f"{commit} + changes" if _git(root, "status", "--porcelain", "--untracked-files=no") else commit
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def on_policy_table(on_policy: Mapping[str, Rate]) -> str:
    """Markdown; a sentence where the policy never drove."""
    if not on_policy:
        return "The policy drove no skill in this time.\n"
    rows = ["| skill | succeeded | Wilson 95 % |", "|---|---|---|"]
    for skill, rate in on_policy.items():
        low, high = rate.wilson95
        rows.append(f"| {skill} | {rate.k} of {rate.n} | {low:.1%} – {high:.1%} |")
    return "\n".join(rows) + "\n"


def training_table(facts: TrainingFacts, on_policy: Mapping[str, Rate], window_s: float) -> str:
    """table.md."""
    rows = [
        ("recipe", facts.recipe), ("samples", f"{facts.samples:,} in {facts.steps:,} steps"),
        ("minutes", f"{facts.minutes:.1f}"), ("robot frames at the end", f"{facts.robot_frames:,}"),
        ("vision-language examples", f"{facts.vision_language_examples:,}"),
        ("parameters", f"{facts.parameters:,}"), ("machine", f"{facts.machine}; {facts.device}"),
        ("seeds", f"{facts.seed} (weights, batches), {facts.collecting_seed} (collecting)"),
        ("source", f"Forehand {facts.version}, {facts.commit}"),
        ("losses", ", ".join(f"{name} {value:.3f}" for name, value in facts.losses.items())),
    ]  # fmt: skip
    told = "\n".join(f"| {name} | {value} |" for name, value in rows)
    return (
        f"# Training {facts.recipe}\n\n| | |\n|---|---|\n{told}\n\n"
        f"## On policy, last {window_s / 60:.0f} minutes of collecting\n\n"
        f"{ON_POLICY_NOTE}\n\n{on_policy_table(on_policy)}"
    )


ON_POLICY_NOTE = (
    "Skill runs that the policy drove while data were collected: on training worlds, with the averaged weights of the "
    "time, and those skills practised most that failed most. A sign of progress, not an evaluation."
)


def model_card(
    config: TrainConfig, facts: TrainingFacts, on_policy: Mapping[str, Rate], window_s: float, skills: tuple[str, ...]
) -> str:
    """README.md of a checkpoint."""
    cameras = ", ".join(f"{name} {w}×{h}" for name, (w, h) in IMAGE_SIZES.items())
    base = config.model.backbone
    learning = config.learning
    origin = "trained from nothing" if learning is None else f"gone on from one of SHA-256 {learning.checkpoint_sha256}"
    model = f"`{base}`, tuned" if base else f"rt2-small, {facts.parameters:,} parameters, {origin}"
    mixed = (
        f"co-fine-tuned: {config.training.text_share:.0%} of the steps on vision-language examples"
        if config.training.text_share
        else "robot data alone"
    )
    table = training_table(facts, on_policy, window_s).partition("\n")[2]
    base_model = f"base_model: {base}\n" if base else ""
    return f"""---
license: apache-2.0
library_name: forehand
pipeline_tag: robotics
tags: [robotics, vision-language-action, rt-2]
{base_model}---

# {facts.recipe}: a vision-language-action model for the Forehand tabletop

{model}; {mixed}. It maps pictures ({cameras}), proprioception and a sentence to RT-2 actions (terminate, world vector,
rotation, gripper), ten a second. `action_contract.json` says which robot and cameras it was made for; another is
refused. Use: `forehand run "…" --policy rt2 --checkpoint THIS_FOLDER{_skill_options(learning)}`.
{_from_python(base)}
{_skill_note(learning)}
## What it was trained for

The skills {", ".join(skills)} of a simulated Franka Panda at a table with blocks, bowls, pads, a drawer, a button and
a lamp, one skill at a time, said in English. Demonstrations come from scripted experts with privileged state, which
label what the policy itself meets (dataset aggregation); the model sees sensors alone.

## Limits

- One simulated robot and table; nothing was tried on hardware.
- Robot data never hold cyan, brown or pink things, patterned tables or distractors.
- Long instructions are the planner's: a sentence here is one skill.
- It is trained from at most some hours of simulated practice and has no general knowledge of the world.
- An action can be wrong: keep the safety envelope on.

## How it was trained

`forehand train` with `train.yaml` of this folder; `training.json` holds the figures below.
{table}
## Licence

Apache-2.0, as the source. The data are generated by the same source.
"""


def _from_python(base: str | None) -> str:
    if base is not None:
        return "From Python: `rt2.vla.load_vla(THIS_FOLDER)`."
    return (
        "From Python: `rt2.vla.load_vla(THIS_FOLDER)`; once `rt2.auto` is imported, transformers' "
        "`AutoModelForImageTextToText` and `AutoProcessor` know it, too."
    )


def _skill_options(learning: SkillLearning | None) -> str:
    return "" if learning is None else "".join(f" --skill {path.name}" for path in learning.files)


def _skill_note(learning: SkillLearning | None) -> str:
    """Which skill files such a checkpoint needs."""
    if learning is None:
        return ""
    files = "\n".join(f"- `{path.name}`, SHA-256 `{sha256}`" for path, sha256 in learning.files.items())
    return (
        f"\n## Skill files\n\nIt was taught {', '.join(learning.skills)} beside the skills that it knew, "
        f"and runs need these files (`skill_files.json` holds the same):\n\n{files}\n"
    )
