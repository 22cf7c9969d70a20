"""Rates of the world model's detectors: see skills.rates, where they are defined."""

from __future__ import annotations

from skills.rates import Rate

__all__ = ["Rate"]
