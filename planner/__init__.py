"""Planners: from an instruction and a scene to a goal and a skill graph."""
