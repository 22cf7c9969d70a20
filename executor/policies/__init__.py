"""Policies: who drives a skill. Each a file of its own."""
