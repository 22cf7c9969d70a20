"""Pronouns: "it", "them", "both of them" → what was spoken of.

Not for: phrases that describe what they mean (references.py).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

from planner.grammar.choosing import Fits, Selection, ask_which, best_first, choose_any
from planner.grammar.context import Context
from planner.grammar.errors import REPHRASE, NeedsAnswer
from planner.grammar.syntax import NounPhrase


def looked_back(phrase: NounPhrase, roles: tuple[str, ...], context: Context, fits: Fits) -> Selection:
    """ "it" is the last single object that fits the role, "them" the last several."""
    state = context.state
    mentioned = [
        (m, tuple(n for n in m.names if n in state.objects and state.objects[n] in roles)) for m in context.mentions
    ]
    mentioned = [(m, names) for m, names in mentioned if names]
    several = phrase.pronoun == "them" or phrase.has("both", "every", "all") or (phrase.number or 1) > 1
    if phrase.pronoun in ("former", "latter"):
        pair = next((names for _, names in mentioned if len(names) > 1), None)
        if pair is None:
            raise NeedsAnswer(f"I do not know what 'the {phrase.pronoun}' is. {REPHRASE}")
        return Selection(((pair[0] if phrase.pronoun == "former" else pair[-1],),))
    if several:
        return _several(phrase, [names for _, names in mentioned], roles, context, fits)
    if mentioned and mentioned[0][0].each and phrase.pronoun == "it":
        return Selection((mentioned[0][1],), every=True)
    single = next(((m, names) for m, names in mentioned if len(names) == 1), None)
    if single is not None:
        context.leans_on_choice |= single[0].chosen
        return Selection((single[1],))
    if state.held is not None and state.objects.get(state.held) in roles:
        return Selection(((state.held,),))
    only = [n for n, kind in state.objects.items() if kind in roles]
    if len(only) == 1:
        return Selection((tuple(only),))
    return ask_which(
        replace(phrase, plural=False), best_first(mentioned[0][1] if mentioned else only, state), context, 1, fits
    )


def _several(
    phrase: NounPhrase, sets: Sequence[tuple[str, ...]], roles: tuple[str, ...], context: Context, fits: Fits
) -> Selection:
    wanted = 2 if phrase.has("both") else phrase.number
    group = next((s for s in sets if len(s) > 1), None)
    if group is None or (wanted is not None and len(group) < wanted):
        joined = tuple(dict.fromkeys(itertools.chain.from_iterable(sets)))
        group = joined[: wanted or len(joined)] if len(joined) > 1 else None
    if group is None:
        everything = [n for n, kind in context.state.objects.items() if kind in roles]
        return ask_which(replace(phrase, plural=True), everything, context, wanted or 2, fits)
    if wanted is not None and wanted < len(group):
        return choose_any(group, wanted)
    if phrase.has("one", "any"):
        return choose_any(group, 1)
    return Selection((group,), every=True)
