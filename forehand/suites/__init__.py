"""Suites: lists of tasks, each a scene, an instruction and what counts as right.

Not for: running them (forehand.evaluation).
"""

from forehand.suites.suite import Suite, SuiteError, Task, load_suite, suite_names

__all__ = ["Suite", "SuiteError", "Task", "load_suite", "suite_names"]
