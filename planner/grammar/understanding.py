"""An instruction and a scene → what is meant: a goal, what was spoken of, and a sentence that says so.

Walks the clauses in the order told, follows conditions and order, and asks where it cannot settle something.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from planner.grammar.conditions import Condition, condition_of
from planner.grammar.context import Context, Mention
from planner.grammar.errors import CannotBe, InstructionError, NeedsAnswer
from planner.grammar.feasibility import check
from planner.grammar.frames import done
from planner.grammar.keeping import leaves_alone
from planner.grammar.narrative import Alternative, Told, goal_of, positive
from planner.grammar.options import Option
from planner.grammar.questions import read_instruction
from planner.grammar.syntax import Clause, Imperative, NounPhrase, Particle, Statement, Step, Subordinate
from planner.grammar.telling import in_words
from skills.goal import Goal
from skills.library import SkillLibrary
from skills.symbolic_state import SymbolicState
from world_model.scene import Scene


@dataclass(frozen=True)
class Understood:
    """goal, the objects spoken of (most recent first), a sentence for the reader; assumed: name → category of
    objects that nobody has seen yet but the person counts on."""

    goal: Goal
    reasoning: str
    mentions: tuple[Mention, ...] = ()
    assumed: Mapping[str, str] = field(default_factory=dict)

    @property
    def focus(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for mention in self.mentions for name in mention.names))


def understand(
    instruction: str,
    scene: Scene,
    library: SkillLibrary,
    *,
    answers: Mapping[str, str] | None = None,
    mentions: Sequence[Mention] = (),
    earlier: Sequence[SymbolicState] = (),
) -> Understood:
    """Read an instruction in a scene.

    answers: question → answer of this dialogue. mentions: what earlier commands spoke of, most recent first.
    earlier: states before earlier commands, latest first. Raises InstructionError (no instruction), NeedsAnswer
    (a question to ask), CannotBe (understood and impossible).
    """
    known = dict(answers or {})
    try:
        return _understood(instruction, scene, library, known, mentions, earlier)
    except NeedsAnswer as question:
        if question.text not in known:
            raise
        reply = known.pop(question.text)
        return _with_reply(instruction, reply, question, scene, library, known, mentions, earlier)


def _with_reply(
    instruction: str,
    reply: str,
    question: NeedsAnswer,
    scene: Scene,
    library: SkillLibrary,
    answers: Mapping[str, str],
    mentions: Sequence[Mention],
    earlier: Sequence[SymbolicState],
) -> Understood:
    """An open question's answer says it anew, or says what was missing: "in the drawer", "the blue bowl"."""
    trouble: Exception | None = None
    for text in (reply, f"{instruction} {reply}", f"{instruction} to {reply}"):
        try:
            return understand(text, scene, library, answers=answers, mentions=mentions, earlier=earlier)
        except (InstructionError, NeedsAnswer, CannotBe) as error:
            trouble = error if isinstance(error, CannotBe) else trouble
    raise trouble or NeedsAnswer(f"'{reply}' does not tell me. {question.text}", question.choices)


def _understood(
    instruction: str,
    scene: Scene,
    library: SkillLibrary,
    answers: Mapping[str, str],
    mentions: Sequence[Mention],
    earlier: Sequence[SymbolicState],
) -> Understood:
    state = scene.symbolic()
    context = Context(scene, library, state, state, answers, list(mentions), tuple(earlier))
    sentences = read_instruction(instruction, context)
    reading = _Reading(context)
    for sentence in sentences:
        reading.read(sentence)
    goal = goal_of(reading.told, reading.untaken, context.start, commit=context.leans_on_choice)
    check(goal, context)
    return Understood(goal, in_words(goal, context.start), tuple(context.mentions), dict(context.assumed))


_AWAY = ("take", "remove", "empty", "clear", "unstack", "pick")


@dataclass(frozen=True)
class _Judged:
    """Conditions that hold together or not, as it was when they were spoken of."""

    conditions: tuple[Condition, ...]
    truth: bool

    def otherwise(self) -> _Judged:
        """The other side. Several conditions have no single literal for it."""
        flipped = (replace(c, negated=not c.negated) for c in self.conditions)
        return _Judged(tuple(flipped), not self.truth)


@dataclass
class _Run:
    """Steps joined by "and" that share leading subordinates."""

    conditions: list[_Judged] = field(default_factory=list)
    after: list[int] = field(default_factory=list)
    finally_: list[list[Option]] = field(default_factory=list)
    members: list[int] = field(default_factory=list)


class _Reading:
    """Walks sentences. told: clauses that apply, in order; untaken: what the other side of conditions asks for."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.told: list[Told] = []
        self.untaken: list[tuple[Alternative, Option]] = []
        self.group: list[int] = []  # clauses since the last "then"
        self.latest: _Judged | None = None
        self.verb = ""

    def read(self, steps: Sequence[Step]) -> None:
        run = _Run()
        previous: list[int] = []
        if steps[0].joined != "then":
            self.group = []
        self.context.protected = self._protected(steps)
        for step in _with_content(steps):
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

    # ---- subordinates

    def _lead(self, subordinate: Subordinate, run: _Run) -> None:
        context = self.context
        match subordinate.kind:
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
        self.latest = _Judged(tuple(conditions), all(self._truth(c) for c in conditions))
        return [self.latest]

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
                case "if" | "unless" | "when":
                    self._foreshadow(step.clause)
                    conditions += self._conditions(subordinate)
                case "after":
                    after += [self._tell(c, []) for c in subordinate.clauses]
                    self.group += after[-len(subordinate.clauses) :]
                case "before":
                    later += subordinate.clauses
                case "by" | "while":
                    self.group.append(self._tell(subordinate.clauses[0], after))
        index = self._conditional(step.clause, conditions, after)
        if index is not None:
            run.members.append(index)
            self.group.append(index)
            for clause in later:
                self.group.append(self._tell(clause, [index]))

    def _foreshadow(self, clause: Clause) -> None:
        """ "put A in B if it is on the table": what "it" is stands in the clause before, which is done after."""
        fork = _forked(self.context)
        with contextlib.suppress(NeedsAnswer, CannotBe):
            done(clause, fork)
            self.context.mentions = fork.mentions

    def _finish(self, run: _Run) -> None:
        for options in run.finally_:
            self.group.append(self._record(options, list(run.members), None, keeps=False))
        run.finally_ = []

    def _conditional(self, clause: Clause, conditions: list[_Judged], after: list[int]) -> int | None:
        if not conditions:
            return self._tell(clause, after)
        truth = all(judged.truth for judged in conditions)
        single = conditions[0].conditions if len(conditions) == 1 else ()
        literal = single[0].literal if len(single) == 1 else None
        agrees = literal is not None and self.context.start.holds(literal) is truth
        branch = Alternative(literal, True) if literal is not None and agrees else None
        if truth:
            return self._tell(clause, after, branch and positive(branch))
        if branch is not None:
            with contextlib.suppress(NeedsAnswer, CannotBe):
                options = done(clause, copy.copy(_forked(self.context)))
                self.untaken.append((positive(branch), options[0]))
        return None

    def _tell(self, clause: Clause, after: list[int], branch: Alternative | None = None) -> int:
        clause = self._completed(clause)
        options = done(clause, self.context)
        keeps = isinstance(clause, Imperative) and (clause.verb in ("keep", "touch", "wait") or clause.prohibited)
        index = self._record(options, after, branch, keeps=keeps)
        self.told[index].away = isinstance(clause, Imperative) and clause.verb in _AWAY
        return index

    def _completed(self, clause: Clause) -> Clause:
        """ "push it left, then right": what has no verb and names nothing goes on with the verb and thing before."""
        if isinstance(clause, Imperative):
            self.verb = clause.verb
        elif self.verb and isinstance(clause, Statement) and all(isinstance(p, Particle) for p in clause.subject):
            return Imperative(self.verb, (NounPhrase(pronoun="it"), *clause.subject))
        return clause

    def _record(self, options: list[Option], after: list[int], branch: Alternative | None, *, keeps: bool) -> int:
        self.told.append(Told(options, self.context.state, list(after), branch, keeps))
        self.context.tell(options[0])
        return len(self.told) - 1


def _with_content(steps: Sequence[Step]) -> Sequence[Step]:
    """Without headings: "tidy up: every block goes in the drawer"."""
    kept = [
        s for s in steps if not (isinstance(s.clause, Imperative) and s.clause.verb == "sort" and not s.clause.parts)
    ]
    return kept or steps


def _forked(context: Context) -> Context:
    fork = copy.copy(context)
    fork.mentions = list(context.mentions)
    fork.told = list(context.told)
    fork.spoken = set(context.spoken)
    return fork
