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
from skills.dataset import Dataset, DatasetError, Episode
from skills.dataset_format import ACTION_KEY, EXECUTED_KEY, STATE_KEY, Schema
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
    Raises DatasetError where rate, action, state or cameras are not those of the layout, naming both sides.
    """
    names = {name: (cameras or {}).get(name, name) for name in layout.cameras}
    columns = _check(dataset, layout, names)
    for index in range(len(dataset.rows)):
        yield _frames(index, dataset.episode(index, tuple(names.values())), layout, names, columns)


def _check(dataset: Dataset, layout: FrameLayout, names: Mapping[str, str]) -> NDArray[np.intp]:
    """Where in the dataset's state the layout's entries are."""
    info, folder = dataset.info, dataset.folder
    if info.fps != CONTROL_RATE_HZ:
        raise DatasetError(
            f"{folder}: {info.fps:g} frames a second, but an action is what happens in 1/{CONTROL_RATE_HZ:g} s"
        )
    for name in names.values():
        dataset.size_of(name)
    action = info.features.get(ACTION_KEY)
    if action is None or action.shape != (len(ACTION_NAMES),) or action.entries not in (None, ACTION_NAMES):
        said = "none" if action is None else f"{action.shape} {action.entries or ''}"
        raise DatasetError(f"{folder}: actions {said}; expected {', '.join(ACTION_NAMES)}")
    return _state_columns(dataset, layout.state)


def _state_columns(dataset: Dataset, wanted: Sequence[str]) -> NDArray[np.intp]:
    feature = dataset.info.features.get(STATE_KEY)
    there = () if feature is None else feature.entries or ()
    missing = [name for name in wanted if name not in there]
    if missing:
        has = ", ".join(there) or "no named entries"
        raise DatasetError(f"{dataset.folder}: {STATE_KEY} lacks {', '.join(missing)}; has: {has}")
    return np.array([there.index(name) for name in wanted])


def _frames(
    index: int, episode: Episode, layout: FrameLayout, names: Mapping[str, str], columns: NDArray[np.intp]
) -> Frames:
    frames = np.zeros(len(episode), layout.dtype)
    for name, size in layout.cameras.items():
        frames[f"image.{name}"] = _scaled(episode.images[names[name]], size)
        frames[f"cells.{name}"] = IGNORED_CELL
    frames["state"] = episode.vectors[STATE_KEY][:, columns]
    frames["action"] = episode.vectors[ACTION_KEY]
    frames["auxiliary"] = np.nan
    frames["sentence"] = [_encoded(sentence) for sentence in episode.sentences]
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


def _encoded(sentence: str) -> bytes:
    data = sentence.encode()
    if len(data) > SENTENCE_BYTES:
        raise DatasetError(f"a sentence of {len(data)} bytes, at most {SENTENCE_BYTES}: '{sentence[:60]}…'")
    return data


def _skill_of(call: str | None) -> str:
    """Other people's datasets may say anything of an episode, or nothing."""
    try:
        return SkillCall.parse(call or "").skill
    except SkillCallError:
        return ""
