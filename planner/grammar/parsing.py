"""Words → sentences of steps, by lark's Earley parser: clauses and how they are joined.

Not for: noun phrases and other parts of a clause (phrases.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput
from lark.lexer import Lexer

from planner.grammar.phrases import Node, read_parts, span_of
from planner.grammar.syntax import (
    Check,
    Clause,
    Declared,
    Ensure,
    Imperative,
    NounPhrase,
    ParseFailure,
    Part,
    Particle,
    PrepPhrase,
    Separator,
    Statement,
    Step,
    Subordinate,
)
from planner.grammar.words import Words

GRAMMAR = Path(__file__).with_name("instruction.lark")


class _GivenTokens(Lexer):
    """Passes tokens that were read beforehand."""

    __future_interface__ = 2

    def __init__(self, _: Any) -> None: ...

    def lex(self, lexer_state: Any, _: Any) -> Iterator[Token]:
        return iter(lexer_state.text)


@cache
def _parser() -> Lark:
    return Lark(
        GRAMMAR.read_text("utf-8"),
        parser="earley",
        lexer=_GivenTokens,
        start=["start", "parts"],
        maybe_placeholders=False,
        propagate_positions=True,
    )


def parse_instruction(words: Words) -> tuple[tuple[Step, ...], ...]:
    """Sentences of steps. Raises ParseFailure."""
    told: list[tuple[Step, ...]] = []
    for tokens in _sentences(words):
        (child,) = _parse(tokens, "start", words).children
        steps = _sentence(child, words)
        if told and steps[0].joined == "earlier":  # ". Before that, open the drawer"
            steps = (*told.pop(), *steps)
        told.append(_in_time(steps))
    return tuple(told)


def _in_time(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """ "A, but first B" is B, then A."""
    ordered: list[Step] = []
    for step in steps:
        if step.joined == "earlier" and ordered:
            late = ordered.pop()
            ordered += [replace(step, joined=late.joined), replace(late, joined="then")]
        else:
            ordered.append(step)
    return tuple(ordered)


def parse_parts(words: Words) -> tuple[Part, ...]:
    """A fragment such as an answer: "the red one". Raises ParseFailure."""
    return read_parts(_parse(words.tokens, "parts", words), words)


def _sentences(words: Words) -> list[tuple[Token, ...]]:
    """Parsed one by one, which takes a fraction of the time. Raises ParseFailure where there is none."""
    ends = [i for i, token in enumerate(words.tokens) if token.type == "_STOP"]
    bounds = zip((-1, *ends), (*ends, len(words.tokens)), strict=True)
    found = [words.tokens[start + 1 : end] for start, end in bounds if end > start + 1]
    if not found:
        raise ParseFailure(0)
    return found


def _parse(tokens: tuple[Token, ...], start: str, words: Words) -> Node:
    if not tokens:
        raise ParseFailure(0)
    try:
        return _parser().parse(tokens, start=start)
    except UnexpectedInput as error:
        token = getattr(error, "token", None)
        expected = frozenset(getattr(error, "accepts", None) or getattr(error, "expected", ()) or ())
        if token is None or token.type == "$END" or token.start_pos is None:
            raise ParseFailure(tokens[-1].end_pos or len(words.written), expected) from None
        raise ParseFailure(token.start_pos, expected) from None


def _sentence(tree: Node, words: Words) -> tuple[Step, ...]:
    steps: list[Step] = []
    joined = "start"
    for child in tree.children:
        if child.data == "late":
            steps[-1] = replace(steps[-1], joined="then" if "THEN" in _terminals(child) else "earlier")
        elif child.data in ("opening", "join", "then_join", "item", "so_that"):
            joined = _joined(child, joined)
        else:
            step, *items = _itemised_steps(child, joined, words)
            if joined == "colon" and steps and (built := _told_tower(steps[-1].clause, step.clause)) is not None:
                steps[-1] = replace(steps[-1], clause=built)
                continue
            if joined == "colon" and steps and (put := _assigned(steps[-1].clause, step.clause)) is not None:
                steps[-1] = replace(steps[-1], clause=put)
                continue
            if joined == "then" and steps and (longer := _taller(steps[-1].clause, step.clause)) is not None:
                steps[-1] = replace(steps[-1], clause=longer)
            else:
                steps += [step, *items]
    return tuple(steps)


def _joined(tree: Node, before: str) -> str:
    """How a step hangs on the one before; "first" at the very beginning of a join belongs to what was said."""
    terminals = [t.type for t in tree.scan_values(lambda v: isinstance(v, Token))]
    if "THEN" in terminals:
        return "then"
    if "BEFOREHAND" in terminals or ("FIRST" in terminals[1:] and tree.data == "join" and "COLON" not in terminals):
        return "earlier"
    if tree.data == "opening":
        return before
    return "colon" if {"COLON", "SOTHAT"} & set(terminals) else "and"


def _assigned(thing: Clause, place: Clause) -> Imperative | None:
    """ "red block: green bowl"."""
    match thing, place:
        case Statement((NounPhrase() as who,), kind="bare"), Statement((NounPhrase() as where,), kind="bare"):
            return None if who.noun == "stack" else Imperative("put", (who, PrepPhrase("to", where)))
        case _:
            return None


def _told_tower(heading: Clause, listed: Clause) -> Imperative | None:
    """ "I need a tower on the red pad: green below, yellow above"."""
    match heading, listed:
        case Statement((NounPhrase(noun="stack", plural=False), *_) as parts, kind="bare"), Statement(
            items, kind="bare"
        ):
            if any(isinstance(p, PrepPhrase) for p in items):
                return None
            return Imperative("pile", (*parts, Separator(":"), *items))
        case _:
            return None


def _itemised_steps(tree: Node, joined: str, words: Words) -> list[Step]:
    """ "clear the table: all blocks into the drawer" is a heading and what it comes to; a tower is one list."""
    listed = next((c for c in tree.children if isinstance(c, Tree) and c.data == "itemised"), None)
    if tree.data != "step" or listed is None or _verb(listed.children[0].children[0]) in ("pile", "stack", "swap"):
        return [_step(tree, joined, words)]
    heading = Imperative(_verb(listed.children[0].children[0]), read_parts(listed.children[1], words))
    leads = tuple(_subordinate(c, words) for c in tree.children if c.data == "lead")
    steps = [Step(heading, joined, subordinates=leads)]
    following = "colon"
    for child in (c for c in listed.children[2:] if isinstance(c, Tree)):
        if child.data == "then_join":
            following = "then"
        else:
            steps.append(Step(Statement(read_parts(child, words), kind="bare"), following))
    return steps


def _taller(tower: Clause, more: Clause) -> Imperative | None:
    """ "a tower with red at the bottom, then green, then blue on top" goes on with the same tower."""
    if not (isinstance(tower, Imperative) and tower.verb in ("pile", "stack") and isinstance(more, Statement)):
        return None
    places = [p for p in more.subject if isinstance(p, PrepPhrase) and not p.noun_phrase.pronoun]
    if more.kind != "bare" or places:
        return None
    upwards = Particle("particle", "upwards")
    kept = tuple(p for p in tower.parts if p != upwards)
    return replace(tower, parts=(*kept, Separator(":"), *more.subject, upwards))


def _terminals(tree: Node) -> set[str]:
    return {t.type for t in tree.scan_values(lambda v: isinstance(v, Token))}


def _step(tree: Node, joined: str, words: Words) -> Step:
    start, end = span_of(tree)
    if tree.data == "ensured":
        stated = (_clause(t, words) for t in tree.children if isinstance(t, Tree))
        return Step(Ensure(tuple(s for s in stated if isinstance(s, Statement))), joined, start=start, end=end)
    if tree.data == "bare":
        clause: Clause = Statement(read_parts(tree.children[0], words), kind="bare")
        return Step(clause, joined, start=start, end=end)
    if tree.data == "otherwise":
        return replace(_step(tree.children[-1], joined, words), otherwise=True)
    subordinates = []
    main: Clause | None = None
    for child in tree.children:
        if child.data in ("lead", "trail"):
            subordinates.append(_subordinate(child, words))
        else:
            main = _clause(child, words)
            if child.data == "there_is" and isinstance(main, Statement) and _as_is(child, words):
                main = Declared(main)
    assert main is not None
    return Step(main, joined, subordinates=tuple(subordinates), start=start, end=end)


_SUBORDINATORS = {"IF": "if", "UNLESS": "unless", "WHEN": "when", "AFTER": "after", "ONCE": "after", "BEFORE": "before",
                  "WHILE": "while", "BY": "by", "SO": "so", "UNTIL": "until"}  # fmt: skip


def _subordinate(tree: Node, words: Words) -> Subordinate:
    inner = next((c for c in tree.children if isinstance(c, Tree) and c.data in ("subordinate", "inverted")), tree)
    if inner.data == "inverted":
        subject, predicate = (c for c in inner.children if isinstance(c, Tree))
        negated = any(isinstance(c, Token) and c.type == "NOT" for c in inner.children)
        stated = Statement(read_parts(subject, words), read_parts(predicate.children[0], words), negated)
        return Subordinate("if", (stated,), leads=True)
    marker = next(c for c in inner.children if isinstance(c, Token) and c.type in _SUBORDINATORS)
    kind = _SUBORDINATORS[marker.type]
    trees = [c for c in inner.children if isinstance(c, Tree) and c.data != "lead_end"]
    if trees and trees[0].data == "facts":
        trees = list(trees[0].children)
        trees = [t for t in trees if isinstance(t, Tree)]
    elif kind == "when":
        kind = "after"  # "when you have put it there": a deed, not a state
    clauses = tuple(_clause(t, words) for t in trees)
    if marker == "without":
        clauses = tuple(replace(c, prohibited=True) if isinstance(c, Imperative) else c for c in clauses)
    return Subordinate(kind, clauses, leads=tree.data == "lead")


def _clause(tree: Node, words: Words) -> Clause:
    trees = [c for c in tree.children if isinstance(c, Tree)]
    match tree.data:
        case "happening" | "deed":
            return _clause(trees[-1], words)
        case "imperative" | "prohibition":
            verb = _verb(trees[0].children[0])
            parts = read_parts(trees[1], words) if len(trees) > 1 else ()
            return Imperative(verb, parts, tree.data == "prohibition")
        case "causative":
            deed = next(c for c in reversed(tree.children) if isinstance(c, Token))
            return Imperative(_verb(deed), read_parts(trees[-1], words))
        case "passive":
            deed = next(c for c in reversed(tree.children) if isinstance(c, Token))
            return Imperative(_verb(deed), read_parts(trees[0], words), "NOT" in _terminals(tree))
        case "check":
            return Check(tuple(_clause(t, words) for t in trees[0].children if isinstance(t, Tree)))
        case "declared":
            subject, link, predicate = trees
            said = (read_parts(subject, words), read_parts(predicate.children[0], words))
            statement = Statement(*said, "NOT" in _terminals(link))
            start, end = span_of(link)
            return statement if _BECOMING & set(words.written[start:end]) else Declared(statement)
        case "itemised":
            return _itemised(trees, words)
        case "ensure":
            statements = (_clause(t, words) for t in trees)
            return Ensure(tuple(s for s in statements if isinstance(s, Statement)))
        case "there_is":
            return Statement(read_parts(trees[0], words), kind="there_is")
        case "contains":
            return Statement(read_parts(trees[0], words), read_parts(trees[1], words), kind="contains")
        case _:
            subject, link, predicate = trees
            return Statement(
                read_parts(subject, words), read_parts(predicate.children[0], words), "NOT" in _terminals(link)
            )


def _as_is(tree: Node, words: Words) -> bool:
    """ "there is a block", not "there should be one"."""
    token = next(c for c in tree.children if isinstance(c, Token))
    return set(words.written[token.start_pos : token.end_pos]) <= {"there", "is", "are", "lies", "stands"}


_BECOMING = {"gets", "get", "stays", "stay", "remains", "remain", "be", "being"}
"""Said of what shall be so, not of what is."""


def _itemised(trees: list[Node], words: Words) -> Imperative:
    """ "build a tower: red, then green" is one list."""
    parts: list[Part] = list(read_parts(trees[1], words))
    listed = [t for t in trees[2:] if t.data == "parts"]
    for item in listed:
        parts += [Separator(":"), *read_parts(item, words)]
    if len(listed) > 1:  # "… then …, then …" builds up, or down from the top
        from_top = any(isinstance(p, Particle) and p.value == "top" for p in read_parts(listed[0], words))
        parts.append(Particle("particle", "downwards" if from_top else "upwards"))
    return Imperative(_verb(trees[0].children[0]), tuple(parts))


def _verb(token: Any) -> str:
    if token.type == "HAVE":
        return "put"
    return {"light": "activate", "switch": "turn"}.get(str(token), str(token))
