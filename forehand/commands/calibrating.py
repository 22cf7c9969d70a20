"""`forehand calibrate`: a success detector's error rates against the settled true state."""

from __future__ import annotations

from rich.console import Console
from rich.progress import track

from executor.judged_cases import judged_cases
from forehand.assembly import detector_for
from skills.library import SkillLibrary
from world_model.success.calibration import calibrate


def calibrate_command(name: str, *, episodes: int, seed: int, rates: tuple[float, float], as_json: bool) -> int:
    """rates: false positives and false negatives of a detector that is made to lie."""
    library = SkillLibrary()
    detector = detector_for(name, library, seed, rates)
    cases = track(
        judged_cases(episodes, seed, library), "episodes", episodes, console=Console(stderr=True), transient=True
    )
    calibration = calibrate(detector, cases)
    if as_json:
        print(calibration.model_dump_json(indent=2))
    else:
        print(f"detector {calibration.detector}, {calibration.cases} cases (Wilson 95 % intervals)")
        print(calibration.table())
    return 0
