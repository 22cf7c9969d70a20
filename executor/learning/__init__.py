"""Collecting what the learned executor is trained on: worlds, labels, runs of skills, and the processes doing it."""
