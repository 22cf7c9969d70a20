"""Away from where it is: "take A off B", "empty the bowl", "clear the green block", "unstack".

Not for: taking something to a place that is named (placing.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from planner.grammar.attachment import SOURCES, attached, what_moves
from planner.grammar.choosing import Selection
from planner.grammar.context import Context
from planner.grammar.errors import CannotBe, NeedsAnswer
from planner.grammar.grouping import Group, Place
from planner.grammar.options import Option, of_kinds, on, place_literal
from planner.grammar.placing import placed_at, put
from planner.grammar.references import candidates, resolve, resolve_list
from planner.grammar.stacks import is_one_stack, stack_meant
from planner.grammar.syntax import NounPhrase
from skills.literals import Literal


def remove(group: Group, context: Context) -> list[Option]:
    """ "take A off B", "remove everything from the drawer": onto the table, or where it is said to go."""
    if any(p.prep in ("in", "on", "to") for p in group.places) and any(p.prep in SOURCES for p in group.places):
        return put(group, context)
    theme, sources, _ = attached(group, context, wants_target=False)
    selection = what_moves(theme, sources, group, context)
    options: list[Option] = []
    for chosen in selection.options:
        options.append(tuple(_removed(name, sources, context) for name in chosen))
    return _mentioning(selection, options, context)


def _mentioning(selection: Selection, options: list[Option], context: Context) -> list[Option]:
    """What was moved is what "it" means next, whatever places were spoken of since."""
    context.mention(selection.first, selection.chosen, selection.every)
    return options


def _removed(name: str, sources: Sequence[Place], context: Context) -> Literal:
    """On the table; what is not where it should be taken from only has to stay away from there."""
    for source in sources:
        phrase = source.phrases.phrases[0]
        if phrase.noun == "stack":
            continue
        if stands_at(name, phrase, context) or name in context.state.hidden:
            continue
        (place,) = resolve(phrase, context.roles.place, context).first[:1] or ("",)
        if place:
            return place_literal(name, place, context).negate()
    return on(name, "table")


def stands_at(name: str, phrase: NounPhrase, context: Context) -> bool:
    """Whether it is on or in a thing of that description."""
    if phrase.pronoun:
        places = list(resolve(phrase, context.roles.place, context).first)
    else:
        places = candidates(phrase, context.roles.place, context)
    context.mention([p for p in places if p in (context.state.support.get(name), context.state.container_of(name))])
    return context.state.support.get(name) in places or context.state.container_of(name) in places


def clear(group: Group, context: Context) -> list[Option]:
    """ "clear the blue block": nothing on it. "clear the bowl": nothing in it."""
    selection = resolve_list(group.theme, (*context.roles.surface, *context.roles.inside), context, group.exceptions)
    context.mention(selection.first)
    literals: list[Literal] = []
    for name in selection.first:
        kind = context.state.objects[name]
        if kind in context.roles.inside:
            literals += _emptied(name, context)
        elif kind == "table":
            raise NeedsAnswer(
                "Where shall everything on the table go?", sorted(of_kinds(context, context.roles.inside))
            )
        else:
            literals.append(Literal("clear", (name,)))
    return [tuple(literals)]


def empty(group: Group, context: Context) -> list[Option]:
    """ "empty the red bowl (into the drawer)"."""
    selection = resolve_list(group.theme, context.roles.inside, context, group.exceptions)
    contents = [c for name in selection.first for c in context.state.resting.get(name, ())]
    if group.places and contents:
        moved = Selection((tuple(contents),))
        options = placed_at(moved, group.places[-1], context)
    else:
        options = [tuple(lit for name in selection.first for lit in _emptied(name, context))]
    context.mention(selection.first)
    context.mention(contents)
    return options


def _emptied(name: str, context: Context) -> list[Literal]:
    contents = context.state.resting.get(name, ())
    unseen = name in context.scene.unexplored
    gone = [Literal("in", ("*", name), negated=True)] if unseen or not contents else []
    return [*(on(c, "table") for c in contents), *gone]


def unstack(group: Group, context: Context) -> list[Option]:
    """Every block of the stacks spoken of on the table; "unstack A" frees A from what it stands on."""
    theme, sources, target = attached(group, context, wants_target=True)
    if not theme.phrases or theme.phrases[0].noun == "stack":
        single = theme.phrases and is_one_stack(theme.phrases)
        names = stack_meant(theme.phrases[0], context) if single else candidates(NounPhrase(noun="stack"), (), context)
        uppers = tuple(n for n in names if context.state.stack_height(n) > 1)
        if not uppers:
            raise CannotBe("nothing is stacked")
        context.mention(names)
        return [tuple(on(n, "table") for n in uppers)]
    if target is not None:
        return put(group, context)
    selection = what_moves(theme, sources, group, context)
    return [
        tuple(on(n, "table") for n in chosen if context.state.objects.get(context.state.support.get(n, "")) == "block"
              or len(chosen) == 1)
        for chosen in selection.options
    ]  # fmt: skip
