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
    Clause,
    Ensure,
    Imperative,
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
    tree = _parse(words, "start")
    return tuple(_sentence(child, words) for child in tree.children)


def parse_parts(words: Words) -> tuple[Part, ...]:
    """A fragment such as an answer: "the red one". Raises ParseFailure."""
    return read_parts(_parse(words, "parts"), words)


def _parse(words: Words, start: str) -> Node:
    if not words.tokens:
        raise ParseFailure(0)
    try:
        return _parser().parse(words.tokens, start=start)
    except UnexpectedInput as error:
        token = getattr(error, "token", None)
        expected = frozenset(getattr(error, "accepts", None) or getattr(error, "expected", ()) or ())
        if token is None or token.type == "$END" or token.start_pos is None:
            raise ParseFailure(len(words.written), expected) from None
        raise ParseFailure(token.start_pos, expected) from None


def _sentence(tree: Node, words: Words) -> tuple[Step, ...]:
    steps: list[Step] = []
    joined = "start"
    for child in tree.children:
        if child.data == "late":
            steps[-1] = replace(steps[-1], joined="then")
        elif child.data in ("opening", "join", "then_join"):
            joined = "then" if "THEN" in _terminals(child) else joined if child.data == "opening" else "and"
        else:
            step = _step(child, joined, words)
            if joined == "then" and steps and (longer := _taller(steps[-1].clause, step.clause)) is not None:
                steps[-1] = replace(steps[-1], clause=longer)
            else:
                steps.append(step)
    return tuple(steps)


def _taller(tower: Clause, more: Clause) -> Imperative | None:
    """ "a tower with red at the bottom, then green, then blue on top" goes on with the same tower."""
    if not (isinstance(tower, Imperative) and tower.verb in ("pile", "stack") and isinstance(more, Statement)):
        return None
    places = [p for p in (*tower.parts, *more.subject) if isinstance(p, PrepPhrase) and p.prep not in ("with", "of")]
    if more.kind != "bare" or places:
        return None
    upwards = Particle("particle", "upwards")
    kept = tuple(p for p in tower.parts if p != upwards)
    return replace(tower, parts=(*kept, Separator(":"), *more.subject, upwards))


def _terminals(tree: Node) -> set[str]:
    return {t.type for t in tree.scan_values(lambda v: isinstance(v, Token))}


def _step(tree: Node, joined: str, words: Words) -> Step:
    start, end = span_of(tree)
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
    assert main is not None
    return Step(main, joined, subordinates=tuple(subordinates), start=start, end=end)


_SUBORDINATORS = {"IF": "if", "UNLESS": "unless", "WHEN": "when", "AFTER": "after", "ONCE": "after", "BEFORE": "before",
                  "WHILE": "while", "BY": "by"}  # fmt: skip


def _subordinate(tree: Node, words: Words) -> Subordinate:
    inner = next((c for c in tree.children if isinstance(c, Tree) and c.data == "subordinate"), tree)
    marker = next(c for c in inner.children if isinstance(c, Token) and c.type in _SUBORDINATORS)
    kind = _SUBORDINATORS[marker.type]
    trees = [c for c in inner.children if isinstance(c, Tree) and c.data != "lead_end"]
    if trees[0].data == "facts":
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
            swap = next(c for c in tree.children if isinstance(c, Token))
            return Imperative(_verb(swap), read_parts(trees[1], words))
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
