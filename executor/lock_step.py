"""Lock step: skill runs in several worlds, whose questions to one VLA are answered together, in one batch.

Each world's work is a generator that gives what the VLA is to be asked and is sent the answer; one thread runs them
all in turn. Not for: a run on its own (executor.skill_executor).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from executor.policies.rt2 import VLAPolicy
from executor.skill_executor import Attempt
from rt2.vla import VLA, ActInput
from world_model.results import SkillRun

T = TypeVar("T")
Asking: TypeAlias = Generator[ActInput, NDArray[np.float32], T]
"""Work that gives an ActInput, is sent (chunk, 8) actions or thrown the VLA's error, and returns a result."""


def asking(attempt: Attempt, policy: VLAPolicy) -> Asking[SkillRun]:
    """A skill run that leaves its policy's questions to whoever drives it."""
    try:
        observation = next(attempt)
        while True:
            try:
                chunk = yield from policy.decide(observation)
            except Exception as error:
                observation = attempt.throw(error)
            else:
                observation = attempt.send(chunk)
    except StopIteration as end:
        run: SkillRun = end.value
        return run


def together(work: Iterable[Callable[[], Asking[T]]], vla: VLA, *, at_once: int) -> Iterator[T]:
    """Results as they come; at most `at_once` pieces of work are open at a time. Raises ValueError for fewer than 1."""
    if at_once < 1:
        raise ValueError(f"at least one world is needed, not {at_once}")
    waiting = iter(work)
    asked: list[tuple[Asking[T], ActInput]] = []
    while True:
        while len(asked) < at_once and (start := next(waiting, None)) is not None:
            piece = start()
            try:
                asked.append((piece, next(piece)))
            except StopIteration as end:  # it had nothing to ask
                yield end.value
        if not asked:
            return
        answers = _answers(vla, [question for _, question in asked])
        still: list[tuple[Asking[T], ActInput]] = []
        for (piece, _), answer in zip(asked, answers, strict=True):
            try:
                question = piece.throw(answer) if isinstance(answer, Exception) else piece.send(answer)
            except StopIteration as end:
                yield end.value
            else:
                still.append((piece, question))
        asked = still


def _answers(vla: VLA, questions: list[ActInput]) -> list[NDArray[np.float32] | Exception]:
    """One answer each. What the VLA refuses of a batch is asked again one by one, so that only the guilty are told."""
    try:
        return list(vla.act(questions))
    except Exception as error:
        if len(questions) == 1:
            return [error]
        return [answer for question in questions for answer in _answers(vla, [question])]
