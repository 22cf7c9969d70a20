"""Forehand: long-horizon instructions, planned as skill graphs and carried out in a judged closed loop."""

__version__ = "0.1.0"
