"""Robots and the worlds they stand in: sensing, acting and the safety envelope between."""

from robots.robot import Action, Observation, Robot, SentAction

__all__ = ["Action", "Observation", "Robot", "SentAction"]
