"""Where things go: places → literals for "put", "stack", "remove", "swap", "sort" and their kin.

Each function returns options: sets of literals of which any one satisfies what was said.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeAlias

from planner.grammar.context import Context
from planner.grammar.errors import CannotBe, NeedsAnswer
from planner.grammar.grouping import Group, PhraseList, Place, with_shared_noun
from planner.grammar.references import (
    MAX_OPTIONS,
    Selection,
    candidates,
    colour_of,
    described,
    listing,
    resolve,
    resolve_list,
)
from planner.grammar.syntax import NounPhrase, Relative
from skills.literals import Literal

Option: TypeAlias = tuple[Literal, ...]

SOURCES = ("off", "out", "from")
_TARGETS = ("there", "in", "on", "back", "origin", "down", "aside", "held")
_WHERE = {"in": "in", "on": "on", "to": "to", "with": "with", "under": "under"}
_STATIC = "stays where it is; I can move {}"


def both(*options: Sequence[Option]) -> list[Option]:
    """Each combination of one option of every kind."""
    joined = itertools.islice(itertools.product(*options), MAX_OPTIONS)
    return [tuple(dict.fromkeys(itertools.chain.from_iterable(c))) for c in joined]


def on(upper: str, lower: str) -> Literal:
    return Literal("on", (upper, lower))


def place_literal(name: str, target: str, context: Context) -> Literal:
    """on or in, by what the target is."""
    inside = context.state.objects[target] in context.roles.inside
    return Literal("in" if inside else "on", (name, target))


# ---- what is moved


def movables(listed: PhraseList, context: Context, exceptions: Sequence[NounPhrase] = ()) -> Selection:
    """What the clause moves. Raises CannotBe for what stands fast."""
    if not listed.phrases:
        raise NeedsAnswer("What do you want me to move?", sorted(_of(context, context.roles.movable)))
    for phrase in listed.phrases:
        _refuse_static(phrase, context)
    return resolve_list(listed, context.roles.movable, context, exceptions)


def _refuse_static(phrase: NounPhrase, context: Context) -> None:
    movable = context.roles.movable
    if phrase.noun in ("", "thing", "one", "everything", "nothing", "stack", *movable) or phrase.pronoun:
        return
    kinds = {context.state.objects[n] for n in candidates(replace(phrase, relatives=()), movable, context)}
    if kinds and not kinds & set(movable):
        raise CannotBe(f"the {phrase.noun} {_STATIC.format(' and '.join(f'{m}s' for m in movable))}")


def _of(context: Context, kinds: Iterable[str]) -> list[str]:
    wanted = set(kinds)
    return [n for n, kind in context.state.objects.items() if kind in wanted]


# ---- attachment: which phrases tell the theme apart and which say where it goes


def attached(group: Group, context: Context, *, wants_target: bool) -> tuple[PhraseList, list[Place], Place | None]:
    """(theme with its relatives, sources, target).

    The last place is the target. Places before it belong to the theme where they are true of some candidate (or
    it has no place otherwise), and to the target's noun phrase else: "the red block on the block in the drawer".
    """
    theme = group.theme
    places = list(group.places)
    sources = [p for p in places if p.prep in SOURCES]
    rest = [p for p in places if p.prep not in SOURCES and p.prep != "of"]
    of_stack = [p for p in places if p.prep == "of"]
    has_particle_target = any(p.kind == "direction" or p.value in ("there", "origin") for p in group.particles)
    target = rest.pop() if rest and wants_target and not has_particle_target else None
    inner: list[Relative] = []
    for place in [*of_stack, *rest]:
        relative = Relative(place.prep, place.phrases.phrases[0])
        if target is not None and place.prep != "of" and not _true_of_theme(theme, relative, context):
            inner.append(Relative(target.prep, target.phrases.phrases[0]))
            target = place if not inner[:-1] else target
            phrases = list(target.phrases.phrases)
            phrases[-1] = replace(phrases[-1], relatives=(*phrases[-1].relatives, *inner))
            target = Place(place.prep, PhraseList(tuple(phrases), target.phrases.any_of))
        else:
            theme = _with_relative(theme, relative)
    return theme, sources, target


def related(phrase: NounPhrase, place: Place) -> NounPhrase:
    """ "the block" + "on the pad"."""
    return replace(phrase, relatives=(*phrase.relatives, Relative(place.prep, place.phrases.phrases[0])))


def _with_relative(theme: PhraseList, relative: Relative) -> PhraseList:
    if not theme.phrases:
        return theme
    *others, last = theme.phrases
    return PhraseList((*others, replace(last, relatives=(*last.relatives, relative))), theme.any_of)


def _true_of_theme(theme: PhraseList, relative: Relative, context: Context) -> bool:
    if not theme.phrases or theme.phrases[-1].pronoun:
        return False
    return bool(candidates(_with_relative(theme, relative).phrases[-1], context.roles.movable, context))


def from_sources(theme: PhraseList, sources: Sequence[Place]) -> PhraseList:
    """ "everything from the drawer", "a block off the stack": a source tells apart what is not definite."""
    for source in sources:
        loose = [p for p in theme.phrases if not p.pronoun]
        if loose:
            theme = _with_relative(theme, Relative(source.prep, source.phrases.phrases[0]))
    return theme


# ---- put


def put(group: Group, context: Context, *, default: str = "") -> list[Option]:
    """ "put A in B", "put it back", "put A on the left". default: where to, when nothing is said."""
    theme, sources, target = attached(group, context, wants_target=True)
    direction = next((p.value for p in group.particles if p.kind == "direction"), "")
    if target is None and not direction and not sources and not group.said(*_TARGETS) and not default:
        who = " and ".join(described(p) for p in theme.phrases) or "it"
        raise NeedsAnswer(f"Where do you want '{who}' to go?", sorted(_of(context, context.roles.place)))
    selection = _moved(theme, sources, group, context)
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
    options = _placed(selection, target, context)
    if direction:
        if not all(lit.arguments[-1] == "table" for lit in options[0]):
            raise CannotBe("I can place something in a zone of the table, but not on one side of something else")
        options = [(*o, *(Literal("in_zone", (lit.arguments[0], direction)) for lit in o)) for o in options]
    return options


def _moved(theme: PhraseList, sources: Sequence[Place], group: Group, context: Context) -> Selection:
    """The theme; where it has sources they tell it apart, unless they are untrue of a definite theme."""
    try:
        return _mention(movables(from_sources(theme, sources), context, group.exceptions), context)
    except CannotBe:
        if not sources or any(p.plural or p.has("every", "all", "a", "any") for p in theme.phrases):
            raise
        return _mention(movables(theme, context, group.exceptions), context)


def _mention(selection: Selection, context: Context) -> Selection:
    context.mention(selection.first, selection.chosen, selection.every)
    return selection


def _mentioning(selection: Selection, options: list[Option], context: Context) -> list[Option]:
    """What was moved is what "it" means next, whatever places were spoken of since."""
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
        answer = context.ask("Where is 'there'?", sorted(_of(context, context.roles.place)))
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
                      sorted(_of(context, context.roles.place)))  # fmt: skip


def _placed(selection: Selection, target: Place, context: Context) -> list[Option]:
    """Every theme at the target: matching, one each, pairwise, all in one, or any distribution over several."""
    first = target.phrases.phrases[0]
    if target.prep not in _WHERE:
        raise NeedsAnswer(
            f"I can put a block in or on something, but not '{target.prep}' it; where else shall it go?",
            sorted(_of(context, context.roles.place)),
        )
    if first.matching or (first.has("its") and not target.phrases.phrases[1:]):
        return [tuple(match(name, first, context) for name in chosen) for chosen in selection.options]
    roles = _target_roles(target.prep, first, context)
    _refuse_target(target, roles, context)
    targets = resolve_list(target.phrases, roles, context)
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
                          sorted(_of(context, context.roles.place)))  # fmt: skip
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
        pool = _of(context, {context.state.objects[c] for c in chosen})
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


def match(name: str, target: NounPhrase, context: Context) -> Literal:
    """The bowl (pad) of the block's own colour."""
    plain = replace(target, matching=False, quantifiers=(), plural=True)
    kinds = context.roles.place
    pool = candidates(plain, kinds, context)
    fitting = [n for n in pool if colour_of(n) == colour_of(name) and n != name]
    if not fitting:
        noun = target.noun if target.noun not in ("", "one", "thing") else "place"
        raise CannotBe(f"there is no {colour_of(name)} {noun} for the {name}; there is {listing(sorted(pool))}"
                       if pool else f"there is no {noun} here to match the {name}")  # fmt: skip
    return place_literal(name, fitting[0], context)


def sort(group: Group, context: Context) -> list[Option]:
    """ "sort the blocks into the bowls of their colour", "sort everything by colour"."""
    theme, sources, target = attached(group, context, wants_target=True)
    if group.said("stacked"):
        from planner.grammar.towers import build

        return build([group], context)
    if not theme.phrases:
        theme = PhraseList((NounPhrase(noun="everything", plural=True),))
    single = target is not None and not target.phrases.phrases[0].matching and not group.said("by colour")
    if single and target is not None and not any(p.plural or p.has("its", "every") for p in target.phrases.phrases):
        return put(group, context)
    selection = _moved(theme, sources, group, context)
    if target is None:
        noun = _sorting_place(selection.first, context)
        phrase = NounPhrase(("the",), noun=noun, plural=True, matching=True)
    else:
        phrase = target.phrases.phrases[0]
    return [tuple(match(name, phrase, context) for name in chosen) for chosen in selection.options]


def _sorting_place(names: Sequence[str], context: Context) -> str:
    """Bowls where every block has one of its colour, else pads, else bowls (and say what is missing)."""
    for kind in (*context.roles.inside, *context.roles.surface):
        colours = {colour_of(n) for n in _of(context, (kind,))}
        if kind not in context.roles.movable and all(colour_of(n) in colours for n in names):
            return kind
    return context.roles.inside[0] if context.roles.inside else "place"


# ---- stacks


def tower(upwards: Sequence[str], base: str | None) -> Option:
    """The literals of one column, lowest first."""
    column = ([base] if base is not None else []) + list(upwards)
    return tuple(on(upper, lower) for lower, upper in itertools.pairwise(column))


def towers(names: Sequence[str], base: str | None, fixed: dict[int, str]) -> list[Option]:
    """All columns of `names`; fixed: index from the bottom → who must be there."""
    orders = (order for order in itertools.permutations(names) if all(order[i] == name for i, name in fixed.items()))
    return [tower(order, base) for order in itertools.islice(orders, MAX_OPTIONS)]


# ---- away from where it is


def remove(group: Group, context: Context) -> list[Option]:
    """ "take A off B", "remove everything from the drawer": onto the table, or where it is said to go."""
    if any(p.prep in ("in", "on", "to") for p in group.places) and any(p.prep in SOURCES for p in group.places):
        return put(group, context)
    theme, sources, _ = attached(group, context, wants_target=False)
    selection = _moved(theme, sources, group, context)
    options: list[Option] = []
    for chosen in selection.options:
        options.append(tuple(_removed(name, sources, context) for name in chosen))
    return _mentioning(selection, options, context)


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
            raise NeedsAnswer("Where shall everything on the table go?", sorted(_of(context, context.roles.inside)))
        else:
            literals.append(Literal("clear", (name,)))
    return [tuple(literals)]


def empty(group: Group, context: Context) -> list[Option]:
    """ "empty the red bowl (into the drawer)"."""
    selection = resolve_list(group.theme, context.roles.inside, context, group.exceptions)
    contents = [c for name in selection.first for c in context.state.resting.get(name, ())]
    if group.places and contents:
        moved = Selection((tuple(contents),))
        options = _placed(moved, group.places[-1], context)
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
        names = tuple(n for n in candidates(NounPhrase(noun="stack"), (), context))
        uppers = tuple(n for n in names if context.state.stack_height(n) > 1)
        if not uppers:
            raise CannotBe("nothing is stacked")
        context.mention(names)
        return [tuple(on(n, "table") for n in uppers)]
    if target is not None:
        return put(group, context)
    selection = _moved(theme, sources, group, context)
    return [
        tuple(on(n, "table") for n in chosen if context.state.objects.get(context.state.support.get(n, "")) == "block"
              or len(chosen) == 1)
        for chosen in selection.options
    ]  # fmt: skip


# ---- swaps


def swap(group: Group, context: Context) -> list[Option]:
    """ "swap A and B", "exchange A with B", "swap the contents of the red and the blue bowl"."""
    phrases = _exchanged(group)
    contents = any(p.has("contents") for p in phrases)
    if contents:
        inner = (p.relatives[0].noun_phrase if p.has("contents") else p for p in phrases)
        phrases = list(with_shared_noun(tuple(p for p in inner if p is not None)))
    inside = contents or (bool(phrases) and all(p.noun in context.roles.inside for p in phrases))
    roles = context.roles.inside if inside else context.roles.movable
    selection = resolve_list(PhraseList(with_shared_noun(tuple(phrases))), roles, context)
    if len(selection.first) != 2:
        raise NeedsAnswer("Which two shall I swap?", sorted(_of(context, context.roles.movable)))
    context.mention(selection.first)
    return [_swapped(*pair, context=context, contents=inside) for pair in selection.options]


def _exchanged(group: Group) -> list[NounPhrase]:
    """ "A with B" names two things, "the block on the pad" one."""
    phrases = list(group.themes)
    for place in group.places:
        if place.prep in ("with", "for", "to") or not phrases:
            phrases += place.phrases.phrases
        else:
            relative = Relative(place.prep, place.phrases.phrases[0])
            phrases[-1] = replace(phrases[-1], relatives=(*phrases[-1].relatives, relative))
            phrases += place.phrases.phrases[1:]
    return phrases


def _swapped(one: str, other: str, *, context: Context, contents: bool) -> Option:
    state = context.state
    if contents:
        crossing = {one: other, other: one}
        moved = tuple(
            Literal("in", (name, crossing[place])) for place in (one, other) for name in state.resting.get(place, ())
        )
        if not moved:
            raise CannotBe(f"the {one} and the {other} are both empty; there is nothing to swap")
        return moved
    exchange = {one: other, other: one}
    involved = [f for f in state.facts if f.predicate in ("on", "in", "in_zone") and set(f.arguments) & {one, other}]
    if unknown := sorted({one, other} & state.hidden):
        raise CannotBe(f"I do not know where {listing(unknown)} is, so I cannot swap places")
    swapped = [Literal(f.predicate, tuple(exchange.get(a, a) for a in f.arguments)) for f in sorted(involved)]
    if all(f in state.facts for f in swapped):
        raise NeedsAnswer(
            f"The {one} and the {other} both stand on the table; to which sides shall they go?", ("left", "right")
        )
    return tuple(swapped)
