"""A run killed at any moment goes on from its folder, and its result is that of a run that was never interrupted."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from executor.stop import StopToken
from forehand.assembly import resume_run, start_run
from forehand.config import RunConfig
from forehand.event_log import RunFolderError, read_log
from forehand.events import Event
from forehand.results import RunResult, standing
from forehand.runs import RunFolder
from forehand.watching import Watcher
from robots.tabletop.fault_schedule import FaultSchedule, fault_mix
from skills.goal import Goal

SCENE = {"objects": ["red block", "green block", "red bowl", "button", "lamp"]}


def slips_early(seed: int) -> bool:
    """The block slips out of the hand on its first way to the bowl."""
    planned = FaultSchedule(seed=seed, mix=fault_mix("slipped")).planned("place_in(red bowl)", 1)
    return planned is not None and planned.at_step <= 3


CONFIG = RunConfig.model_validate(
    {
        "goal": Goal.parse("in(red block, red bowl); lit(lamp)"),
        "scene": SCENE,
        "planner": "search",
        "policy": "expert",
        "seed": next(seed for seed in range(1000) if slips_early(seed)),
        "faults": "slipped",
    }
)
BOOKKEEPING = ("checkpointed", "resumed", "attempt_abandoned")
REPO = Path(__file__).parents[2]


def story(folder: Path) -> list[dict[str, Any]]:
    """What happened, without when, and without what was abandoned; the log's numbers are checked on the way."""
    events = read_log(folder / "events.jsonl").events
    assert [e.seq for e in events] == list(range(1, len(events) + 1))
    times = {"seq", "wall_time_s", "wall_s", "run_id"}
    return [e.model_dump(exclude=times) for e in standing(events) if e.kind not in BOOKKEEPING]


def essence(result: RunResult) -> dict[str, Any]:
    return result.model_dump(exclude={"run_id", "durations", "resumed"})


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunResult, list[Path]]:
    """A run never interrupted; and its folder as it was on disk after each of its events."""
    base = tmp_path_factory.mktemp("whole")
    moments: list[Path] = []

    class Photographer(Watcher):
        def on_event(self, event: Event) -> None:
            moments.append(Path(shutil.copytree(base / "run", base / f"after-{event.seq:03d}")))

    return base / "run", start_run(CONFIG, folder=base / "run", watchers=[Photographer()]), moments


def test_the_run_these_tests_interrupt_has_a_fault_and_a_recovery(whole: tuple[Path, RunResult, list[Path]]) -> None:
    _, result, _ = whole
    assert result.outcome == "succeeded"
    assert result.goal_reached is True
    assert result.faults
    assert result.recoveries


def test_killed_right_after_an_event_it_goes_on_to_the_same_end(
    whole: tuple[Path, RunResult, list[Path]], tmp_path: Path
) -> None:
    folder, result, moments = whole
    rng = random.Random(0)
    for moment in [moments[0], *rng.sample(moments[1:-1], 5), moments[-2]]:
        killed = Path(shutil.copytree(moment, tmp_path / moment.name))
        before = read_log(killed / "events.jsonl").events
        resumed = resume_run(killed)
        after = read_log(killed / "events.jsonl").events
        assert after[: len(before)] == before, "no event is lost or changed"
        assert story(killed) == story(folder), moment.name
        assert essence(resumed) == essence(result)
        assert resumed.resumed == 1
        assert RunResult.model_validate_json((killed / "result.json").read_bytes()) == resumed


def test_killed_before_its_first_event_it_begins(whole: tuple[Path, RunResult, list[Path]], tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run", CONFIG):
        pass
    assert essence(resume_run(tmp_path / "run")) == essence(whole[1])
    assert story(tmp_path / "run") == story(whole[0])


def test_killed_again_while_resuming_with_a_torn_line(
    whole: tuple[Path, RunResult, list[Path]], tmp_path: Path
) -> None:
    folder, result, moments = whole
    killed = Path(shutil.copytree(moments[len(moments) // 2], tmp_path / "run"))
    photographs: list[Path] = []

    class Photographer(Watcher):
        def on_event(self, event: Event) -> None:
            photographs.append(Path(shutil.copytree(killed, tmp_path / f"again-{event.seq}")))

    resume_run(killed, watchers=[Photographer()])
    for photograph in (photographs[0], photographs[1], photographs[len(photographs) // 2]):
        with (photograph / "events.jsonl").open("ab") as log:
            log.write(b'{"seq":99,"kind":"jud')
        resumed = resume_run(photograph)
        assert story(photograph) == story(folder)
        assert (essence(resumed), resumed.resumed) == (essence(result), 2)
        notes = [e.detail for e in read_log(photograph / "events.jsonl").events if e.kind == "resumed"]
        assert "half-written last line of 21 bytes" in notes[-1]


def test_a_finished_run_is_not_run_again(whole: tuple[Path, RunResult, list[Path]], tmp_path: Path) -> None:
    folder, result, moments = whole
    for path in (folder, Path(shutil.copytree(moments[-1], tmp_path / "no-result"))):
        before = (path / "events.jsonl").read_bytes()
        with pytest.raises(RunFolderError, match=r"has ended \(succeeded: the goal holds\); nothing to resume"):
            resume_run(path)
        assert (path / "events.jsonl").read_bytes() == before
        written = RunResult.model_validate_json((path / "result.json").read_bytes())
        assert essence(written) == essence(result), "also where it was killed just before writing it"


def test_a_stopped_run_goes_on_where_it_was_stopped(whole: tuple[Path, RunResult, list[Path]], tmp_path: Path) -> None:
    stop = StopToken()

    class Stopper(Watcher):
        wants_control_steps = True

        def on_control_step(self, step: Any) -> None:
            if step.index == 4:
                stop.set("a person stopped it")

    stopped = start_run(CONFIG, folder=tmp_path / "run", watchers=[Stopper()], stop=stop)
    assert (stopped.outcome, stopped.reason) == ("stopped", "a person stopped it")
    assert stopped.steps[0].attempts[0].control_steps == 5
    assert essence(resume_run(tmp_path / "run")) == essence(whole[1])
    assert story(tmp_path / "run") == story(whole[0])


def test_what_cannot_be_resumed_is_told_and_left_as_it_is(
    whole: tuple[Path, RunResult, list[Path]], tmp_path: Path
) -> None:
    _, _, moments = whole
    killed = Path(shutil.copytree(moments[12], tmp_path / "run"))
    lines = (killed / "events.jsonl").read_bytes().splitlines(keepends=True)
    (killed / "events.jsonl").write_bytes(b"".join([*lines[:3], b"garbage\n", *lines[4:]]))
    before = {p: p.read_bytes() for p in sorted(killed.rglob("*")) if p.is_file()}
    with pytest.raises(RunFolderError, match="line 4: corrupt"):
        resume_run(killed)
    assert {p: p.read_bytes() for p in sorted(killed.rglob("*")) if p.is_file()} == before


def test_a_snapshot_that_no_part_can_read_is_told(whole: tuple[Path, RunResult, list[Path]], tmp_path: Path) -> None:
    killed = Path(shutil.copytree(whole[2][12], tmp_path / "run"))
    for path in (killed / "snapshots").iterdir():
        path.write_text('{"workplace": {"world": {"spec": 3}}, "run": {}}')
    with pytest.raises(RunFolderError, match="snapshot"):
        resume_run(killed)


PROGRAM = """
import sys
from pathlib import Path
from forehand.assembly import resume_run, start_run
from forehand.config import RunConfig
folder, config = Path(sys.argv[1]), Path(sys.argv[2])
if (folder / "run.json").exists():
    resume_run(folder)
else:
    start_run(RunConfig.model_validate_json(config.read_bytes()), folder=folder)
"""


def test_killed_with_sigkill_at_random_moments(whole: tuple[Path, RunResult, list[Path]], tmp_path: Path) -> None:
    folder, result, _ = whole
    (tmp_path / "config.json").write_text(CONFIG.model_dump_json(by_alias=True))
    run, rng, kills = tmp_path / "run", random.Random(7), 0
    command = [sys.executable, "-c", PROGRAM, str(run), str(tmp_path / "config.json")]
    environment = {**os.environ, "PYTHONPATH": str(REPO), "OMP_NUM_THREADS": "1"}
    for _ in range(12):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if kills < 3 and _wrote_something_new(run, process):
            time.sleep(rng.uniform(0.0, 0.5))
            process.send_signal(signal.SIGKILL)
            kills += process.wait() == -signal.SIGKILL
            assert process.stderr is not None
            process.stderr.close()
            continue
        _, said = process.communicate(timeout=60)
        if process.returncode == 0 or b"has ended" in said:
            break
        assert b"is not empty" in said, said.decode()[-2000:]  # killed before there was a run.json
        shutil.rmtree(run)
    assert kills >= 1
    assert story(run) == story(folder)
    assert essence(RunResult.model_validate_json((run / "result.json").read_bytes())) == essence(result)


def _wrote_something_new(run: Path, process: subprocess.Popen[bytes]) -> bool:
    """Waits until the process has begun to work on the run; False where it ended before."""
    log = run / "events.jsonl"
    size = log.stat().st_size if log.exists() else 0
    while process.poll() is None:
        if log.exists() and log.stat().st_size > size:
            return True
        time.sleep(0.01)
    return False
