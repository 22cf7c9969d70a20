"""Datasets of demonstrations and training frames: what our datasets hold, and any dataset as frames to train on.

Not for: making demonstrations (executor.learning.demonstrator) or the dataset's files (skills.dataset).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from executor.learning.drivers import EXPERT, NOISY_EXPERT, POLICY
from executor.vla_inputs import IMAGE_SIZES, STATE
from robots.robot import CONTROL_RATE_HZ
from rt2.dimensions import standard_dimensions
from rt2.training.frames import IGNORED_CELL, SENTENCE_BYTES, FrameLayout, Frames
from skills.dataset import Dataset, DatasetError
from skills.dataset_format import ACTION_KEY, EXECUTED_KEY, STATE_KEY, Feature, Schema
from skills.skill import SkillCall, SkillCallError

DRIVERS: Mapping[int, str] = {EXPERT: "expert", NOISY_EXPERT: "noisy expert", POLICY: "policy"}
ACTION_NAMES = tuple(dimension.name for dimension in standard_dimensions())
SCHEMA = Schema(
    fps=round(CONTROL_RATE_HZ),
    robot_type="forehand_tabletop",
    cameras=IMAGE_SIZES,
    vectors={STATE_KEY: STATE, ACTION_KEY: ACTION_NAMES, EXECUTED_KEY: ACTION_NAMES},
)


def frames_of(dataset: Dataset, layout: FrameLayout, *, cameras: Mapping[str, str] | None = None) -> Iterator[Frames]:
    """The frames of each episode, (n,) of layout.dtype. `action` is the label, not what noise made of it.

    cameras: the layout's name → the dataset's, where they are called otherwise. Pictures of another size are scaled.
    Labels that it lacks are marked as unknown: points not visible, cells IGNORED_CELL, auxiliary NaN, no skill.
    Raises DatasetError where rate, action, state or cameras are not those of the layout, naming both sides, and for a
    frame without a sentence or with NaN or infinite numbers.
    """
    names = {name: (cameras or {}).get(name, name) for name in layout.cameras}
    columns = _check(dataset, layout, names)
    for index in range(len(dataset.rows)):
        yield _frames(dataset, index, layout, names, columns)


def _check(dataset: Dataset, layout: FrameLayout, names: Mapping[str, str]) -> NDArray[np.intp]:
    """Where in the dataset's state the layout's entries are."""
    info, folder = dataset.info, dataset.folder
    if info.fps != CONTROL_RATE_HZ:
        raise DatasetError(
            f"{folder}: {info.fps:g} frames a second, but an action is what happens in 1/{CONTROL_RATE_HZ:g} s"
        )
    for name in names.values():
        dataset.size_of(name)
    for key in (ACTION_KEY, STATE_KEY):
        if key not in info.vectors:
            raise DatasetError(f"{folder}: no {key} of numbers; has: {', '.join(info.vectors) or 'none'}")
    action = info.features[ACTION_KEY]
    if action.shape != (len(ACTION_NAMES),) or (action.names and action.entries != ACTION_NAMES):
        raise DatasetError(f"{folder}: actions {action.shape} {_told(action)}; expected {', '.join(ACTION_NAMES)}")
    return _state_columns(dataset, layout.state)


def _state_columns(dataset: Dataset, wanted: Sequence[str]) -> NDArray[np.intp]:
    feature = dataset.info.features[STATE_KEY]
    there = feature.entries or ()
    missing = [name for name in wanted if name not in there]
    if missing:
        raise DatasetError(f"{dataset.folder}: {STATE_KEY} lacks {', '.join(missing)}; has: {_told(feature)}")
    return np.array([there.index(name) for name in wanted])


def _told(feature: Feature) -> str:
    """The names of its entries, in the dataset's own words where those are not understood."""
    return ", ".join(feature.entries or ()) or str(feature.names or "no named entries")


def _frames(
    dataset: Dataset, index: int, layout: FrameLayout, names: Mapping[str, str], columns: NDArray[np.intp]
) -> Frames:
    episode = dataset.episode(index, tuple(names.values()))
    frames, where = np.zeros(len(episode), layout.dtype), f"{dataset.folder}, episode {index}"
    for name, size in layout.cameras.items():
        frames[f"image.{name}"] = _scaled(episode.images[names[name]], size)
        frames[f"cells.{name}"] = IGNORED_CELL
    frames["state"] = episode.vectors[STATE_KEY][:, columns]
    frames["action"] = episode.vectors[ACTION_KEY]
    for field, key in (("state", STATE_KEY), ("action", ACTION_KEY)):
        unusable = np.flatnonzero(~np.isfinite(frames[field]).all(axis=1))
        if unusable.size:
            raise DatasetError(f"{where}, step {unusable[0]}: {key} has NaN or infinite numbers")
    frames["auxiliary"] = np.nan
    frames["sentence"] = [_encoded(text, f"{where}, step {step}") for step, text in enumerate(episode.sentences)]
    frames["skill"] = _skill_of(episode.record.skill_call).encode()
    frames["episode"], frames["step"] = index, np.arange(len(episode))
    codes = {name: code for code, name in DRIVERS.items()}
    frames["driver"] = codes.get(episode.record.driver or "", EXPERT)
    return frames


def _scaled(pictures: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Scaled to `size` (width, height), and cut above and below where they are higher: a camera's opening angle is
    across its width."""
    if pictures.shape[1:3] == (size[1], size[0]):
        return pictures
    return np.stack([np.asarray(ImageOps.fit(Image.fromarray(p), size, Image.Resampling.BILINEAR)) for p in pictures])


def _encoded(sentence: str, where: str) -> bytes:
    data = sentence.encode()
    if not data.strip():
        raise DatasetError(f"{where}: the sentence is empty")
    if len(data) > SENTENCE_BYTES:
        raise DatasetError(f"{where}: a sentence of {len(data)} bytes, at most {SENTENCE_BYTES}: '{sentence[:60]}…'")
    return data


def _skill_of(call: str | None) -> str:
    """Other people's datasets may say anything of an episode, or nothing."""
    try:
        return SkillCall.parse(call or "").skill
    except SkillCallError:
        return ""
