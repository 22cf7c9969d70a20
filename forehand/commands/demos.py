"""`forehand demos collect` and `forehand demos show`."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from executor.learning.demonstrations import SCHEMA
from executor.learning.demonstrator import Collection, collect_demonstrations, seeds_of
from forehand.commands.demo_pictures import caption, film, half_blocks, outcome, side_by_side
from forehand.scenes import read_scene
from robots.tabletop.video import Mp4Writer
from skills.dataset import Dataset, DatasetError, DatasetWriter, Episode
from skills.dataset_format import INFO
from skills.dataset_records import EpisodeRow
from skills.library import SkillLibrary
from skills.rates import Rate
from skills.skill import SkillCall, SkillCallError

ANY_SCENE = "random"
MOST_ROWS = 40


def collect_command(
    out: Path,
    *,
    episodes: int,
    skills: str | None,
    scene: str,
    noise: float,
    seed: int,
    workers: int | None,
    skill_files: Sequence[Path],
) -> int:
    """Fill the dataset at `out` up to so many episodes. Ctrl-C keeps what is whole."""
    collection = Collection(
        _names(skills, skill_files), seed, None if scene == ANY_SCENE else read_scene(scene), noise,
        skill_files=tuple(skill_files),
    )  # fmt: skip
    collection.library()  # a name that is no skill fails now, not in a worker
    console, known = Console(stderr=True), _known(out)
    with DatasetWriter(out, SCHEMA) as writer, _progress(console) as progress:
        task = progress.add_task("episodes", total=episodes, completed=writer.total_episodes)

        def on_episode(episode: Episode) -> None:
            progress.update(task, advance=1, description=episode.record.skill_call)

        try:
            collect_demonstrations(
                collection, writer, known, episodes=episodes, workers=workers, on_episode=on_episode
            )  # fmt: skip
        except KeyboardInterrupt:
            console.print(f"stopped; {out} keeps {writer.total_episodes} whole episodes, the same command goes on")
            raise
    with Dataset(out) as dataset:
        _print_table(dataset)
    return 0


def show_command(folder: Path, *, episode: int | None, out: Path | None, terminal: bool) -> int:
    """The dataset as a table; with an episode, that one as a video or in the terminal."""
    with Dataset(folder) as dataset:
        if episode is None:
            if out is not None or terminal:
                raise DatasetError("--out and --terminal show an episode; say which with --episode")
            _print_table(dataset)
            return 0
        if not 0 <= episode < len(dataset.rows):
            raise DatasetError(f"{folder}: no episode {episode}; there are {len(dataset.rows)}, from 0 on")
        shown = dataset.episode(episode)
        _print_episode(episode, shown)
        if terminal:
            _play(shown, dataset.info.fps)
        else:
            _write(shown, out or Path(f"{folder.resolve().name}-episode-{episode}.mp4"), dataset.info.fps)
    return 0


def _names(skills: str | None, files: Sequence[Path]) -> tuple[str, ...]:
    if skills is not None:
        return tuple(name.strip() for name in skills.split(","))
    library = SkillLibrary()
    for file in files:
        library = library.with_file(file)
    return tuple(library.by_name)


def _known(folder: Path) -> set[int]:
    if not (folder / INFO).exists():
        return set()
    with Dataset(folder) as dataset:
        return seeds_of(dataset)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:32.32}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TextColumn("left"), TimeRemainingColumn(), console=console, transient=True,
    )  # fmt: skip


def _print_table(dataset: Dataset) -> None:
    info, console = dataset.info, Console()
    seconds = len(dataset) / info.fps
    console.print(
        f"{dataset.folder}: {len(dataset.rows)} episodes, {len(dataset)} frames, "
        f"{seconds / 60:.1f} minutes at {info.fps:g} a second",
        highlight=False, soft_wrap=True,
    )  # fmt: skip
    cameras = ", ".join("{} {}x{}".format(name, *dataset.size_of(name)) for name in dataset.cameras)
    drivers = sorted({row.record.driver for row in dataset.rows if row.record.driver})
    driven = f"; driven by {', '.join(drivers)}" if drivers else ""
    console.print(f"cameras: {cameras}; {', '.join(info.vectors)}{driven}", highlight=False, soft_wrap=True)
    table = Table("skill", "episodes", "frames", "succeeded (Wilson 95 %)", "others ended by")
    groups: dict[str, list[EpisodeRow]] = {}
    for row in dataset.rows:
        groups.setdefault(_skill_of(row), []).append(row)
    for skill in sorted(groups, key=lambda name: -len(groups[name]))[:MOST_ROWS]:
        table.add_row(skill, *_cells(groups[skill]))
    if len(groups) > 1:
        table.add_section()
        table.add_row("all", *_cells(dataset.rows))
    console.print(table)


def _cells(rows: Sequence[EpisodeRow]) -> tuple[str, ...]:
    judged = [row.record.success for row in rows if row.record.success is not None]
    rate = Rate.of(sum(judged), len(judged))
    others = Counter(row.record.ended_by or "-" for row in rows if row.record.success is False)
    return (
        str(len(rows)),
        str(sum(len(row) for row in rows)),
        "-" if rate.rate is None else "{} = {:.1%} ({:.0%} – {:.0%})".format(rate.k, rate.rate, *rate.wilson95),
        ", ".join(f"{n} {reason}" for reason, n in others.most_common()),
    )


def _skill_of(row: EpisodeRow) -> str:
    """The skill of an episode; of a dataset that knows none, what was said."""
    try:
        return SkillCall.parse(row.record.skill_call or "").skill
    except SkillCallError:
        return row.tasks[0] if row.tasks else "-"


def _print_episode(index: int, episode: Episode) -> None:
    record, console = episode.record, Console()
    parts = [f"episode {index}: {episode.sentences[0]}", f"{len(episode)} frames", outcome(episode)[0]]
    parts += [f"driven by {record.driver}" if record.driver else "", f"seed {record.seed}" if record.seed else ""]
    console.print(", ".join(part for part in parts if part), highlight=False, soft_wrap=True)
    if record.scene:
        console.print(f"scene: {record.scene}", highlight=False, markup=False, soft_wrap=True)


def _write(episode: Episode, path: Path, fps: float) -> None:
    with Mp4Writer(path, fps=fps) as writer:
        for picture in film(episode):
            writer.add(picture)
    Console().print(f"video: {path}", highlight=False, soft_wrap=True)


def _play(episode: Episode, fps: float) -> None:
    """At the pace it was recorded."""
    console = Console()
    with Live(console=console, auto_refresh=False) as live:
        for step in range(len(episode)):
            started = time.monotonic()
            views = [images[step] for images in episode.images.values()]
            words = caption(episode, step)
            strip = side_by_side(views, views[0].shape[0], 0)
            picture = half_blocks(strip, rows=_rows(console, strip.shape[1] / strip.shape[0]))
            live.update(Group(picture, Text(f"{words.title}\n{words.line}  {words.verdict}")), refresh=True)
            time.sleep(max(0.0, 1 / fps - (time.monotonic() - started)))


def _rows(console: Console, aspect: float) -> int:
    """As many as leave room for the words, and as the width allows for views so many times as wide as high; a character
    is twice as high as wide."""
    return max(8, min(console.height - 4, int(console.width / (2 * aspect))))
