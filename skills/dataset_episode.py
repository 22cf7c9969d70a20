"""One recorded episode: what was seen and done frame by frame, and what is known of it as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skills.dataset_format import DatasetError, Schema


@dataclass(frozen=True)
class EpisodeRecord:
    """What is known of an episode beside its frames; None where a dataset of others does not tell.

    success: whether the skill's success literals held at the end. seed: of its world. scene: JSON of its SceneSpec.
    skill_call: "pick(red block)". ended_by: how the episode ended. driver: "expert", "noisy expert" or "policy".
    """

    success: bool | None = None
    seed: int | None = None
    scene: str | None = None
    skill_call: str | None = None
    ended_by: str | None = None
    driver: str | None = None


@dataclass(frozen=True)
class Episode:
    """sentences: what the robot was told, for each of the n frames. images: camera → (n, height, width, 3) uint8.

    vectors: feature → (n, d) float32: observation.state, action, and what else was recorded.
    """

    sentences: tuple[str, ...]
    images: Mapping[str, NDArray[np.uint8]]
    vectors: Mapping[str, NDArray[np.float32]]
    record: EpisodeRecord

    def __len__(self) -> int:
        return len(self.sentences)

    def check(self, schema: Schema) -> None:
        """Raises DatasetError where the episode does not hold what the schema says."""
        if not self.sentences or not all(self.sentences):
            raise DatasetError("an episode needs at least one frame, and a sentence for each")
        for kind, given, wanted in (
            ("cameras", set(self.images), set(schema.cameras)),
            ("vectors", set(self.vectors), set(schema.vectors)),
        ):
            if given != wanted:
                raise DatasetError(f"{kind} of the episode: {sorted(given)}; of the dataset: {sorted(wanted)}")
        for name, (width, height) in schema.cameras.items():
            _check(name, self.images[name], (len(self), height, width, 3), np.uint8)
        for key, entries in schema.vectors.items():
            _check(key, self.vectors[key], (len(self), len(entries)), np.float32)
            if not np.isfinite(self.vectors[key]).all():
                raise DatasetError(f"{key}: NaN or infinite numbers in the episode")


def _check(name: str, values: NDArray[np.generic], shape: tuple[int, ...], dtype: type[np.generic]) -> None:
    if values.shape != shape or values.dtype != dtype:
        wanted = f"{shape} {np.dtype(dtype)}"
        raise DatasetError(f"{name}: {values.shape} {values.dtype} in the episode; the dataset holds {wanted}")
