"""Executors: from a skill call to actions on a robot, and from a graph to skill calls."""

from executor.graph_runner import GraphRunner
from executor.policy import Policy
from executor.skill_executor import SkillExecutor
from executor.stop import StopToken

__all__ = ["GraphRunner", "Policy", "SkillExecutor", "StopToken"]
