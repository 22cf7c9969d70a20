"""Executors: from a skill call to actions on a robot, and from a graph to skill calls."""
