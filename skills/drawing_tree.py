"""A skill graph as a tree for the terminal: a line for each hand block, numbered, with what it comes after.

Not for: pictures (skills.drawing).
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text
from rich.tree import Tree

from skills.graph_structure import check_order
from skills.hand_blocks import hand_blocks
from skills.library import SkillLibrary
from skills.skill_graph import BranchStep, CallStep, RepeatStep, SkillGraph, Step, SubGraphStep

STYLES = {
    "pending": ("·", "bright_black"),
    "ready": ("○", "default"),
    "running": ("▸", "bold blue"),
    "succeeded": ("✓", "green"),
    "failed": ("✗", "bold red"),
    "skipped": ("–", "bright_black strike"),
}


def terminal_tree(
    graph: SkillGraph, statuses: Mapping[str, str] | None = None, library: SkillLibrary | None = None
) -> Tree:
    """One line for each step, or pick and its place; "after 1, 3" names lines. Raises GraphError as graph_svg does."""
    check_order(graph)
    tree = Tree(Text(graph.name or "plan", "bold"), guide_style="bright_black")
    _add_level(tree, graph, statuses or {}, library or SkillLibrary(), "", "")
    return tree


def _add_level(
    tree: Tree, graph: SkillGraph, statuses: Mapping[str, str], library: SkillLibrary, level: str, prefix: str
) -> None:
    line_of: dict[str, str] = {}
    for number, group in enumerate(hand_blocks(graph, library), start=1):
        steps = [graph.step(step_id) for step_id in group]
        after = dict.fromkeys(line_of[a] for step in steps for a in step.after if a not in group)
        line_of.update(dict.fromkeys(group, f"{prefix}{number}"))
        line = Text(f"{prefix}{number} ", "bright_black")
        for index, step in enumerate(steps):
            if index:
                line.append(" → ", "bright_black")
            line.append_text(_described(step, statuses.get(f"{level}{step.id}", "pending")))
        if after:
            line.append(f"  after {', '.join(after)}", "bright_black")
        branch = tree.add(line)
        for step in steps:
            _add_inner(branch, step, statuses, library, f"{level}{step.id}", f"{prefix}{number}.")


def _add_inner(
    tree: Tree, step: Step, statuses: Mapping[str, str], library: SkillLibrary, path: str, prefix: str
) -> None:
    match step:
        case BranchStep():
            for word, arm, name in (("yes", step.then, "then"), ("no", step.otherwise, "else")):
                node = tree.add(Text(word if arm.steps else f"{word}: nothing", "italic bright_black"))
                _add_level(node, arm, statuses, library, f"{path}/{name}/", f"{prefix}{word[0]}")
        case RepeatStep():
            _add_level(tree, step.body, statuses, library, f"{path}/", prefix)
        case SubGraphStep():
            _add_level(tree, step.graph, statuses, library, f"{path}/", prefix)
        case CallStep():
            pass


def _described(step: Step, status: str) -> Text:
    mark, style = STYLES.get(status, STYLES["pending"])
    match step:
        case CallStep():
            words = str(step.do)
        case BranchStep():
            words = f"if {step.condition}"
        case RepeatStep():
            until = f"until {step.until}, at most " if step.until is not None else ""
            words = f"repeat {until}{step.at_most} times"
        case SubGraphStep():
            words = step.graph.name or step.id
    return Text(f"{mark} {words}", style if status != "pending" else "default")
