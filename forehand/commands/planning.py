"""`forehand plan`: goal and graph, nothing moves; `forehand instructions`: what the grammar can say of a scene."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict
from rich.console import Console

from forehand.assembly import assemble
from forehand.commands.running import EXIT_CODE, RunOptions
from forehand.scenes import read_scene
from planner.planner import Impossible, Plan, PlanOutcome, Question
from skills.drawing import graph_svg, terminal_tree
from skills.goal import Goal
from skills.graph_files import save_graph
from skills.skill_graph import SkillGraph


class PlanResult(BaseModel):
    """What `forehand plan --json` prints."""

    model_config = ConfigDict(frozen=True)

    outcome: Literal["succeeded", "clarify", "impossible"]
    planner: str
    instruction: str
    goal: Goal | None = None
    graph: SkillGraph | None = None
    reasoning: str = ""
    question: str | None = None
    choices: tuple[str, ...] = ()
    reason: str = ""  # why it is impossible


def plan_command(options: RunOptions, *, draw: Path | None, save: Path | None, as_json: bool) -> int:
    config = options.config()
    with assemble(config) as workplace:
        outcome = workplace.plan(config)
    result = _result(options, config.planner, outcome)
    if result.graph is not None:
        if draw is not None:
            draw.write_text(graph_svg(result.graph), "utf-8")
        if save is not None:
            save_graph(result.graph, save)
    if as_json:
        print(result.model_dump_json(indent=2, by_alias=True))
    else:
        _show(result, Console(), [path for path in (draw, save) if path is not None])
    return EXIT_CODE[result.outcome]


def _result(options: RunOptions, planner: str, outcome: PlanOutcome) -> PlanResult:
    said = options.instruction
    match outcome:
        case Plan(goal=goal, graph=graph, reasoning=why):
            return PlanResult(
                outcome="succeeded", planner=planner, instruction=said, goal=goal, graph=graph, reasoning=why
            )
        case Question(text=text, choices=choices):
            return PlanResult(outcome="clarify", planner=planner, instruction=said, question=text, choices=choices)
        case Impossible(reason=reason, goal=goal):
            return PlanResult(outcome="impossible", planner=planner, instruction=said, reason=reason, goal=goal)


def _show(result: PlanResult, console: Console, written: list[Path]) -> None:
    if result.graph is not None and result.goal is not None:
        if result.reasoning:
            console.print(result.reasoning, style="bright_black", highlight=False)
        console.print(terminal_tree(result.graph, {}))
        console.print("goal: " + goal_words(result.goal), highlight=False)
    elif result.question is not None:
        console.print(f"[yellow]?[/] {result.question}", highlight=False)
        if result.choices:
            console.print("  " + " / ".join(result.choices), highlight=False)
    else:
        console.print(f"[yellow]impossible[/]: {result.reason}", highlight=False)
    for path in written if result.graph is not None else []:
        console.print(f"written: {path}", style="bright_black", highlight=False)


def goal_words(goal: Goal) -> str:
    """One line: the literals, what hangs on the start, then what comes before what."""
    parts = [", ".join(str(literal) for literal in goal.literals)]
    for branch in goal.branches:
        then, otherwise = (", ".join(map(str, part)) or "nothing" for part in (branch.then, branch.otherwise))
        parts.append(f"if {branch.condition}: {then}, else: {otherwise}")
    parts.append(", ".join(f"{first} before {second}" for first, second in goal.order))
    return "; ".join(part for part in parts if part)


def instructions_command(scene: str, *, count: int, seed: int, as_json: bool) -> int:
    from planner.grammar.generation import generate
    from robots.tabletop.world import TabletopWorld
    from skills.grounding import symbolic_of

    with TabletopWorld(read_scene(scene), seed) as world:
        state = symbolic_of(world.physical_state())
    made = list(generate(state, count, seed))
    if as_json:
        records = [{"instruction": one.instruction, "goal": one.goal.model_dump(mode="json")} for one in made]
        print(json.dumps(records, indent=2))
    else:
        console = Console()
        for one in made:
            console.print(one.instruction, highlight=False)
            console.print("  " + goal_words(one.goal), style="bright_black", highlight=False)
    return 0
