"""Reading `--scene`: a scene's name, a YAML file, or random:SEED."""

from __future__ import annotations

from robots.tabletop.models import category_of
from robots.tabletop.names import FIXTURES, TABLE, read_thing
from robots.tabletop.scene_spec import SceneError, SceneSpec, load_scene, random_scene

RANDOM = "random:"


def scene_objects(spec: SceneSpec) -> dict[str, str]:
    """name → category of all that the scene file names, and the table; also what starts out of sight."""
    fixtures = {name: name for name in (*FIXTURES, TABLE) if name in (*spec.objects, TABLE)}
    loose = {name: read_thing(name).category for name in spec.objects if name not in FIXTURES}
    return loose | fixtures | {name: category_of(name) for name in spec.models}


def read_scene(text: str) -> SceneSpec:
    """Raises SceneError that names the scenes there are."""
    if not text.startswith(RANDOM):
        return load_scene(text)
    number = text.removeprefix(RANDOM)
    if not number.isdigit():
        raise SceneError(f"'{text}': expected random:SEED with a whole number, as in random:7")
    return random_scene(int(number))
