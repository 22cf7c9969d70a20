"""Variations: drawn from a seed, seen by the cameras, without effect on what happens."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from robots.robot import Action
from robots.tabletop import layout
from robots.tabletop.cameras import CameraRig, project
from robots.tabletop.scene_spec import SceneSpec
from robots.tabletop.variations import CameraJitter, Strengths, TableLook, Variation, table_texture
from robots.tabletop.world import TabletopWorld

SCENE = SceneSpec(objects=("red block", "blue bowl"), positions={"red block": (0.5, -0.2), "blue bowl": (0.4, 0.1)})


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**31 - 1), strength=st.floats(0.0, 1.0))
def test_a_drawn_variation_round_trips_through_json_and_comes_again(seed, strength):
    strengths = Strengths(strength, strength, strength, 2)
    drawn = Variation.draw(seed, strengths)
    assert Variation.model_validate_json(drawn.model_dump_json()) == drawn
    assert Variation.draw(seed, strengths) == drawn
    assert drawn.distractors <= 2


def test_strength_nought_is_no_variation_and_strengths_do_not_mix():
    assert Variation.draw(7, Strengths(0.0, 0.0, 0.0, 0)) == Variation()
    dark = Variation.draw(7, Strengths(table=0.0))
    assert dark.table == TableLook()
    assert dark.light == Variation.draw(7).light
    assert len({Variation.draw(seed).table.colour for seed in range(20)}) == 20
    assert {Variation.draw(seed).table.pattern for seed in range(40)} == {"plain", "checks", "stripes", "noise"}


def test_bad_values_are_refused():
    with pytest.raises(ValueError, match="strength of light"):
        Strengths(light=2.5)
    with pytest.raises(ValueError, match="strength of cameras"):
        Strengths(cameras=1.5)
    with pytest.raises(ValidationError):
        Variation.model_validate({"table": {"pattern": "stars"}})
    with pytest.raises(ValidationError):
        Variation.model_validate({"wind": 3})
    with pytest.raises(ValidationError):
        CameraJitter(shift_m=(float("nan"), 0.0, 0.0))


@pytest.mark.parametrize("pattern", ["plain", "checks", "stripes", "noise"])
def test_textures_mix_the_two_colours_and_nothing_else(pattern):
    look = TableLook(pattern=pattern, colour=(0.2, 0.2, 0.2), second_colour=(0.8, 0.6, 0.8), seed=3)
    picture = table_texture(look, (1.0, 0.5))
    assert picture.shape == (80, 160, 3)
    assert picture.min() >= 51
    assert picture[..., 0].max() <= 204
    assert (picture.std() > 5) == (pattern != "plain")


def test_the_table_top_shows_the_texture_right_way_round_and_whole():
    look = TableLook(pattern="checks", colour=(0.9, 0.9, 0.9), second_colour=(0.1, 0.1, 0.1), period_m=0.40)
    area = layout.TABLE
    with TabletopWorld(SCENE, 0, variation=Variation(table=look)) as world:
        image = CameraRig(world, 240).capture(["front"])["front"]
    for x, y in ((0.7, -0.3), (0.7, -0.1), (0.5, -0.3), (0.7, 0.1), (0.5, 0.3)):
        second = (np.floor((x - area.x_min) / 0.2) + np.floor((y - area.y_min) / 0.2)) % 2
        (column, row), _ = (v[0] for v in project(image, np.array([[x, y, 0.0]])))
        assert (image.rgb[int(row), int(column)].mean() < 128) == bool(second), (x, y)


def test_variations_are_seen_but_change_nothing_that_happens():
    looks = [Variation.draw(seed, Strengths(distractors=0)) for seed in (1, 2)]
    pictures, states = [], []
    for variation in (None, *looks):
        with TabletopWorld(SCENE, 0, variation=variation) as world:
            pictures.append(CameraRig(world).capture(["front"])["front"].rgb.astype(int))
            for _ in range(5):
                world.step(Action((0.01, 0.0, -0.02)))
            states.append(world.physical_state())
            world.checkpoint()
            again = CameraRig(world).capture(["overhead"])["overhead"].rgb
            if variation is not None and variation.table.pattern != "plain":
                assert again.reshape(-1, 3).std(axis=0).max() > 5, "a checkpoint keeps the look"
    assert states[0] == states[1] == states[2]
    assert np.abs(pictures[0] - pictures[1]).mean() > 10
    assert np.abs(pictures[1] - pictures[2]).mean() > 10
