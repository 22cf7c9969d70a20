"""Sentence: a Gymnasium space of text that an AsyncVectorEnv passes on, too.

Gymnasium 1.4 reads spaces.Text out of memory that processes share once, when the environments are made: every later
sentence would come out blank. Not for: anything but observations.
"""

from __future__ import annotations

from collections.abc import Sequence
from multiprocessing.sharedctypes import SynchronizedArray
from typing import Any, overload

import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import create_shared_memory, read_from_shared_memory, write_to_shared_memory
from numpy.typing import NDArray


class Sentence(spaces.Text):
    """Text of single-byte characters."""


class SharedSentences(Sequence[str]):
    """What stands in shared memory now; a deep copy, as vector environments return it, is a tuple of it."""

    def __init__(self, characters: NDArray[np.uint8]) -> None:
        """characters: (n, longest), filled up with zeros."""
        self._characters = characters

    def __len__(self) -> int:
        return len(self._characters)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return tuple(self)[index]
        row: bytes = self._characters[index].tobytes()
        return row.rstrip(b"\0").decode("latin-1")

    def __deepcopy__(self, _: dict[int, Any]) -> tuple[str, ...]:
        return tuple(self)


@create_shared_memory.register(Sentence)
def _create(space: Sentence, n: int = 1, ctx: Any = None) -> SynchronizedArray[int]:
    array: SynchronizedArray[int] = ctx.Array("B", n * space.max_length)
    return array


@read_from_shared_memory.register(Sentence)
def _read(space: Sentence, shared_memory: SynchronizedArray[int], n: int = 1) -> SharedSentences:
    return SharedSentences(_characters(space, shared_memory)[:n])


@write_to_shared_memory.register(Sentence)
def _write(space: Sentence, index: int, value: str, shared_memory: SynchronizedArray[int]) -> None:
    filled = value.encode("latin-1").ljust(space.max_length, b"\0")
    _characters(space, shared_memory)[index] = np.frombuffer(filled, np.uint8)


def _characters(space: Sentence, shared_memory: SynchronizedArray[int]) -> NDArray[np.uint8]:
    flat: NDArray[np.uint8] = np.frombuffer(memoryview(shared_memory.get_obj()), np.uint8)
    return flat.reshape(-1, space.max_length)
