"""The syntax of an instruction: typed records of sentences, clauses and noun phrases, built by lark's Earley parser.

Not for: what they mean in a scene (frames.py, references.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput
from lark.lexer import Lexer

from planner.grammar.words import Words

Node: TypeAlias = Any
"""A lark tree, whose children are trees or tokens as the rule says."""

GRAMMAR = Path(__file__).with_name("instruction.lark")


@dataclass(frozen=True)
class Relative:
    """What tells an object apart: "(that is) on the green pad", "(that is not) in a bowl", "next to it"."""

    prep: str  # a preposition, or "state" / "direction" / "particle" with `value`
    noun_phrase: NounPhrase | None = None
    value: str = ""
    negated: bool = False


@dataclass(frozen=True)
class NounPhrase:
    """ "the two red blocks on the pad". quantifiers are values of the vocabulary ("the", "every", "2", "other", …)."""

    quantifiers: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    not_colours: tuple[str, ...] = ()
    noun: str = ""  # a category, a word of an object's name, "thing", "one", "everything", "nothing", "stack" or ""
    pronoun: str = ""  # it | them | this | that
    plural: bool = False
    matching: bool = False  # "of its colour"
    superlative: str = ""
    state: str = ""
    relatives: tuple[Relative, ...] = ()
    start: int = 0
    end: int = 0

    def has(self, *quantifiers: str) -> bool:
        return any(q in self.quantifiers for q in quantifiers)

    @property
    def number(self) -> int | None:
        return next((int(q) for q in self.quantifiers if q.isdigit()), 1 if self.has("one") else None)


@dataclass(frozen=True)
class PrepPhrase:
    prep: str
    noun_phrase: NounPhrase


@dataclass(frozen=True)
class Particle:
    """A word or fixed phrase that stands alone in a clause. kind: particle | direction | state."""

    kind: Literal["particle", "direction", "state"]
    value: str


@dataclass(frozen=True)
class Separator:
    """ "," / "and" / "or" between parts of a clause."""

    value: str


@dataclass(frozen=True)
class Leaving:
    """ "except the red one"."""

    noun_phrase: NounPhrase


Part: TypeAlias = NounPhrase | PrepPhrase | Particle | Separator | Leaving


@dataclass(frozen=True)
class Imperative:
    verb: str
    parts: tuple[Part, ...] = ()
    prohibited: bool = False


@dataclass(frozen=True)
class Statement:
    """Something that is or should be so. kind: copula | there_is | contains | bare."""

    subject: tuple[Part, ...]
    predicate: tuple[Part, ...] = ()
    negated: bool = False
    kind: str = "copula"


@dataclass(frozen=True)
class Ensure:
    statements: tuple[Statement, ...]


Clause: TypeAlias = Imperative | Statement | Ensure


@dataclass(frozen=True)
class Subordinate:
    """A clause that says when: kind if | unless | when | after | before | by."""

    kind: str
    clauses: tuple[Clause, ...]
    leads: bool


@dataclass(frozen=True)
class Step:
    """One clause of a sentence. joined: start | and | then; otherwise: it is the else of an earlier `if`."""

    clause: Clause
    joined: str = "start"
    otherwise: bool = False
    subordinates: tuple[Subordinate, ...] = ()
    start: int = 0
    end: int = 0


@dataclass(frozen=True)
class ParseFailure(Exception):  # noqa: N818 - carries where understanding stopped
    """No derivation. position: index of the first written word that does not fit; expected: terminals that would."""

    position: int
    expected: frozenset[str] = field(default_factory=frozenset)


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
    return _parts(_parse(words, "parts"), words)


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
    start, end = _span(tree)
    if tree.data == "bare":
        clause: Clause = Statement(_parts(tree.children[0], words), kind="bare")
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
            parts = _parts(trees[1], words) if len(trees) > 1 else ()
            return Imperative(verb, parts, tree.data == "prohibition")
        case "causative":
            swap = next(c for c in tree.children if isinstance(c, Token))
            return Imperative(_verb(swap), _parts(trees[1], words))
        case "itemised":
            return _itemised(trees, words)
        case "ensure":
            statements = (_clause(t, words) for t in trees)
            return Ensure(tuple(s for s in statements if isinstance(s, Statement)))
        case "there_is":
            return Statement(_parts(trees[0], words), kind="there_is")
        case "contains":
            return Statement(_parts(trees[0], words), _parts(trees[1], words), kind="contains")
        case _:
            subject, link, predicate = trees
            return Statement(_parts(subject, words), _parts(predicate.children[0], words), "NOT" in _terminals(link))


def _itemised(trees: list[Node], words: Words) -> Imperative:
    """ "build a tower: red, then green" is one list."""
    parts: list[Part] = list(_parts(trees[1], words))
    listed = [t for t in trees[2:] if t.data == "parts"]
    for item in listed:
        parts += [Separator(":"), *_parts(item, words)]
    if len(listed) > 1:  # "… then …, then …" builds up, or down from the top
        from_top = any(isinstance(p, Particle) and p.value == "top" for p in _parts(listed[0], words))
        parts.append(Particle("particle", "downwards" if from_top else "upwards"))
    return Imperative(_verb(trees[0].children[0]), tuple(parts))


def _verb(token: Any) -> str:
    if token.type == "HAVE":
        return "put"
    return {"light": "activate", "switch": "turn"}.get(str(token), str(token))


def _parts(tree: Node, words: Words) -> tuple[Part, ...]:
    found: list[Part] = []
    excepting = False
    for child in tree.children:
        if child.data == "except":
            excepting = True
            continue
        part = _part(child, words)
        if excepting and isinstance(part, NounPhrase):
            part = Leaving(part)
        excepting = False
        found.append(part)
    return tuple(found)


def _part(tree: Node, words: Words) -> Part:
    match tree.data:
        case "np" | "content":
            return _noun_phrase(tree, words)
        case "pp":
            noun_phrase = _noun_phrase(tree.children[1], words)
            return PrepPhrase(_value(tree.children[0]), noun_phrase)
        case "separator":
            return Separator("or" if any(t.type == "OR" for t in tree.children) else str(tree.children[-1]))
        case "direction":
            return Particle("direction", _value(tree))
        case "state":
            return Particle("state", _value(tree))
        case _:
            return Particle("particle", _value(tree))


def _value(tree: Node) -> str:
    return str(next(tree.scan_values(lambda v: isinstance(v, Token))))


def _noun_phrase(tree: Node, words: Words) -> NounPhrase:
    start, end = _span(tree)
    if tree.data == "content":
        place = next(c for c in tree.children if isinstance(c, Tree))
        return NounPhrase(("all",), noun="thing", plural=True, relatives=(_relative(place, False, words),),
                          start=start, end=end)  # fmt: skip
    if any(c.data == "quantifier" and c.children[0] == "contents" for c in tree.children):
        inner = Tree(tree.data, [c for c in tree.children if c.children[0] != "contents"], tree.meta)
        held = Relative("in", _noun_phrase(inner, words))
        return NounPhrase(("all", "contents"), noun="thing", plural=True, relatives=(held,), start=start, end=end)
    gathered: dict[str, list[Any]] = {k: [] for k in ("quantifiers", "colours", "not_colours", "relatives")}
    single: dict[str, Any] = {}
    for child in tree.children:
        match child.data:
            case "quantifier" | "all_of_them" if _value(child) == "same":
                single["matching"] = True
            case "quantifier" | "all_of_them":
                gathered["quantifiers"].append(_value(child))
            case "colour":
                tokens = child.children
                gathered["not_colours" if tokens[0].type == "NON" else "colours"].append(str(tokens[-1]))
            case "superlative":
                single["superlative"] = _value(child)
            case "state_word":
                single["state"] = _value(child)
            case "head":
                single |= _head(child.children[0], words)
                if child.children[0] in ("everything else", "something"):
                    gathered["quantifiers"].append("some" if child.children[0] == "something" else "the rest")
            case "match":
                single["matching"] = True
            case "relative":
                negated = any(isinstance(c, Token) and c.type == "NOT" for c in child.children)
                place = next(c for c in child.children if isinstance(c, Tree))
                gathered["relatives"].append(_relative(place, negated, words))
            case "relative_colour":
                negated = any(isinstance(c, Token) and c.type == "NOT" for c in child.children)
                named = [str(c.children[-1]) for c in child.children if isinstance(c, Tree) and c.data == "colour"]
                gathered["not_colours" if negated else "colours"] += named
    fields: dict[str, Any] = {**{k: tuple(v) for k, v in gathered.items()}, **single}
    return _settled(NounPhrase(**fields, start=start, end=end))


def _settled(phrase: NounPhrase) -> NounPhrase:
    """Words that are quantifiers before a noun are pronouns where they stand alone: "put those away"."""
    if phrase.noun or phrase.pronoun or phrase.colours or phrase.not_colours:
        return phrase
    lone = [q for q in phrase.quantifiers if q in ("them", "this", "that")]
    return replace(phrase, pronoun=lone[-1]) if lone else phrase


_NOUNS = {"switch": "button", "light": "lamp", "something": "thing", "everything else": "everything"}


def _head(token: Any, words: Words) -> dict[str, Any]:
    written = words.written[token.end_pos - 1]
    if token.type in ("PRONOUN", "THAT"):
        return {"pronoun": str(token), "plural": token == "them"}
    noun = _NOUNS.get(str(token), str(token))
    plural = noun == "everything" or written == "stuff" or (written.endswith("s") and noun not in ("lamp", "nothing"))
    return {"noun": noun, "plural": plural}


def _relative(place: Node, negated: bool, words: Words) -> Relative:
    part = _part(place.children[0], words)
    match part:
        case PrepPhrase(prep, noun_phrase):
            return Relative(prep, noun_phrase, negated=negated)
        case Particle(kind, value):
            return Relative(kind, value=value, negated=negated)
        case _:
            raise AssertionError(f"no place: {part}")


def _span(tree: Node) -> tuple[int, int]:
    tokens = [t for t in tree.scan_values(lambda v: isinstance(v, Token)) if t.start_pos is not None]
    if not tokens:
        return 0, 0
    return min(t.start_pos for t in tokens), max(t.end_pos for t in tokens)
