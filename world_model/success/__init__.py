"""Success detectors: three-valued verdicts on one step, from the scene before and after it."""
