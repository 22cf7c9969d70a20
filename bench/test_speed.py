"""Each case under pytest-benchmark: `python -m pytest bench --benchmark-only`. Ratios are bench.table's business."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench import cases
from bench.cases import Case

OURS = (
    cases.STEP, cases.STEP_BLIND, cases.WORLD_STEP, cases.RAW, *cases.VIEWS.values(), cases.LARGE_VIEW,
    cases.VIDEO_FRAME,
)  # fmt: skip
THEIRS = (cases.PANDA_GYM, cases.PANDA_GYM_BLIND)


@pytest.fixture(scope="module")
def ours() -> Iterator[Mapping[str, Case]]:
    with cases.our_cases() as found:
        yield found


@pytest.fixture(scope="module")
def theirs() -> Iterator[Mapping[str, Case]]:
    with cases.panda_gym_cases() as found:
        yield found


@pytest.mark.parametrize("name", OURS)
def test_ours(benchmark: BenchmarkFixture, ours: Mapping[str, Case], name: str) -> None:
    benchmark.pedantic(ours[name], rounds=30, warmup_rounds=3)


@pytest.mark.parametrize("name", THEIRS)
def test_panda_gym(benchmark: BenchmarkFixture, theirs: Mapping[str, Case], name: str) -> None:
    if name not in theirs:
        pytest.skip("panda-gym is not installed; it comes with the extra 'bench'")
    benchmark.pedantic(theirs[name], rounds=30, warmup_rounds=3)
