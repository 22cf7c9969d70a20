"""Vision-language examples of the tabletop: questions, places and captions about rendered scenes, and their words.

`python -m executor.learning.visual_questions --examples 20000 --out DIR` writes a folder of them. Training mixes them
with robot frames, as RT-2 does with data of the web (arXiv 2307.15818, section 3.2: co-fine-tuning).
Not for: which questions there are (questions), or what the scenes are like (moments).
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from executor.learning.captions import CAPTION_WORDS
from executor.learning.moments import Moment, draw_moments
from executor.learning.questions import COUNTS, MAKERS, TEMPLATES, WAYS, Question
from robots.tabletop.names import BLOCK_COLOURS, COLOURS_OF, FIXTURES, NEUTRAL_COLOURS, TABLE
from rt2.training.example_files import read_examples, shard_path, write_examples_shard
from rt2.training.examples import NAMED_THINGS, TextExample
from skills.wordings import training_words, words_of

__all__ = ["ANSWER_WORDS", "VOCABULARY_WORDS", "draw_examples", "read_examples", "write_examples"]

MOMENTS_PER_SCENE = 3
PER_SCENE = 24
PER_SHARD = 504
TRIES = 4  # draws of a kind for each question wanted

_NAME_WORDS = (*BLOCK_COLOURS, *NEUTRAL_COLOURS, *COLOURS_OF, *FIXTURES, TABLE)
ANSWER_WORDS: tuple[str, ...] = tuple(sorted({"yes", "no", "nothing", *COUNTS, *CAPTION_WORDS.split(), *_NAME_WORDS}))
"""Every word of every answer; places are two integers instead."""

VOCABULARY_WORDS: tuple[str, ...] = tuple(
    sorted(
        {
            *ANSWER_WORDS,
            *training_words(),
            *(word for text in (*TEMPLATES.values(), *WAYS.values()) for word in words_of(text.format("", ""))),
        }
    )
)
"""Every word that a prompt or an answer, or a training sentence of a built-in skill, may hold. No held-out word."""


def draw_examples(rng: np.random.Generator, n_per_scene: int = PER_SCENE) -> list[TextExample]:
    """Examples of one random scene, at most n_per_scene; those of one moment share their arrays."""
    per_moment = -(-n_per_scene // MOMENTS_PER_SCENE)
    examples: list[TextExample] = []
    for moment in draw_moments(rng, MOMENTS_PER_SCENE):
        examples += [_example(moment, q) for q in _questions(moment, per_moment, rng)]
    return examples[:n_per_scene]


def _questions(moment: Moment, count: int, rng: np.random.Generator) -> Sequence[Question]:
    """Different ones, kinds by weight."""
    weights = np.array([weight for _, weight in MAKERS])
    asked: dict[str, Question] = {}
    for kind in rng.choice(len(MAKERS), size=TRIES * count, p=weights / weights.sum()):
        if len(asked) >= count:
            break
        asked.update({q.prompt: q for q in MAKERS[kind][0](moment, rng)})
    return list(asked.values())


def _example(moment: Moment, question: Question) -> TextExample:
    points = {camera: np.zeros((NAMED_THINGS, 3), np.float32) for camera in moment.images}
    for camera, places in moment.places.items():
        for k, name in enumerate(question.about):
            points[camera][k] = places.get(name, 0.0)
    return TextExample(moment.images, question.kind, question.prompt, question.answer, moment.cells, points)


def write_examples(folder: Path, n: int, seed: int, workers: int) -> int:
    """Write at least n examples as shards into `folder`; how many. Same n and seed: the same examples.

    A shard that is there already is kept, so that a run that was killed goes on where it was. More than one worker:
    processes of their own, with progress on standard error.
    """
    shards = -(-n // PER_SHARD)
    jobs = [(folder, seed, k, min(PER_SHARD, n)) for k in range(shards)]
    if workers == 1:
        return sum(_write_shard(*job) for job in track(jobs, description="Examples", console=Console(stderr=True)))
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:  # a forked child would share the parent's threads
        futures = [pool.submit(_write_shard, *job) for job in jobs]
        done = track(as_completed(futures), total=shards, description="Examples", console=Console(stderr=True))
        return sum(future.result() for future in done)


def _write_shard(folder: Path, seed: int, index: int, count: int) -> int:
    name = f"{seed:06d}-{index:05d}-{count}"
    if not shard_path(folder, name).is_file():
        rng, examples = np.random.default_rng([seed, index]), list[TextExample]()
        while len(examples) < count:
            examples += draw_examples(rng)
        write_examples_shard(folder, examples[:count], name)
    return count


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m executor.learning.visual_questions",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--examples", type=int, default=20_000)
    parser.add_argument("--out", type=Path, required=True, help="folder for the shards")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    written = write_examples(arguments.out, arguments.examples, arguments.seed, arguments.workers)
    print(f"{written} examples in {arguments.out}")


if __name__ == "__main__":
    main()
