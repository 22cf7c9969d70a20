"""`forehand graph check` and `forehand graph draw`, and reading the graph of `forehand graph run`."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from forehand.commands.running import library_with
from forehand.config import ConfigError
from forehand.scenes import read_scene
from robots.tabletop.world import TabletopWorld
from skills.drawing import graph_svg, terminal_tree
from skills.graph_files import load_graph
from skills.grounding import symbolic_of
from skills.skill_graph import SkillGraph
from skills.validation import validate


def check_graph(graph: SkillGraph, scene: str, seed: int, skill_files: tuple[Path, ...]) -> None:
    """Raises GraphError naming the first step that cannot work from the scene's true start."""
    library = library_with(skill_files)
    with TabletopWorld(read_scene(scene), seed) as world:
        validate(graph, symbolic_of(world.physical_state(), library.predicates), library)


def check_command(file: Path, scene: str, seed: int, skill_files: tuple[Path, ...]) -> int:
    graph = load_graph(file)
    check_graph(graph, scene, seed, skill_files)
    count = len(list(graph.calls()))
    fine = f"[green]✓[/] {file}: {count} skill calls; every order of them can work in {scene}"
    Console().print(fine, highlight=False)
    return 0


def draw_command(file: Path, out: Path | None) -> int:
    graph = load_graph(file)
    if out is None:
        Console().print(terminal_tree(graph, {}))
    else:
        if out.suffix != ".svg":
            raise ConfigError(f"{out}: the drawing is SVG; name a file that ends in .svg")
        out.write_text(graph_svg(graph), "utf-8")
        Console().print(f"drawn: {out}", highlight=False)
    return 0
