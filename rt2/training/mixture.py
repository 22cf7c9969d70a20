"""Which vision-language examples come when: sources with weights, some of which grow while training runs.

Not for: reading datasets (rt2.training.examples), or how often a step is on such examples (TrainingSettings).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from rt2.training.example_files import SUFFIX, read_shard
from rt2.training.examples import TextExample


class ExampleSource(Protocol):
    """Examples by number; `refresh` looks for more and returns how many there are."""

    def refresh(self) -> int: ...
    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> TextExample: ...


class FixedExamples:
    """Examples that are all there."""

    def __init__(self, examples: Sequence[TextExample]) -> None:
        self._examples = examples

    def refresh(self) -> int:
        return len(self._examples)

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, index: int) -> TextExample:
        return self._examples[index]


class ExampleFolder:
    """The examples of a folder's shards (rt2.training.example_files), which another process may be writing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: set[str] = set()
        self._examples: list[TextExample] = []

    def refresh(self) -> int:
        """Raises ExampleError for a file that is no shard."""
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            if path.name not in self._known:
                self._known.add(path.name)
                self._examples += read_shard(path)
        return len(self)

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, index: int) -> TextExample:
        return self._examples[index]


class ExampleMixture:
    """Draws from several sources, each in proportion to its weight; one that has nothing yet leaves its share to the
    others."""

    def __init__(self, sources: Sequence[tuple[ExampleSource, float]]) -> None:
        self._sources = tuple(sources)
        self._shares = np.zeros(len(self._sources))
        self.refresh()

    def refresh(self) -> int:
        """How many examples there are now."""
        counts = [source.refresh() for source, _ in self._sources]
        weights = np.array([w if n else 0.0 for n, (_, w) in zip(counts, self._sources, strict=True)])
        self._shares = weights / max(weights.sum(), 1e-12)
        return sum(counts)

    def __len__(self) -> int:
        return sum(len(source) for source, _ in self._sources)

    def draw(self, rng: np.random.Generator, count: int) -> list[TextExample]:
        """So many at random; there must be some."""
        chosen = rng.choice(len(self._sources), size=count, p=self._shares)
        sources = [self._sources[int(k)][0] for k in chosen]
        return [source[int(rng.integers(len(source)))] for source in sources]

    def all(self) -> list[TextExample]:
        """Every example of every source, in order, whatever its weight."""
        return [source[k] for source, _ in self._sources for k in range(len(source))]
