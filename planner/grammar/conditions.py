"""Facts asked about ("if the drawer is open") → a literal, or several, with their truth as far as known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from planner.grammar.absence import says_no
from planner.grammar.context import Context
from planner.grammar.devices import device_of, state_said
from planner.grammar.errors import CannotBe, NeedsAnswer
from planner.grammar.grouping import Group, groups_of
from planner.grammar.options import place_literal
from planner.grammar.references import resolve_list
from planner.grammar.statements import stated
from planner.grammar.syntax import Clause, Imperative, Statement
from skills.literals import Literal


@dataclass(frozen=True)
class Condition:
    """any_of sets of literals, of which one must hold; negated as a whole."""

    any_of: tuple[tuple[Literal, ...], ...]
    negated: bool = False

    @property
    def literal(self) -> Literal | None:
        """The one literal that says it all, if there is one."""
        if len(self.any_of) == 1 and len(self.any_of[0]) == 1:
            (literal,) = self.any_of[0]
            return literal.negate() if self.negated else literal
        return None

    def holds(self, context: Context) -> bool | None:
        """In the state as told so far; None where nobody can tell yet."""
        truths = [_all(_truth(lit, context) for lit in literals) for literals in self.any_of]
        truth = True if any(t is True for t in truths) else None if None in truths else False
        return truth if truth is None or not self.negated else not truth


def _truth(literal: Literal, context: Context) -> bool | None:
    truth = context.state.holds(literal)
    unseen = "*" in literal.arguments and literal.arguments[-1] in context.scene.unexplored
    return None if unseen and truth is literal.negated else truth


def _all(truths: object) -> bool | None:
    values = list(truths)  # type: ignore[call-overload]
    return False if any(v is False for v in values) else None if None in values else True


def condition_of(clauses: Sequence[Clause], context: Context, *, negated: bool = False) -> list[Condition]:
    """The conditions that must all hold. Raises NeedsAnswer where a clause states nothing."""
    found = []
    for clause in clauses:
        if isinstance(clause, Imperative) or not isinstance(clause, Statement):
            raise NeedsAnswer("I can check how things are, but not that. What shall hold?")
        condition = _condition(clause, context)
        found.append(replace(condition, negated=condition.negated != negated))
    return found


def _condition(statement: Statement, context: Context) -> Condition:
    if statement.kind == "contains":
        (container,), (content,) = groups_of(statement.subject), groups_of(statement.predicate)
        names = resolve_list(container.theme, context.roles.inside, context).first
        condition = _presence(content, names, context)
        context.mention(names)
        return condition
    merged = groups_of((*statement.subject, *statement.predicate))
    group = merged[0]
    if device_of(group, context) and state_said(group):
        return Condition(_options(statement, context), statement.negated)
    if group.said("empty"):
        names = resolve_list(group.theme, context.roles.inside, context).first
        context.mention(names)
        return Condition((tuple(Literal("in", ("*", n), negated=True) for n in names),), statement.negated)
    if group.places and _indefinite(group):
        targets = resolve_list(group.places[-1].phrases, context.roles.place, context).first
        context.mention(targets)
        condition = _presence(group, targets, context)
        return replace(condition, negated=condition.negated != statement.negated)
    return Condition(_options(replace(statement, negated=False), context), statement.negated)


def _options(statement: Statement, context: Context) -> tuple[tuple[Literal, ...], ...]:
    return tuple(stated(replace(statement, negated=False), context))


def _indefinite(group: Group) -> bool:
    return says_no(group) or (any(
        p.has("a", "any", "some") or p.noun in ("everything", "thing") for p in group.themes
    ) and not any(p.has("every", "all", "the") for p in group.themes))  # fmt: skip


def _presence(content: Group, targets: Sequence[str], context: Context) -> Condition:
    """ "a block is in the bowl", "nothing is in the drawer", "there is something on the pad"."""
    phrase = content.themes[0]
    if not (phrase.has("a", "any", "some", "no") or phrase.noun in ("nothing", "everything", "thing")):
        names = resolve_list(content.theme, context.roles.movable, context).first
        context.mention(names)
        return Condition((tuple(place_literal(n, targets[0], context) for n in names),))
    negated = phrase.noun == "nothing" or phrase.has("no")
    plain = not (phrase.colours or phrase.relatives or phrase.not_colours)
    if plain:
        inside = [n for n in context.state.objects if context.state.support.get(n) in targets]
        context.mention(inside)
        return Condition(tuple((place_literal("*", t, context),) for t in targets), negated)
    every = tuple(replace(p, quantifiers=("all",), plural=True) for p in content.themes)
    try:
        names = resolve_list(replace(content.theme, phrases=every), context.roles.movable, context).first
    except CannotBe:
        names = ()
    context.mention([n for n in names if context.state.support.get(n) in targets])
    return Condition(tuple((place_literal(n, t, context),) for n in names for t in targets), negated)
