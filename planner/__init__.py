"""Planners: from an instruction and a scene to a goal and a skill graph."""

from planner.planner import Impossible, Plan, Planner, PlannerError, PlanOutcome, PlanRequest, Question, ServiceError

__all__ = ["Impossible", "Plan", "PlanOutcome", "PlanRequest", "Planner", "PlannerError", "Question", "ServiceError"]
