"""What the system believes: scenes, perception, success detection, prediction."""

from world_model.results import SkillRun, StepResult, Verdict, VerdictStatus
from world_model.scene import Scene

__all__ = ["Scene", "SkillRun", "StepResult", "Verdict", "VerdictStatus"]
