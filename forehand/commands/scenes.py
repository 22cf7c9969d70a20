"""`forehand scene list` and `forehand scene show`."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from forehand.scenes import read_scene
from robots.tabletop.scene_spec import load_scene, scene_names


def list_command() -> int:
    table = Table("scene", "objects", "at the start", title="Scenes (also: a YAML file, or random:SEED)")
    for name in scene_names():
        spec = load_scene(name)
        table.add_row(name, ", ".join(spec.objects), ", ".join(spec.relations) or "-", end_section=True)
    Console().print(table)
    return 0


def show_command(scene: str, seed: int, picture: Path | None) -> int:
    from PIL import Image

    from robots.tabletop.trace import frame_of
    from robots.tabletop.video import Filmer
    from robots.tabletop.world import TabletopWorld
    from skills.grounding import symbolic_of

    spec = read_scene(scene)
    console = Console()
    with TabletopWorld(spec, seed) as world:
        state = world.physical_state()
        table = Table("object", "category", "x m", "y m", "z m", title=f"{scene}, seed {seed}")
        for name, thing in sorted(state.objects.items()):
            table.add_row(name, thing.category, *(f"{value:.3f}" for value in thing.position_m))
        console.print(table)
        console.print("holds: " + ", ".join(sorted(str(fact) for fact in symbolic_of(state).facts)), highlight=False)
        if picture is not None:
            with Filmer() as filmer:
                Image.fromarray(filmer.draw(frame_of(world))).save(picture)
            console.print(f"picture: {picture}", highlight=False)
    return 0
