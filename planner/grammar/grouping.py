"""Parts of a clause → groups: who, where to, how; several where one verb is shared ("put A in B and C on D").

Not for: which object a phrase means (references.py).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace

from planner.grammar.syntax import Leaving, NounPhrase, Part, Particle, PrepPhrase, Separator


@dataclass(frozen=True)
class PhraseList:
    """Coordinated noun phrases: "the red and the blue block"; `any_of`: joined by "or"."""

    phrases: tuple[NounPhrase, ...]
    any_of: bool = False


@dataclass(frozen=True)
class Place:
    """A prepositional phrase whose noun phrase may be coordinated."""

    prep: str
    phrases: PhraseList


@dataclass
class Group:
    """themes: noun phrases of their own; places and particles in the order said."""

    themes: list[NounPhrase] = field(default_factory=list)
    any_of: bool = False
    exceptions: list[NounPhrase] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    particles: list[Particle] = field(default_factory=list)
    order: list[Part | Place] = field(default_factory=list)
    joined: str = ""  # the separator before it

    @property
    def theme(self) -> PhraseList:
        return PhraseList(with_shared_noun(tuple(self.themes)), self.any_of)

    def said(self, *values: str) -> bool:
        """Whether one of these particles or states was said; directions do not count ("to the back" is not "back")."""
        return any(p.value in values for p in self.particles if p.kind != "direction")

    @property
    def has_target(self) -> bool:
        return bool(self.places or self.particles)


def groups_of(parts: tuple[Part, ...]) -> list[Group]:
    """Split the flat parts of a clause. A noun phrase after "and" starts a new group where a place follows it."""
    groups = [Group()]
    pending: Separator | None = None
    last: Part | None = None
    for index, part in enumerate(parts):
        group = groups[-1]
        match part:
            case Separator():
                pending = part
                continue
            case Leaving(phrase):
                group.exceptions.append(phrase)
            case NounPhrase():
                group = _take_phrase(part, group, groups, pending, last, parts[index + 1 :])
            case PrepPhrase(prep, phrase):
                group.places.append(Place(prep, PhraseList((phrase,))))
            case Particle():
                group.particles.append(part)
        pending, last = None, part
    return groups


def _take_phrase(
    phrase: NounPhrase,
    group: Group,
    groups: list[Group],
    pending: Separator | None,
    last: Part | None,
    rest: tuple[Part, ...],
) -> Group:
    either = pending is not None and pending.value == "or"
    if isinstance(last, Leaving) and pending is not None:
        group.exceptions.append(phrase)
    elif pending is None or not group.has_target:
        group.themes.append(phrase)
        group.any_of |= either
    elif isinstance(last, PrepPhrase | NounPhrase) and group.places and group.places[-1].prep in ("of", "from"):
        _extend(group, phrase, either)
    elif _target_follows(rest) or not isinstance(last, PrepPhrase | NounPhrase) or not group.places:
        group = Group([phrase], joined="" if pending is None else pending.value)
        groups.append(group)
    elif _more_of_the_same(phrase, rest, group):
        group.themes.append(phrase)
    else:
        _extend(group, phrase, either)
    return group


def _extend(group: Group, phrase: NounPhrase, either: bool) -> None:
    """ "in the red bowl and the blue bowl"."""
    place = group.places[-1]
    listed = PhraseList((*place.phrases.phrases, phrase), place.phrases.any_of or either)
    group.places[-1] = Place(place.prep, listed)


def _more_of_the_same(phrase: NounPhrase, rest: tuple[Part, ...], group: Group) -> bool:
    """ "put the red block in the drawer and the green one": more to move, rather than more places to go."""
    run = [phrase, *itertools.takewhile(lambda p: isinstance(p, NounPhrase | Separator), rest)]
    noun = next((p.noun for p in reversed(run) if isinstance(p, NounPhrase) and p.noun), "")
    theme = next((p.noun for p in reversed(group.themes) if p.noun), "")
    place = next((p.noun for p in reversed(group.places[-1].phrases.phrases) if p.noun), "")
    return bool(group.themes) and noun in (theme, "one") and place not in ("", noun)


_MANNER = ("in order", "individually", "upwards", "downwards", "together", "by colour")


def _target_follows(rest: tuple[Part, ...]) -> bool:
    for part in rest:
        if isinstance(part, PrepPhrase) or (isinstance(part, Particle) and part.value not in _MANNER):
            return True
        if isinstance(part, Leaving):
            return False
    return False


def with_shared_noun(phrases: tuple[NounPhrase, ...]) -> tuple[NounPhrase, ...]:
    """ "the red and the blue block": a phrase without noun takes that of the next one that has one, else the last."""
    nouns = [p.noun for p in phrases]
    shared = []
    for index, phrase in enumerate(phrases):
        if phrase.noun or phrase.pronoun:
            shared.append(phrase)
            continue
        noun = next((n for n in nouns[index:] if n and n != "one"), "") or next((n for n in reversed(nouns) if n), "")
        shared.append(replace(phrase, noun=noun))
    return tuple(shared)


def sharing_nouns(groups: list[Group]) -> list[Group]:
    """In "put A in B and C in D" the second group borrows the noun of the first where it has none."""
    for before, after in itertools.pairwise(groups):
        nouns = [p.noun for p in before.themes if p.noun]
        if nouns:
            after.themes = [replace(p, noun=nouns[-1]) if _nounless(p) else p for p in after.themes]
        if (
            after.themes and not after.has_target and before.themes and "and" in after.joined
        ):  # "A must be empty and B, too"
            after.places, after.particles = list(before.places), list(before.particles)
    return groups


def _nounless(phrase: NounPhrase) -> bool:
    return phrase.noun in ("", "one") and not phrase.pronoun and bool(phrase.colours or phrase.quantifiers)
