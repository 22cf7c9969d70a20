"""Walks the clauses of an instruction in the order told: conditions, order, what "otherwise" and "it" go on from.

Not for: what a clause asks for (frames.py) or the goal that comes of it (narrative.py).
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from planner.grammar.conditions import Condition, condition_of
from planner.grammar.context import Context
from planner.grammar.errors import REPHRASE, CannotBe, NeedsAnswer
from planner.grammar.frames import done
from planner.grammar.keeping import leaves_alone
from planner.grammar.narrative import Alternative, Told, positive
from planner.grammar.options import Option
from planner.grammar.syntax import (
    Check,
    Clause,
    Declared,
    Imperative,
    NounPhrase,
    Particle,
    PrepPhrase,
    Separator,
    Statement,
    Step,
    Subordinate,
)

_AWAY = ("take", "remove", "empty", "clear", "unstack", "pick")


@dataclass(frozen=True)
class _Judged:
    """Conditions that hold together or not, as it was when they were spoken of."""

    conditions: tuple[Condition, ...]
    truth: bool | None  # None: one condition that nobody can tell before a look

    def otherwise(self) -> _Judged:
        """The other side. Several conditions have no single literal for it."""
        flipped = (replace(c, negated=not c.negated) for c in self.conditions)
        return _Judged(tuple(flipped), None if self.truth is None else not self.truth)


@dataclass
class _Run:
    """Steps joined by "and" that share leading subordinates."""

    conditions: list[_Judged] = field(default_factory=list)
    after: list[int] = field(default_factory=list)
    finally_: list[list[Option]] = field(default_factory=list)
    members: list[int] = field(default_factory=list)


class Reading:
    """Walks sentences. told: clauses that apply, in order; untaken: what the other side of conditions asks for."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.told: list[Told] = []
        self.untaken: list[tuple[Alternative, Option]] = []
        self.group: list[int] = []  # clauses since the last "then"
        self.latest: _Judged | None = None
        self.verb = ""
        self.before: Clause | None = None

    def read(self, steps: Sequence[Step]) -> None:
        run = _Run()
        previous: list[int] = []
        if steps[0].joined != "then":
            self.group = []
        self.context.protected = self._protected(steps)
        for step in self._with_content(steps):
            if step.joined == "then" or step.otherwise:
                self._finish(run)
                if step.joined == "then" and not step.otherwise:
                    previous, self.group = self.group or previous, []
                run = _Run()
            leads = [s for s in step.subordinates if s.leads]
            if leads:
                self._finish(run)
                run = _Run()
            for subordinate in leads:
                self._lead(subordinate, run)
            if step.otherwise:
                run.conditions = [self._otherwise()]
            if step.joined == "colon" and isinstance(step.clause, Statement) and _names_only(step.clause):
                raise NeedsAnswer(f"I do not understand what is listed after the colon. {REPHRASE}")
            self._step(step, run, previous)
        self._finish(run)

    def _protected(self, steps: Sequence[Step]) -> frozenset[str]:
        """What a sentence says to leave alone; resolved beforehand, for "every block" is said before it."""
        clauses = [s.clause for s in steps] + [c for s in steps for sub in s.subordinates for c in sub.clauses]
        names: set[str] = set()
        for clause in clauses:
            if isinstance(clause, Imperative) and leaves_alone(clause):
                with contextlib.suppress(NeedsAnswer, CannotBe):
                    options = done(clause, _forked(self.context))
                    names |= {lit.arguments[0] for lit in options[0] if lit.predicate in ("on", "in")}
        return frozenset(names)

    def _with_content(self, steps: Sequence[Step]) -> list[Step]:
        """Without headings: "tidy up: every block goes in the drawer", "two towers: red on green, blue on yellow"."""
        kept = []
        for step, following in zip(steps, (*steps[1:], None), strict=True):
            heads = following is not None and following.joined in ("colon", "and") and _may_head(step.clause)
            if heads and following is not None and (following.joined == "colon" or _tidies(step.clause)):
                try:
                    done(step.clause, _forked(self.context))
                except (NeedsAnswer, CannotBe):
                    continue
                if _tidies(step.clause):
                    continue
            kept.append(step)
        return kept

    # ---- subordinates

    def _lead(self, subordinate: Subordinate, run: _Run) -> None:
        context = self.context
        match subordinate.kind:
            case "so":
                if self.latest is None:
                    raise NeedsAnswer("If what is so? Please say it with 'if …, …'.")
                run.conditions += [self.latest]
            case "if" | "unless":
                run.conditions += self._conditions(subordinate)
            case "when":
                if not self._is_told(subordinate):
                    run.conditions += self._conditions(subordinate)
            case "after":
                for clause in subordinate.clauses:
                    run.after.append(self._tell(clause, []))
                self.group += run.after
            case "while":
                for clause in subordinate.clauses:
                    self._tell(clause, [])
            case "before":
                run.finally_ += [done(clause, context) for clause in subordinate.clauses]

    def _conditions(self, subordinate: Subordinate) -> list[_Judged]:
        conditions = condition_of(subordinate.clauses, self.context, negated=subordinate.kind == "unless")
        before = self.latest
        if before is not None and len(conditions) == len(before.conditions) == 1 and _opposites(conditions[0], before):
            return [self._otherwise()]  # "if it is on, …; if it is off, …": as it was when first asked
        self.latest = self._judged(conditions)
        return [self.latest]

    def _judged(self, conditions: list[Condition]) -> _Judged:
        truths = [c.holds(self.context) for c in conditions]
        literal = conditions[0].literal
        if truths == [None] and literal is not None and "*" not in literal.arguments:
            return _Judged(tuple(conditions), None)  # the goal branches on it: looking will tell
        return _Judged(tuple(conditions), all(self._truth(c) for c in conditions))

    def _is_told(self, subordinate: Subordinate) -> bool:
        """ "when the drawer is open" after "open the drawer" is no condition."""
        if any(isinstance(c, Imperative) for c in subordinate.clauses):
            for clause in subordinate.clauses:
                self.group.append(self._tell(clause, []))
            return True
        conditions = condition_of(subordinate.clauses, self.context)
        return any(c.holds(self.context) for c in conditions) and not all(
            c.literal is not None and self.context.start.holds(c.literal) for c in conditions
        )

    def _otherwise(self) -> _Judged:
        if self.latest is None:
            raise NeedsAnswer("Otherwise than what? Please say it with 'if …, otherwise …'.")
        self.latest = self.latest.otherwise()
        return self.latest

    def _truth(self, condition: Condition) -> bool:
        truth = condition.holds(self.context)
        if truth is None:
            literal = condition.literal
            what = str(literal) if literal is not None else "that"
            return self.context.confirm(f"I cannot see whether {what} holds. Does it?")
        return truth

    # ---- steps

    def _step(self, step: Step, run: _Run, previous: list[int]) -> None:
        conditions = list(run.conditions)
        after = [*previous, *run.after]
        later: list[Clause] = []
        for subordinate in (s for s in step.subordinates if not s.leads):
            match subordinate.kind:
                case "until":
                    step, run_after = self._until(step, subordinate)
                    after += run_after
                case "if" | "unless" | "when":
                    self._foreshadow(step.clause)
                    conditions += self._conditions(subordinate)
                case "after":
                    self._foreshadow(step.clause)
                    after += [self._tell(c, []) for c in subordinate.clauses]
                    self.group += after[-len(subordinate.clauses) :]
                case "before":
                    later += subordinate.clauses
                case "by" | "while":
                    self._foreshadow(step.clause)
                    self.group.append(self._tell(subordinate.clauses[0], after))
        index = self._conditional(step.clause, conditions, after)
        if index is not None:
            run.members.append(index)
            self.group.append(index)
            for clause in later:
                self.group.append(self._tell(clause, [index]))

    def _until(self, step: Step, subordinate: Subordinate) -> tuple[Step, list[int]]:
        """ "do not A until B": B, then A. "wait until B": B."""
        clause = step.clause
        if not isinstance(clause, Imperative) or not (clause.prohibited or clause.verb == "wait"):
            raise NeedsAnswer("I cannot do something until something else happens. Please say it in other words.")
        told = [self._tell(c, []) for c in subordinate.clauses]
        self.group += told
        return replace(step, clause=replace(clause, prohibited=False)), told

    def _foreshadow(self, clause: Clause) -> None:
        """ "put A in B if it is on the table": what "it" is stands in the clause before, which is done after."""
        fork = _forked(self.context)
        with contextlib.suppress(NeedsAnswer, CannotBe):
            done(clause, fork)
            for name in set(fork.state.objects) - set(self.context.state.objects):
                self.context.assume(name, fork.state.objects[name])
            self.context.mentions = fork.mentions

    def _finish(self, run: _Run) -> None:
        for options in run.finally_:
            self.group.append(self._record(options, list(run.members), None, keeps=False))
        run.finally_ = []

    def _conditional(self, clause: Clause, conditions: list[_Judged], after: list[int]) -> int | None:
        if not conditions:
            return self._tell(clause, after)
        truths = [judged.truth for judged in conditions]
        if None in truths and False not in truths:
            self._either_way(clause, conditions)
            return None
        truth = all(truths)
        single = conditions[0].conditions if len(conditions) == 1 else ()
        literal = single[0].literal if len(single) == 1 else None
        agrees = literal is not None and self.context.start.holds(literal) is truth
        branch = Alternative(literal, True) if literal is not None and agrees else None
        if truth:
            return self._tell(clause, after, branch and positive(branch))
        self._foreshadow(clause)
        self._completed(clause)
        if branch is not None:
            with contextlib.suppress(NeedsAnswer, CannotBe):
                options = done(clause, copy.copy(_forked(self.context)))
                self.untaken.append((positive(branch), options[0]))
        return None

    def _either_way(self, clause: Clause, conditions: list[_Judged]) -> None:
        """What hangs on a condition that only a look will decide is asked for on its side of a branch."""
        undecided = [j for j in conditions if j.truth is None]
        literal = undecided[0].conditions[0].literal if len(undecided) == 1 else None
        if literal is None:
            raise NeedsAnswer("That hangs on two things I cannot see; please ask for one after the other.")
        clause = self._completed(clause)
        options = done(clause, self.context)
        self.untaken.append((positive(Alternative(literal, True)), options[0]))
        if len(options) > 1:
            self.context.leans_on_choice = True

    def _tell(self, clause: Clause, after: list[int], branch: Alternative | None = None) -> int:
        clause = self._completed(clause)
        if isinstance(clause, Check):
            self.latest = self._judged(condition_of(clause.statements, self.context))
        options = done(clause, self.context)
        keeps = isinstance(clause, Check | Declared) or (
            isinstance(clause, Imperative) and (clause.verb in ("keep", "touch", "wait") or clause.prohibited)
        )
        index = self._record(options, after, branch, keeps=keeps)
        self.told[index].away = isinstance(clause, Imperative) and clause.verb in _AWAY
        return index

    def _completed(self, clause: Clause) -> Clause:
        """ "push it left, then right": what has no verb and names nothing goes on with the verb and thing before."""
        if isinstance(clause, Statement) and _names_only(clause) and self.before is not None:
            clause = _instead(self.before, clause)
        self.before = clause
        if isinstance(clause, Imperative):
            self.verb = clause.verb
        elif self.verb and isinstance(clause, Statement) and _elliptic(clause):
            return Imperative(self.verb, (NounPhrase(pronoun="it"), *clause.subject))
        return clause

    def _record(self, options: list[Option], after: list[int], branch: Alternative | None, *, keeps: bool) -> int:
        self.told.append(Told(options, self.context.state, list(after), branch, keeps))
        self.context.tell(options[0])
        return len(self.told) - 1


def _elliptic(clause: Statement) -> bool:
    """ "otherwise on the blue pad": only a place."""
    return bool(clause.subject) and all(isinstance(p, Particle | PrepPhrase | Separator) for p in clause.subject)


def _names_only(clause: Statement) -> bool:
    return clause.kind == "bare" and all(isinstance(p, NounPhrase | Separator) for p in clause.subject)


def _instead(before: Clause, names: Statement) -> Clause:
    """ "the yellow block goes into the drawer, then the red one": the same of other things."""
    match before:
        case Statement(kind="copula", predicate=predicate):
            return Statement(names.subject, predicate)
        case Imperative(verb, parts) if verb not in ("pile", "stack") and any(
            isinstance(p, PrepPhrase | Particle) for p in parts
        ):
            rest = tuple(p for p in parts if isinstance(p, PrepPhrase | Particle))
            return Imperative(verb, (*names.subject, *rest))
        case _:
            return names


def _opposites(condition: Condition, before: _Judged) -> bool:
    literal, other = condition.literal, before.conditions[0].literal
    if literal is None or other is None:
        return False
    one, two = positive(Alternative(literal, True)), positive(Alternative(other, True))
    return one.condition == two.condition and one.side != two.side


def _tidies(clause: Clause) -> bool:
    return isinstance(clause, Imperative) and clause.verb in ("sort", "tidy") and not clause.parts


def _may_head(clause: Clause) -> bool:
    """What asks for nothing of its own before a colon: a tidying, a clearing, a tower."""
    if isinstance(clause, Imperative):
        return clause.verb in ("sort", "tidy", "clear", "pile", "stack", "put", "have", "swap")
    return isinstance(clause, Statement) and any(
        isinstance(p, NounPhrase) and p.noun == "stack" for p in clause.subject
    )


def _forked(context: Context) -> Context:
    fork = copy.copy(context)
    fork.mentions = list(context.mentions)
    fork.told = list(context.told)
    fork.spoken = set(context.spoken)
    return fork
