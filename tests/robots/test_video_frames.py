"""Traces and videos: what was recorded is what is drawn, also after a kill, and the file plays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from robots.robot import Action
from robots.tabletop.cameras import intrinsics, look_at
from robots.tabletop.captions import Caption, with_caption
from robots.tabletop.interventions import AddDistractor, RemoveObject, SetLamp
from robots.tabletop.lighter_mesh import lightened_obj
from robots.tabletop.mirror import Mirror
from robots.tabletop.scene_spec import SceneSpec
from robots.tabletop.trace import TraceError, TraceFrame, TraceWriter, frame_of, read_trace
from robots.tabletop.video import LIGHT, Filmer, Mp4Writer, VideoError, write_video
from robots.tabletop.world import TabletopWorld

SCENE = SceneSpec(
    objects=("red block", "green block", "blue bowl", "green pad", "drawer", "button", "lamp"),
    relations=("open(drawer)", "on(red block, green block)"),
    positions={"green block": (0.5, -0.2)},
)
SMALL = (160, 120)


@pytest.fixture(scope="module")
def frames() -> list[TraceFrame]:
    with TabletopWorld(SCENE, 0) as world:
        frames = [frame_of(world)]
        for k in range(5):
            world.step(Action((0.02, -0.02, -0.02)))
            if k == 2:
                world.intervene(SetLamp(on=True))
                world.intervene(AddDistractor((0.40, 0.10), "grey can"))
                world.intervene(RemoveObject("red block"))
            frames.append(frame_of(world))
    return frames


@pytest.fixture(scope="module")
def filmer() -> Iterator[Filmer]:
    with Filmer(SMALL) as filmer:
        yield filmer


def near(a: TraceFrame, b: TraceFrame) -> bool:
    if a.objects.keys() != b.objects.keys() or a.lamp != b.lamp:
        return False
    pairs = [(a.joints_rad, b.joints_rad)] + [
        ((*o.position_m, *o.orientation), (*b.objects[n].position_m, *b.objects[n].orientation))
        for n, o in a.objects.items()
    ]
    return all(np.allclose(x, y, atol=1e-5) for x, y in pairs)


def test_a_trace_reads_back_as_it_was_written(frames, tmp_path: Path):
    path = tmp_path / "trace.jsonl"
    with TraceWriter(path) as writer:
        for frame in frames:
            writer.write(frame)
            assert near(read_trace(path)[-1], frame), "a frame is there as soon as it is written"
    assert all(near(a, b) for a, b in zip(read_trace(path), frames, strict=True))
    assert path.stat().st_size / len(frames) < 1500


def test_after_a_kill_the_torn_line_goes_and_frames_recorded_again_replace(frames, tmp_path: Path):
    path = tmp_path / "trace.jsonl"
    with TraceWriter(path) as writer:
        for frame in frames[:4]:
            writer.write(frame)
    with path.open("a") as file:
        file.write('{"t":0.4,"q":[0.1,')
    assert len(read_trace(path)) == 4
    again = replace(frames[2], lamp=True)
    with TraceWriter(path) as writer:  # resumed at the snapshot after frame 1
        for frame in (again, *frames[3:]):
            writer.write(frame)
    read = read_trace(path)
    assert [f.time_s for f in read] == [pytest.approx(f.time_s) for f in frames]
    assert read[2].lamp is True


def test_a_broken_line_in_the_middle_is_named(frames, tmp_path: Path):
    path = tmp_path / "trace.jsonl"
    with TraceWriter(path) as writer:
        writer.write(frames[0])
    path.write_text(path.read_text() + "not json\n")
    with pytest.raises(TraceError, match="line 2"):
        read_trace(path)


def test_the_mirror_stands_as_the_world_stood(frames):
    """Every object of the trace is drawn where a camera over it expects its colour."""
    with Mirror(lambda _category: True) as mirror:
        mirror.show(frames[0])
        pose, matrix = look_at((0.45, -0.05, 1.0), (0.45, -0.05, 0.0), (1.0, 0.0, 0.0)), intrinsics(200, 200, 50.0)
        rgb, depth = mirror.draw(pose, matrix, (200, 200), LIGHT)
        for name, channel in (("red block", 0), ("blue bowl", 2), ("green pad", 1)):
            x, y, z = frames[0].objects[name].position_m
            seen = matrix @ np.linalg.inv(pose)[:3] @ np.array([x, y, z, 1.0])
            column, row = (seen[:2] / seen[2]).astype(int)
            assert rgb[row, column].argmax() == channel, name
            assert depth[row, column] < 1.0


def test_a_picture_follows_what_happens(frames, filmer):
    first, moved = filmer.draw(frames[0]), filmer.draw(frames[2])
    assert first.shape == (120, 160, 3)
    assert 0.01 < np.mean(np.any(first != moved, axis=-1)) < 0.6, "the arm moved, the table did not"
    last = filmer.draw(frames[-1])
    assert np.array_equal(filmer.draw(frames[-1]), last)
    assert np.array_equal(filmer.draw(frames[0]), first), "a picture depends on its frame alone"


def test_the_table_carries_shadows(frames, filmer):
    """Where the block stands in the light's way the wood is darker than where the same wood has no block beside it."""
    without = replace(frames[0], objects={n: o for n, o in frames[0].objects.items() if "block" not in n})
    lit, shaded = (filmer.draw(frame).astype(int).sum(axis=-1) for frame in (without, frames[0]))
    darker = (lit - shaded > 30) & (shaded > 120)
    assert darker.sum() > 3


def test_a_caption_leaves_the_picture_and_cuts_what_is_too_long(frames, filmer):
    picture = filmer.draw(frames[0])
    captioned = with_caption(picture, Caption("put it away " * 40, "step 1 of 2", "failed: " * 40, "bad"))
    assert captioned.shape == picture.shape
    assert np.array_equal(captioned[:70], picture[:70])
    assert captioned[-10:].mean() < 0.8 * picture[-10:].mean()


def test_the_video_has_every_frame_and_plays_in_a_browser(frames, tmp_path: Path):
    path, told = tmp_path / "video.mp4", []
    write_video(
        frames,
        path,
        size=(161, 121),
        caption=lambda f: Caption("t", f"{f.time_s:.1f} s"),
        progress=lambda *at: told.append(at),
    )
    assert told[-1] == (len(frames), len(frames))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (160, 120)
        assert stream.pix_fmt == "yuv420p"
        assert stream.codec_context.name in ("h264", "mpeg4")
        assert float(stream.average_rate) == 10.0
        assert sum(1 for _ in container.decode(stream)) == len(frames)
    assert list(tmp_path.iterdir()) == [path]


def test_a_lightened_mesh_has_fewer_faces_in_the_same_place():
    n = 40
    angles = np.linspace(0.0, 2.0 * np.pi, n, endpoint=False)
    ring = [(np.cos(a), np.sin(a), z) for z in (0.0, 0.001) for a in angles]
    quads = [(k + 1, (k + 1) % n + 1, n + (k + 1) % n + 1, n + k + 1) for k in range(n)]
    text = "\n".join(
        ["mtllib a.mtl", *(f"v {x} {y} {z}" for x, y, z in ring), "vn 0 0 1", "usemtl grey"]
        + [f"f {a}//1 {b}//1 {c}//1\nf {a}//1 {c}//1 {d}//1" for a, b, c, d in quads]
    )
    light = lightened_obj(text, 0.3)
    assert light.count("\nf ") < text.count("\nf ") / 2
    points = np.array([line.split()[1:] for line in light.split("\n") if line.startswith("v ")], dtype=float)
    assert len(points) == 2 * n, "faces keep their vertex numbers"
    assert np.abs(points - ring).max() < 0.3
    assert light.split("\n")[0] == "mtllib a.mtl"
    assert "usemtl grey" in light
    assert lightened_obj(text, 1e-6).count("\nf ") == text.count("\nf ")


def test_nothing_half_written_stays(frames, tmp_path: Path):
    with pytest.raises(VideoError, match="no frame"):
        write_video([], tmp_path / "video.mp4")

    def stop(done: int, _all: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_video(frames, tmp_path / "video.mp4", size=SMALL, progress=stop)
    with pytest.raises(ValueError, match="boom"), Mp4Writer(tmp_path / "other.mp4"):
        raise ValueError("boom")
    assert list(tmp_path.iterdir()) == []
