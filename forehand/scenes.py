"""Reading `--scene`: a scene's name, a YAML file, or random:SEED."""

from __future__ import annotations

from robots.tabletop.scene_spec import SceneError, SceneSpec, load_scene, random_scene

RANDOM = "random:"


def read_scene(text: str) -> SceneSpec:
    """Raises SceneError that names the scenes there are."""
    if not text.startswith(RANDOM):
        return load_scene(text)
    number = text.removeprefix(RANDOM)
    if not number.isdigit():
        raise SceneError(f"'{text}': expected random:SEED with a whole number, as in random:7")
    return random_scene(int(number))
