"""Where things go: places → literals for "put", "stack", "remove", "swap", "sort" and their kin.

Each function returns options: sets of literals of which any one satisfies what was said.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

from planner.grammar.attachment import attached, what_moves
from planner.grammar.choosing import MAX_OPTIONS, Selection, described, listing
from planner.grammar.context import Context
from planner.grammar.errors import REPHRASE, CannotBe, NeedsAnswer
from planner.grammar.grouping import Group, Place
from planner.grammar.matching import match
from planner.grammar.options import Option, both, of_kinds, on, place_literal, towers
from planner.grammar.references import candidates, resolve_list
from planner.grammar.stacks import is_one_stack, moved_stack, stack_meant
from planner.grammar.syntax import NounPhrase
from skills.literals import Literal

_TARGETS = ("there", "in", "on", "back", "origin", "down", "aside", "held")
_WHERE = {"in": "in", "on": "on", "top of": "on", "to": "to", "with": "with", "under": "under"}


# ---- what is moved


# ---- attachment: which phrases tell the theme apart and which say where it goes


# ---- put


def put(group: Group, context: Context, *, default: str = "") -> list[Option]:
    """ "put A in B", "put it back", "put A on the left". default: where to, when nothing is said."""
    theme, sources, target = attached(group, context, wants_target=True)
    direction = next((p.value for p in group.particles if p.kind == "direction"), "")
    if target is None and not direction and not sources and not group.said(*_TARGETS) and not default:
        who = " and ".join(described(p) for p in theme.phrases) or "it"
        raise NeedsAnswer(f"Where do you want '{who}' to go?", sorted(of_kinds(context, context.roles.place)))
    if is_one_stack(theme.phrases) and target is not None:
        return _stack_put(theme.phrases[0], target, context)
    selection = what_moves(theme, sources, group, context)
    if group.said("held"):
        return _each(selection, context, lambda name: [(Literal("holding", (name,)),)])
    if group.said("origin") or (group.said("back") and target is None):
        return _each(selection, context, lambda name: [_put_back(name, context)])
    if target is None and direction:
        return _each(selection, context, lambda name: [(Literal("in_zone", (name, direction)),)])
    if target is None and group.said("there", "in", "on"):
        predicate, object_name = _there(selection.first, context)
        return _each(selection, context, lambda name: [(Literal(predicate, (name, object_name)),)])
    if target is None:
        return _each(selection, context, lambda name: [(on(name, "table"),)])
    options = placed_at(selection, target, context)
    if direction:
        if not all(lit.arguments[-1] == "table" for lit in options[0]):
            raise CannotBe("I can place something in a zone of the table, but not on one side of something else")
        options = [(*o, *(Literal("in_zone", (lit.arguments[0], direction)) for lit in o)) for o in options]
    return options


def _stack_put(phrase: NounPhrase, target: Place, context: Context) -> list[Option]:
    """A whole stack: in the same order on a surface, all of its blocks in a container."""
    column = stack_meant(phrase, context)
    context.mention(column)
    ends = resolve_list(target.phrases, _target_roles(target.prep, target.phrases.phrases[0], context), context)
    if all(context.state.objects[e] in context.roles.inside for e in ends.first):
        return placed_at(Selection((column,), every=True), target, context)
    return [moved_stack(column, end, context) for option in ends.options for end in option[:1]]


def _on_stack(selection: Selection, phrase: NounPhrase, context: Context) -> list[Option]:
    """ "on the tower": on its top."""
    column = stack_meant(phrase, context)
    options = [
        o for chosen in selection.options for o in towers([n for n in chosen if n not in column], column[-1], {})
    ]
    if any(set(chosen) & set(column) for chosen in selection.options):
        raise NeedsAnswer(f"Some of that is in the stack already. {REPHRASE}")
    context.mention(selection.first, selection.chosen, selection.every)
    return options


def _each(selection: Selection, context: Context, literals_of: object) -> list[Option]:
    del context
    assert callable(literals_of)
    return [o for chosen in selection.options for o in (both(*(literals_of(n) for n in chosen)) or [()])]


def _there(names: Sequence[str], context: Context) -> tuple[str, str]:
    if context.place is None:
        for name in context.focus():
            left = any(state.container_of(n) == name for n in names for state in (context.state, *context.told[:1]))
            if context.state.objects.get(name) in context.roles.inside and not left:
                return place_literal("it", name, context).predicate, name
        answer = context.ask("Where is 'there'?", sorted(of_kinds(context, context.roles.place)))
        name = answer.strip().lower().removeprefix("the ")
        if name not in context.state.objects:
            raise CannotBe(f"there is no {name} here")
        return place_literal("it", name, context).predicate, name
    return context.place


def _put_back(name: str, context: Context) -> Option:
    """Where it was before it was last moved, in this instruction or before an earlier command."""
    now = context.state.support.get(name)
    for state in (*context.told, *context.earlier):
        before = state.support.get(name)
        if before is not None and (before != now or now is None):
            predicate = "in" if Literal("in", (name, before)) in state.facts else "on"
            return (Literal(predicate, (name, before)),)
    raise NeedsAnswer(f"I do not know where the {name} was before; where shall I put it?",
                      sorted(of_kinds(context, context.roles.place)))  # fmt: skip


def placed_at(selection: Selection, target: Place, context: Context) -> list[Option]:
    """Every theme at the target: matching, one each, pairwise, all in one, or any distribution over several."""
    first = target.phrases.phrases[0]
    if first.noun == "stack" and target.prep in ("on", "to", "top of"):
        return _on_stack(selection, first, context)
    if any(p.has("no") or p.noun == "nothing" for p in target.phrases.phrases):
        raise NeedsAnswer(
            "I know where it shall not go; where shall it go?", sorted(of_kinds(context, context.roles.place))
        )
    if target.prep not in _WHERE:
        raise NeedsAnswer(
            f"I can put a block in or on something, but not '{target.prep}' it; where else shall it go?",
            sorted(of_kinds(context, context.roles.place)),
        )
    if first.matching or (first.has("its") and not target.phrases.phrases[1:]):
        return [tuple(match(name, first, context) for name in chosen) for chosen in selection.options]
    roles = _target_roles(target.prep, first, context)
    _refuse_target(target, roles, context)
    spoken = context.mentions
    if any(p.pronoun for p in target.phrases.phrases):  # "B on top of it": of something else than B
        others = [m for m in spoken if set(m.names) != set(selection.first)]
        context.mentions = others or spoken
    targets = resolve_list(target.phrases, roles, context)
    context.mentions = spoken
    options: list[Option] = []
    for chosen in selection.options:
        for ends in targets.options:
            options += _distributed(chosen, ends, target, targets, context)
    context.mention(targets.first, targets.chosen)
    context.mention(selection.first, selection.chosen, selection.every)
    if len(targets.first) == 1:
        context.place = (place_literal("it", targets.first[0], context).predicate, targets.first[0])
    return options[:MAX_OPTIONS]


def _target_roles(prep: str, phrase: NounPhrase, context: Context) -> tuple[str, ...]:
    roles = context.roles
    if phrase.noun and phrase.noun not in ("thing", "one", "stack"):
        return roles.place
    return {"in": roles.inside, "on": roles.surface, "under": roles.movable, "with": roles.movable}.get(
        prep, roles.place
    )


def _refuse_target(target: Place, roles: tuple[str, ...], context: Context) -> None:
    """Nothing can be put in a block or on a lamp; a bowl takes things in, not on."""
    for phrase in target.phrases.phrases:
        if phrase.pronoun:
            continue
        kinds = {context.state.objects[n] for n in candidates(replace(phrase, relatives=()), roles, context)}
        if not kinds:
            continue
        if not kinds & set(roles):
            raise CannotBe(f"nothing can be put {target.prep} the {phrase.noun}; "
                           f"I can put blocks in a {' or '.join(context.roles.inside)} "
                           f"and on a {', '.join(context.roles.surface)}")  # fmt: skip
        if target.prep == "in" and not kinds & set(context.roles.inside):
            raise CannotBe(f"a {phrase.noun} has no inside; nothing can be put in it")
        if target.prep == "on" and kinds <= set(context.roles.inside):
            question = f"Nothing rests on a {phrase.noun}; do you mean in the {phrase.noun}?"
            if not context.confirm(question):
                raise CannotBe(f"nothing can be put on a {phrase.noun}, only in it")


def _distributed(
    chosen: tuple[str, ...], ends: tuple[str, ...], target: Place, targets: Selection, context: Context
) -> list[Option]:
    if target.prep == "under":
        return [tuple(on(end, name) for name in chosen for end in ends)]
    if target.prep == "with":
        return [tuple(_beside(name, ends[0], context) for name in chosen)]
    if len(ends) == 1:
        return [_all_at(chosen, ends[0], context)]
    if len(chosen) == len(ends) and len(target.phrases.phrases) == len(ends):
        return [tuple(place_literal(n, e, context) for n, e in zip(chosen, ends, strict=True))]
    if targets.every and any(p.has("every") for p in target.phrases.phrases):
        return _one_each(chosen, ends, context)
    return _any_distribution(chosen, ends, context)


def _beside(name: str, other: str, context: Context) -> Literal:
    """ "put it with the blue block": into the same container."""
    container = context.state.container_of(other)
    if container is None:
        raise NeedsAnswer(f"The {other} is in no bowl or drawer; where shall the {name} go?",
                          sorted(of_kinds(context, context.roles.place)))  # fmt: skip
    return Literal("in", (name, container))


def _all_at(chosen: Sequence[str], end: str, context: Context) -> Option:
    """All in one container; a pad or a block carries one thing, so several would be a stack: ask."""
    kind = context.state.objects[end]
    if len(chosen) > 1 and kind in context.roles.surface and kind != "table":
        question = f"Only one block fits on the {end}; shall I stack {listing(sorted(chosen))} there?"
        if not context.confirm(question):
            raise CannotBe(f"the {end} carries only one block, so {listing(sorted(chosen))} cannot all be on it")
        return tuple(on(u, lower) for u, lower in zip(chosen, (end, *chosen), strict=False))
    if tuple(chosen) == (end,):
        raise CannotBe(f"the {end} cannot be put {'in' if kind in context.roles.inside else 'on'} itself")
    return tuple(place_literal(name, end, context) for name in chosen if name != end)


def _one_each(chosen: tuple[str, ...], ends: tuple[str, ...], context: Context) -> list[Option]:
    """ "one block in each bowl": as many themes as targets, in any pairing; one theme stands for each target."""
    if len(chosen) < len(ends):
        pool = of_kinds(context, {context.state.objects[c] for c in chosen})
        count = len(chosen) * len(ends)
        if len(pool) < count:
            raise CannotBe(f"there are {len(pool)} blocks only for {len(ends)} places")
        groups = itertools.permutations(sorted(pool), count)
        each = len(chosen)
        return [
            tuple(place_literal(n, ends[i // each], context) for i, n in enumerate(group))
            for group in itertools.islice(groups, MAX_OPTIONS)
        ]
    return _any_distribution(chosen, ends, context)


def _any_distribution(chosen: tuple[str, ...], ends: tuple[str, ...], context: Context) -> list[Option]:
    single = all(context.state.objects[e] in context.roles.surface and e != "table" for e in ends)
    if single and len(chosen) > len(ends):
        raise CannotBe(f"{len(chosen)} blocks do not fit on {listing(ends)}: each carries one")
    spread = itertools.permutations(ends, len(chosen)) if single else itertools.product(ends, repeat=len(chosen))
    return [
        tuple(place_literal(n, e, context) for n, e in zip(chosen, combination, strict=True))
        for combination in itertools.islice(spread, MAX_OPTIONS)
    ]


# ---- matching colours


# ---- stacks


# ---- away from where it is


# ---- swaps
