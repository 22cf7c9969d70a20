"""Parts of a clause → groups: who, where to, how; several where one verb is shared ("put A in B and C on D").

Not for: which object a phrase means (references.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from planner.grammar.syntax import Exception_, NounPhrase, Part, Particle, PrepPhrase, Separator


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

    @property
    def theme(self) -> PhraseList:
        return PhraseList(with_shared_noun(tuple(self.themes)), self.any_of)

    def said(self, *values: str) -> bool:
        return any(p.value in values for p in self.particles)

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
            case Exception_(phrase):
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
    if isinstance(last, Exception_) and pending is not None:
        group.exceptions.append(phrase)
    elif pending is None or not group.has_target:
        group.themes.append(phrase)
        group.any_of |= either
    elif _target_follows(rest) or not isinstance(last, PrepPhrase | NounPhrase) or not group.places:
        group = Group([phrase])
        groups.append(group)
    else:
        place = group.places[-1]
        listed = PhraseList((*place.phrases.phrases, phrase), place.phrases.any_of or either)
        group.places[-1] = Place(place.prep, listed)
    return group


def _target_follows(rest: tuple[Part, ...]) -> bool:
    for part in rest:
        if isinstance(part, PrepPhrase | Particle):
            return True
        if isinstance(part, Exception_):
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
