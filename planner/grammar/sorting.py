""" "Sort the blocks by colour": every block to the bowl or pad of its colour.

Not for: "put each block in the bowl of its colour", which names its place (placing.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from planner.grammar.attachment import attached, what_moves
from planner.grammar.context import Context
from planner.grammar.errors import NeedsAnswer
from planner.grammar.grouping import Group, PhraseList
from planner.grammar.matching import match
from planner.grammar.options import Option, of_kinds
from planner.grammar.placing import put
from planner.grammar.references import colour_of
from planner.grammar.syntax import NounPhrase
from planner.grammar.towers import build


def sort(group: Group, context: Context) -> list[Option]:
    """ "sort the blocks into the bowls of their colour", "sort everything by colour"."""
    theme, sources, target = attached(group, context, wants_target=True)
    if group.said("stacked"):
        return build([group], context)
    if not theme.phrases:
        theme = PhraseList((NounPhrase(noun="everything", plural=True),))
    single = target is not None and not target.phrases.phrases[0].matching and not group.said("by colour")
    if single and target is not None and not any(p.plural or p.has("its", "every") for p in target.phrases.phrases):
        return put(group, context)
    selection = what_moves(theme, sources, group, context)
    if target is None:
        noun = _sorting_place(selection.first, context)
        phrase = NounPhrase(("the",), noun=noun, plural=True, matching=True)
    else:
        phrase = target.phrases.phrases[0]
    return [tuple(match(name, phrase, context) for name in chosen) for chosen in selection.options]


def tidy(group: Group, context: Context) -> list[Option]:
    """ "tidy up" alone says nothing of where things go."""
    if group.places or group.said("by colour", "stacked"):
        return sort(group, context)
    raise NeedsAnswer("Where shall things go?", ("sort the blocks by colour", "put every block in the drawer"))


def _sorting_place(names: Sequence[str], context: Context) -> str:
    """Bowls where every block has one of its colour, else pads, else bowls (and say what is missing)."""
    for kind in (*context.roles.inside, *context.roles.surface):
        colours = {colour_of(n) for n in of_kinds(context, (kind,))}
        if kind not in context.roles.movable and all(colour_of(n) in colours for n in names):
            return kind
    return context.roles.inside[0] if context.roles.inside else "place"
