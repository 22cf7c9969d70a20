"""Robots and the worlds they stand in: sensing, acting and the safety envelope between."""
