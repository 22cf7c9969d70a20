"""The language between planners and executors: literals, skills, skill graphs, goals."""

from skills.goal import Goal
from skills.literals import Literal
from skills.skill import Skill, SkillCall
from skills.skill_graph import SkillGraph
from skills.symbolic_state import SymbolicState

__all__ = ["Goal", "Literal", "Skill", "SkillCall", "SkillGraph", "SymbolicState"]
