"""Scene files: what they may say, and what they are told when they may not."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from robots.tabletop.names import COLOURS_OF, SEEN_COLOURS
from robots.tabletop.objects import COLOURS
from robots.tabletop.scene_spec import SceneError, SceneSpec, load_scene, random_scene, read_scene_text, scene_names

GOOD = """
objects: [red block, green block, blue block, blue bowl, drawer, button, lamp]
relations: ["on(red block, green block)", "in(blue block, drawer)", "open(drawer)", "lit(lamp)"]
positions: {green block: [0.45, 0.10]}
"""


def test_the_example_of_the_format_reads() -> None:
    spec = read_scene_text(GOOD)
    assert spec.positions == {"green block": (0.45, 0.10)}
    assert spec.arrangement.on == {"red block": "green block"}
    assert spec.arrangement.inside == {"blue block": "drawer"}
    assert spec.arrangement.drawer_open
    assert spec.arrangement.lamp_lit


def test_spelling_is_tidied() -> None:
    spec = SceneSpec(
        objects=("Red  Block", " green block", "table"), relations=("ON( red block,green   block )",),
        positions={"GREEN block": (0.4, 0.0)},
    )  # fmt: skip
    assert spec.objects == ("red block", "green block")
    assert spec.relations == ("on(red block, green block)",)
    assert spec.positions == {"green block": (0.4, 0.0)}


def test_a_scene_survives_json() -> None:
    spec = read_scene_text(GOOD)
    assert SceneSpec.model_validate_json(spec.model_dump_json()) == spec


def test_defaults_are_a_closed_drawer_and_a_dark_lamp() -> None:
    arrangement = SceneSpec(objects=("red block", "drawer", "lamp")).arrangement
    assert not arrangement.drawer_open
    assert not arrangement.lamp_lit
    said = SceneSpec(objects=("red block", "drawer", "lamp"), relations=("closed(drawer)", "not lit(lamp)"))
    assert said.arrangement == arrangement


def test_every_nameable_colour_has_a_look() -> None:
    assert {colour for colours in COLOURS_OF.values() for colour in colours} <= set(COLOURS)


BLOCKS = "red block, green block, blue block, yellow block, purple block, orange block"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("objects: [red blok]", "no object 'red blok'.*did you mean 'block'"),
        ("objects: [crimson block]", "no block is 'crimson'; blocks are red, green"),
        ("objects: [purple pad]", "no pad is 'purple'; pads are red, green, blue, yellow"),
        ("objects: [block]", "'block' lacks a colour, as in 'red block'"),
        ("objects: [red block, red  Block]", "two objects are called 'red block'"),
        ("objects: []", "at least 1 item"),
        ("objects: red block", "objects: "),
        ("relations: []", "a scene needs 'objects'"),
        ("objects: [red block]\nobject: [blue block]", "no field 'object'; have: objects, relations, positions"),
        ("[red block]", "a scene is a mapping like"),
        ("objects: [red block", "not YAML"),
        ("", "a scene is a mapping like"),
        ('objects: [red block]\nrelations: ["on(red block, blue block)"]', "'blue block', which is not among"),
        ('objects: [red block]\nrelations: ["on(red block)"]', "on takes 2 name"),
        ('objects: [red block]\nrelations: ["red block on table"]', "not a relation: 'red block on table'; have: on"),
        ('objects: [red block]\nrelations: ["holding(red block)"]', "no relation 'holding' at the start"),
        ('objects: [red block, red pad]\nrelations: ["not on(red block, red pad)"]', "not where it is not"),
        ('objects: [red block, red bowl]\nrelations: ["on(red block, red bowl)"]', "on takes a block or pad or table"),
        ('objects: [red block, red pad]\nrelations: ["in(red block, red pad)"]', "in takes a bowl or drawer"),
        ('objects: [red bowl, red pad]\nrelations: ["on(red bowl, red pad)"]', "only blocks can be placed"),
        ('objects: [red block, drawer]\nrelations: ["on(drawer, red block)"]', "only blocks can be placed"),
        ('objects: [red block]\nrelations: ["open(drawer)"]', "'drawer', which is not among the objects"),
        ('objects: [lamp, drawer]\nrelations: ["open(lamp)"]', "only the drawer can be open"),
        ('objects: [drawer]\nrelations: ["open(drawer)", "closed(drawer)"]', "contradicts another relation"),
        ('objects: [red block]\nrelations: ["in_zone(red block, north)"]', "no zone 'north'; have: left, right"),
        (f'objects: [{BLOCKS}, red bowl]\nrelations: ["in(red block, red bowl)", "in(green block, red bowl)", '
         '"in(blue block, red bowl)", "in(yellow block, red bowl)"]', "4 blocks in the red bowl, which holds 3"),
        (f'objects: [{BLOCKS}, drawer]\nrelations: ["in(red block, drawer)", "in(green block, drawer)", '
         '"in(blue block, drawer)", "in(yellow block, drawer)", "in(purple block, drawer)"]', "drawer, which holds 4"),
        (f'objects: [{BLOCKS}]\nrelations: ["on(red block, green block)", "on(green block, blue block)", '
         '"on(blue block, yellow block)", "on(yellow block, purple block)", "on(purple block, orange block)"]',
         "a stack of 6 under 'red block'; a stack is at most 5 high"),
        (f'objects: [{BLOCKS}]\nrelations: ["on(red block, green block)", "on(green block, red block)"]',
         "go in a circle"),
        (f'objects: [{BLOCKS}]\nrelations: ["on(red block, red block)"]', "go in a circle"),
        (f'objects: [{BLOCKS}]\nrelations: ["on(red block, green block)", "on(blue block, green block)"]',
         "'red block' is already on 'green block'"),
        (f'objects: [{BLOCKS}]\nrelations: ["on(red block, green block)", "on(red block, blue block)"]',
         "'red block' is already on or in something"),
        (f'objects: [{BLOCKS}, drawer]\nrelations: ["on(red block, green block)", "in(green block, drawer)"]',
         "'red block' stands on 'green block', which is in the drawer"),
        ("objects: [red block]\npositions: {blue block: [0.4, 0.0]}", "a position for 'blue block', which is not"),
        ("objects: [red block]\npositions: {red block: [0.9, 0.0]}", "is out of reach; the hand reaches x"),
        ("objects: [red block]\npositions: {red block: [0.1, 0.1]}", "out of reach"),
        ("objects: [red block]\npositions: {red block: [.nan, 0.1]}", "not finite"),
        ("objects: [red block]\npositions: {red block: [0.4]}", "positions"),
        ("objects: [red block]\npositions: {red block: near}", "positions"),
        ("objects: [red block, drawer]\npositions: {red block: [0.47, 0.36]}", "in the way of the drawer"),
        ("objects: [drawer]\npositions: {drawer: [0.4, 0.1]}", "the drawer, which has a fixed place"),
        ("objects: [red block, blue bowl]\npositions: {red block: [0.4, 0.1], blue bowl: [0.45, 0.1]}", "overlap"),
        ('objects: [red block, red pad]\nrelations: ["on(red block, red pad)"]\npositions: {red block: [0.4, 0]}',
         "a relation already says"),
        ('objects: [red block]\nrelations: ["in_zone(red block, left)"]\npositions: {red block: [0.4, 0]}',
         "not in the zone 'left'"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(SceneError, match=words):
        read_scene_text(text)


def test_a_scene_made_in_python_is_checked_too() -> None:
    with pytest.raises(ValidationError, match="no object 'red cube'"):
        SceneSpec(objects=("red cube",))


def test_unknown_scene_names_the_ones_there_are(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match=r"no scene 'kitchen'.*did you mean 'kitchen-corner'.*two-blocks"):
        load_scene("kitchen")
    with pytest.raises(SceneError, match="no scene"):
        load_scene(tmp_path)
    broken = tmp_path / "broken.yaml"
    broken.write_bytes(b"objects: [\xff\xfe]")
    with pytest.raises(SceneError, match="not a text file"):
        load_scene(broken)


def test_a_scene_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD)
    assert load_scene(path) == load_scene(str(path)) == read_scene_text(GOOD)


def test_shipped_scenes_read() -> None:
    assert len(scene_names()) >= 8
    for name in scene_names():
        assert load_scene(name).objects, name


def test_kitchen_corner_has_a_bowl_for_every_block() -> None:
    objects = load_scene("kitchen-corner").objects
    blocks = [name.split()[0] for name in objects if name.endswith("block")]
    assert len(blocks) >= 4
    assert all(f"{colour} bowl" in objects for colour in blocks)
    assert {"drawer", "button", "lamp"} <= set(objects)


def test_random_scenes_differ_by_seed_and_repeat_by_seed() -> None:
    scenes = [random_scene(seed) for seed in range(30)]
    assert scenes == [random_scene(seed) for seed in range(30)]
    assert len({scene.objects for scene in scenes}) > 25
    assert all(name.split()[0] in SEEN_COLOURS for scene in scenes for name in scene.things)


def test_random_scenes_keep_to_what_was_asked() -> None:
    for seed in range(20):
        spec = random_scene(seed, blocks=6, bowls=2, pads=1, stacks=(3, 2), in_drawer=1, lamp=False)
        kinds = [name.split()[-1] for name in spec.objects]
        assert (kinds.count("block"), kinds.count("bowl"), kinds.count("pad")) == (6, 2, 1)
        assert "lamp" not in kinds
        assert list(spec.arrangement.inside.values()) == ["drawer"]
        assert len(spec.arrangement.on) == 3
    assert "drawer" not in random_scene(1, drawer=False, in_drawer=0).objects
    assert random_scene(1, blocks=2, colours=("pink", "cyan"), bowls=0, pads=0).things


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"blocks": 7}, "7 blocks; names are unique, so with these colours there are 0 to 6"),
        ({"pads": 5}, "5 pads"),
        ({"blocks": 0}, "at least one block"),
        ({"blocks": 3, "stacks": (3,), "in_drawer": 1}, "3 blocks are too few"),
    ],
)
def test_random_scenes_that_cannot_be(knobs: dict[str, int], words: str) -> None:
    with pytest.raises(SceneError, match=words):
        random_scene(0, **knobs)  # type: ignore[arg-type]


def test_a_block_that_a_relation_places_need_not_be_named_twice() -> None:
    spec = SceneSpec(
        objects=("red block", "drawer"), relations=("in(blue block, drawer)", "on(green block, red block)")
    )
    assert spec.objects == ("red block", "drawer", "blue block", "green block")
    with pytest.raises(ValueError, match="'blue bowl', which is not among the objects"):
        SceneSpec(objects=("red block",), relations=("in(red block, blue bowl)",))
