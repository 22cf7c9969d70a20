"""RunConfig: everything that decides a run, as one typed record; written to run.json, so a run can be done again.

Not for: wiring (forehand.assembly), which turns its names into parts through explicit tables.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from forehand.defaults import DEFAULT_POLICY, PolicyName
from planner.recovery import RecoveryBudgets
from robots.tabletop.fault_schedule import fault_mix
from robots.tabletop.scene_spec import SceneSpec, load_scene
from skills.goal import Goal
from skills.skill_graph import SkillGraph

PlannerName: TypeAlias = Literal["search", "language", "llm"]
PerceptionName: TypeAlias = Literal["oracle"]
DetectorName: TypeAlias = Literal["scene"]

LONGEST_INSTRUCTION = 4000  # characters; more is a pasted file, not something to ask of a robot


class ConfigError(ValueError):
    """A run that cannot be: the message says what was expected. Exit code 2."""


def _read_scene(value: Any) -> Any:
    return load_scene(value) if isinstance(value, str | Path) else value


def _known_mix(name: str) -> str:
    fault_mix(name)
    return name


class LanguageModelConfig(BaseModel):
    """How to reach the language model; what is None comes from OPENAI_BASE_URL and OPENAI_API_KEY."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str | None = None
    base_url: str | None = None
    prompts: Path | None = None  # a folder of the user's own prompts
    replies: Path | None = None  # recorded replies to answer from, offline
    record: Path | None = None  # where to record replies
    timeout_s: float = 60.0


class RunConfig(BaseModel):
    """One run: what is asked, where, of which parts, with which seed.

    One of instruction, goal and graph is needed. A graph is run as it is; with a goal it is judged by it.
    truth_goal: what `goal_reached` is held against where a suite knows better than the run's own goal.
    closed_loop=False runs the graph once with no verdict feedback (the arm studies compare with).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    instruction: str = Field(default="", max_length=LONGEST_INSTRUCTION)
    goal: Goal | None = None
    graph: SkillGraph | None = None
    truth_goal: Goal | None = None
    scene: Annotated[SceneSpec, BeforeValidator(_read_scene)]
    seed: int = Field(0, ge=0)
    planner: PlannerName = "language"
    policy: PolicyName = DEFAULT_POLICY
    checkpoint: Path | None = None  # a folder, of policy rt2; None for the one that ships
    checkpoint_sha256: str | None = None  # of its weights; a run records it
    perception: PerceptionName = "oracle"
    detector: DetectorName = "scene"
    false_positive_rate: float = Field(default=0.0, ge=0.0, le=1.0)  # of a detector that lies, for studies
    false_negative_rate: float = Field(default=0.0, ge=0.0, le=1.0)
    faults: Annotated[str, AfterValidator(_known_mix)] = "none"  # the name of a mix
    closed_loop: bool = True
    skill_files: tuple[Path, ...] = ()
    cameras: tuple[str, ...] = ()  # pictures taken each control step beside those that the policy needs
    image_size: int = Field(default=96, ge=16, le=1024)  # of those; a checkpoint knows the sizes that it needs
    gui: bool = False
    language_model: LanguageModelConfig = LanguageModelConfig()
    budgets: RecoveryBudgets = RecoveryBudgets()
    most_attempts: int = Field(default=200, ge=1)  # at steps, in the whole run

    @model_validator(mode="after")
    def _checkpoint_is_of_a_policy_that_has_one(self) -> RunConfig:
        if self.checkpoint is not None and self.policy != "rt2":
            raise ValueError(f"a checkpoint is for policy rt2; policy {self.policy} has none")
        return self

    def check_asks_for_something(self) -> None:
        """Raises ConfigError where there is nothing to do (a chat's workplace has none before the first command)."""
        if not self.instruction.strip() and self.goal is None and self.graph is None:
            raise ConfigError("nothing to do: give an instruction, a goal or a graph")
