"""The scripted experts in the simulator: the hard cases, and what they do about things that went wrong."""

from itertools import pairwise

import pytest

from robots.robot import Action
from robots.tabletop.interventions import DropHeld, MoveObject, SetDrawer
from robots.tabletop.scene_spec import SceneSpec
from robots.tabletop.world import TabletopWorld
from skills.grounding import symbolic_of
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.skill import SkillCall
from skills.trials import chain_trials, main, run_call, single_trial, tabulate

LIBRARY = SkillLibrary()
COLOURS = ("red", "green", "blue", "yellow", "purple")


def world(*objects, relations=(), positions=None, seed=0):
    return TabletopWorld(SceneSpec(objects=objects, relations=relations, positions=positions or {}), seed)


def holds(table, text):
    return symbolic_of(table.physical_state()).holds(Literal.parse(text))


def do(table, *calls):
    for text in calls:
        trial = run_call(table, SkillCall.parse(text), LIBRARY)
        assert trial.succeeded, f"{trial.call}: {trial.reason}"
        assert not trial.disturbed, f"{trial.call}: {trial.disturbed}"


def tower(height):
    return [f"on({upper} block, {lower} block)" for lower, upper in pairwise(COLOURS[:height])]


def test_a_fifth_block_goes_on_a_stack_of_four_and_comes_off_again():
    with world(*(f"{c} block" for c in COLOURS), relations=tower(4)) as table:
        do(table, "pick(purple block)", "place_on(yellow block)", "pick(purple block)", "place_on(table)")
        assert holds(table, "on(yellow block, blue block)")


def test_a_third_block_goes_into_a_bowl_and_all_three_come_out():
    inside = ("in(red block, blue bowl)", "in(green block, blue bowl)")
    with world("red block", "green block", "blue block", "blue bowl", relations=inside) as table:
        do(table, "pick(blue block)", "place_in(blue bowl)")
        for colour in ("blue", "red", "green"):
            do(table, f"pick({colour} block)", "place_on(table)")


def test_a_fourth_block_goes_into_the_drawer_which_shuts_and_opens_over_it():
    inside = [f"in({c} block, drawer)" for c in COLOURS[:3]]
    with world(*(f"{c} block" for c in COLOURS[:4]), "drawer", relations=inside) as table:
        do(table, "open(drawer)", "pick(yellow block)", "place_in(drawer)", "close(drawer)", "open(drawer)")
        do(table, "pick(red block)", "place_on(table)", "pick(green block)", "place_in(drawer)")
        assert holds(table, "in(yellow block, drawer)")


def test_pressing_twice_toggles_twice_and_moving_on_does_not_toggle():
    with world("red block", "button", "lamp") as table:
        do(table, "press(button)")
        assert table.physical_state().joints["button"] > 0.004
        do(table, "press(button)")
        assert holds(table, "not lit(lamp)")
        do(table, "press(button)", "pick(red block)")
        assert holds(table, "lit(lamp)")


@pytest.mark.parametrize("zone", ["left", "right", "front", "back"])
def test_a_block_is_pushed_from_a_pad_into_any_zone(zone):
    with world(
        "red block", "blue pad", relations=["on(red block, blue pad)"], positions={"blue pad": (0.47, -0.1)}
    ) as table:
        do(table, f"push(red block, {zone})")
        assert holds(table, "on(red block, table)")


def test_a_push_goes_around_a_bowl():
    places = {"red block": (0.47, -0.2), "blue bowl": (0.47, -0.03)}
    with world("red block", "blue bowl", positions=places) as table:
        do(table, "push(red block, left)")


def test_a_block_with_neighbours_before_and_behind_it_is_drawn_out_sideways_and_along():
    places = {"red block": (0.47, -0.1), "green block": (0.47, -0.145), "blue block": (0.515, -0.1)}
    with world("red block", "green block", "blue block", positions=places) as table:
        do(table, "push(red block, left)")


def interrupted(table, text, steps, meddle):
    """Run a call, let something happen after so many steps, and give it the rest of its time."""
    call = SkillCall.parse(text)
    skill = LIBRARY.skill(call.skill)
    goals = skill.success_of(call.arguments, symbolic_of(table.physical_state()))
    for step in range(skill.time_limit_steps):
        if step == steps:
            meddle(table)
        action = skill.expert(table.physical_state(), call.arguments)
        table.step(action)
        if action.terminate:
            break
    table.settle(2.0)
    assert action.terminate
    return all(symbolic_of(table.physical_state()).holds(goal) for goal in goals)


def test_a_pick_starts_again_when_the_block_slips():
    with world("red block", "green block") as table:
        assert interrupted(table, "pick(red block)", 12, lambda w: w.intervene(DropHeld()))


def test_a_pick_follows_a_block_that_was_moved():
    with world("red block", positions={"red block": (0.5, -0.2)}) as table:
        assert interrupted(table, "pick(red block)", 8, lambda w: w.intervene(MoveObject("red block", (0.42, 0.05))))


def test_a_pick_begins_with_a_closed_hand_beside_the_block():
    with world("red block", positions={"red block": (0.5, 0.0)}) as table:
        for _ in range(30):
            x, y, z = table.physical_state().hand.tool_position_m
            step = (0.3 * (0.5 - x), 0.3 * (0.06 - y), max(-0.04, 0.03 - z))
            table.step(Action(step, gripper=1.0))
        do(table, "pick(red block)")


def test_a_pick_puts_another_block_down_first():
    with world("red block", "green block") as table:
        do(table, "pick(green block)")
        assert interrupted(table, "pick(red block)", -1, lambda _: None)
        assert holds(table, "on(green block, table)")


def test_a_drawer_that_is_shut_again_is_opened_again():
    with world("red block", "drawer") as table:
        assert interrupted(table, "open(drawer)", 12, lambda w: w.intervene(SetDrawer(0.0)))


def test_placing_what_slipped_away_ends_and_does_not_claim_success():
    with world("red block", "blue bowl", positions={"red block": (0.5, -0.3), "blue bowl": (0.5, 0.1)}) as table:
        do(table, "pick(red block)")
        assert not interrupted(table, "place_in(blue bowl)", 4, lambda w: w.intervene(DropHeld()))


def test_chains_of_calls_in_crowded_scenes():
    trials = [trial for seed in (3, 4) for trial in chain_trials(seed, calls=8)]
    assert [f"{t.call}: {t.reason}" for t in trials if not t.succeeded] == []
    assert len(trials) == 16


@pytest.mark.parametrize("skill", [skill.name for skill in LIBRARY.skills])
def test_a_trial_is_the_same_again(skill):
    first, again = single_trial(skill, 7), single_trial(skill, 7)
    assert first.succeeded
    assert first == again
    assert first.call.skill == skill


def test_the_table_counts_and_names_failures(capsys):
    trial = single_trial("press", 1)
    table = tabulate([trial])
    assert [next(iter(column.cells)) for column in table.columns][:4] == ["press", "1", "1", "100.00%"]
    main(["--episodes", "2", "--skills", "close"])
    assert "Wilson" in capsys.readouterr().out
