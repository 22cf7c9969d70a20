"""Text → tokens: contractions, phrases of several words, spelling; scene names extend the vocabulary.

Not for: the table of words itself (vocabulary.py).
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from lark import Token

from planner.grammar.errors import InstructionError
from planner.grammar.politeness import FILLER
from planner.grammar.vocabulary import PHRASES, TERMINALS

MAX_CHARACTERS = 4000
MAX_WORDS = 400

_WORD = re.compile(r"[a-z]+|\d+|[.,;:!?&]|->|\S")
_CONTRACTIONS = (
    (re.compile(r"\bcan(?:'|no)t\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"\blet's\b"), "let us"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"'d\b"), " would"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"'m\b"), " am"),
    (re.compile(r"'s\b"), " is"),
)
_VOWELS = "aeiou"
_PARTICIPLES = (  # of irregular verbs; the base stands before the colon
    "put: put/set: set/lay: laid/stick: stuck/bring: brought/get: got gotten/throw: thrown threw/hide: hidden/"
    "build: built/make: made/take: taken took/hold:/give: given gave/hit: hit/keep: kept/leave:/let: let/see: seen/"
    "draw: drawn"
)
_IRREGULAR = {base: tuple(forms.split()) for base, forms in (item.split(":") for item in _PARTICIPLES.split("/"))}


@dataclass(frozen=True)
class Words:
    """The tokens of an instruction and the written words they stand for, for quoting."""

    tokens: tuple[Token, ...]
    written: tuple[str, ...]

    def quote(self, start: int, end: int) -> str:
        """The words from `start` up to `end` as they were written."""
        return re.sub(r" ([.,;:!?])", r"\1", " ".join(self.written[start:end]))

    @property
    def unknown(self) -> tuple[str, ...]:
        return tuple(str(t) for t in self.tokens if t.type == "UNKNOWN")


def read_words(text: str, names: Iterable[str] = ()) -> Words:
    """Tokens of `text`; `names` are the scene's objects, whose words are known too. Raises InstructionError."""
    if len(text) > MAX_CHARACTERS:
        raise InstructionError(f"the instruction has {len(text)} characters; at most {MAX_CHARACTERS} are read")
    plain = _plain(text)
    written = tuple(_WORD.findall(plain))
    if not any(w.isalnum() for w in written):
        raise InstructionError("the instruction is empty; expected something like 'put the red block in the blue bowl'")
    if len(written) > MAX_WORDS:
        raise InstructionError(f"the instruction has {len(written)} words; at most {MAX_WORDS} are read")
    lexicon = _with_names(tuple(sorted(names)))
    return Words(_punctuated(list(_tokens(written, lexicon))), written)


def suggestions(word: str, names: Iterable[str] = ()) -> tuple[str, ...]:
    """Known words spelled nearly like `word`, best first."""
    known = {w for phrase in _with_names(tuple(sorted(names))) for w in phrase if len(w) > 2 and w != word}
    return tuple(difflib.get_close_matches(word, sorted(known), n=3, cutoff=0.72))


def _plain(text: str) -> str:
    lowered = text.lower().replace("\u2019", "'").replace("\u2018", "'").replace("`", "'")
    lowered = re.sub(r"(?<=[a-z])-(?=[a-z])|[\"\u201c\u201d()_*]|\s-\s", " ", lowered)
    lowered = re.sub(r"\u2014|\u2013|\.{2,}|\u2026", " , ", lowered)
    lowered = _enumerated(lowered)
    for pattern, replacement in _CONTRACTIONS:
        lowered = pattern.sub(replacement, lowered)
    return lowered


def _enumerated(text: str) -> str:
    """ "1. open the drawer 2. …" → sentences that follow each other."""
    marks = list(_ITEM.finditer(text))
    if len(marks) < 2 or [m[1] for m in marks] != [str(n) for n in range(1, len(marks) + 1)]:
        return text
    return _ITEM.sub(lambda m: " " if m[1] == "1" else " . then ", text)


_ITEM = re.compile(r"(?:^|(?<=[\s,;.:]))(?:step )?(\d)\s?[.):]\s")


def _tokens(written: tuple[str, ...], lexicon: Mapping[tuple[str, ...], tuple[str, str]]) -> Iterator[Token]:
    longest = max(map(len, lexicon))
    position = 0
    while position < len(written):
        for length in range(min(longest, len(written) - position), 0, -1):
            entry = lexicon.get(written[position : position + length])
            if entry is not None:
                terminal, value = entry
                if terminal != "FILLER":
                    yield _token(terminal, value, position, length)
                break
        else:
            length = 1
            yield _token("UNKNOWN", written[position], position, 1)
        position += length


_VERBAL = ("VERB", "VERB_OR_STATE", "VERB_OR_NOUN", "HAVE", "ENSURE", "CHECK")


_PLACING = ("PREP", "ON_OFF", "DIRECTION", "PARTICLE", "STATE", "VERB_OR_STATE")


def _respelled(token: Token, following: Token | None) -> Token:
    """ "…; if not, close it" says "otherwise"; "if not" without a comma is "unless"."""
    if token.type == "UNLESS" and following is not None and following.type == "COMMA":
        return token.update(type="ELSE")
    return token


def _punctuated(tokens: list[Token]) -> tuple[Token, ...]:
    """Without commas that separate nothing once politeness is gone: at either end, doubled, before a stop."""
    kept: list[Token] = []
    for read, following in itertools.zip_longest(tokens, tokens[1:]):
        token = _respelled(read, following)
        if token.type == "PREP" and token == "to" and following is not None and following.type in _VERBAL:
            continue  # "and, after that, to open the drawer"
        if token.type == "THEN" and kept and kept[-1].type in ("ENSURE", "THAT", "MODAL"):
            continue  # "make sure that in the end the drawer is open"
        if (
            token.type == "QUANTIFIER"
            and token in ("both", "all")
            and kept
            and kept[-1].type == "COPULA"
            and (following is not None and following.type in _PLACING)
        ):
            continue  # "if they are both on the table"
        if token.type in ("COMMA", "COLON") and not kept:
            continue
        if token.type == "COMMA" and (not kept or kept[-1].type in ("COMMA", "_STOP", "COLON")):
            continue
        if token.type == "_STOP" and kept and kept[-1].type == "COMMA":
            kept.pop()
        kept.append(token)
    while kept and kept[-1].type == "COMMA":
        kept.pop()
    return tuple(kept)


def _token(terminal: str, value: str, position: int, length: int) -> Token:
    return Token(terminal, value, start_pos=position, end_pos=position + length)


def expand(pattern: str) -> Iterator[tuple[str, ...]]:
    """All phrases of one pattern: `to/on (the) left` → to left, to the left, on left, on the left."""
    choices = []
    for item in re.findall(r"\([^()]*\)|\S+", pattern):
        optional = item.startswith("(")
        options = [tuple(o.split()) for o in item.strip("()").split("/")]
        choices.append([*options, ()] if optional else options)
    for combination in itertools.product(*choices):
        phrase = tuple(itertools.chain.from_iterable(combination))
        if phrase:
            yield phrase


def phrases(terminal: str, value: str) -> tuple[tuple[str, ...], ...]:
    """Every phrase that means `value` under `terminal`."""
    table = PHRASES[terminal][value]
    if terminal in ("COLOUR", "NOUN", "VERB"):  # whole phrases apart by slashes
        listed = [p for part in table.split("/") for p in expand(part)]
        return tuple(form for phrase in listed for form in (inflections(phrase) if terminal == "VERB" else (phrase,)))
    return tuple(phrase for part in table.split(" | ") for phrase in expand(part))


def inflections(phrase: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """put down → put down, puts down, putting down, put down (participle)."""
    base, *rest = phrase
    stem = base[:-1] if base.endswith("e") and not base.endswith("ee") else base
    doubled = len(base) > 2 and base[-1] not in _VOWELS + "wxy" and base[-2] in _VOWELS and base[-3] not in _VOWELS
    if doubled and (len(re.findall(f"[{_VOWELS}]+", base)) == 1 or base == "transfer"):
        stem = base + base[-1]
    past = (stem + "ed",) if not base.endswith("y") or base[-2] in _VOWELS else (base[:-1] + "ied",)
    third = base + "es" if base.endswith(("s", "x", "ch", "sh", "ss")) else base + "s"
    if base.endswith("y") and base[-2] not in _VOWELS:
        third = base[:-1] + "ies"
    for form in (base, third, stem + "ing", *_IRREGULAR.get(base, past)):
        yield (form, *rest)


@cache
def lexicon() -> Mapping[tuple[str, ...], tuple[str, str]]:
    """Phrase → (terminal, value) of the built-in vocabulary. The first entry of a phrase wins."""
    table: dict[tuple[str, ...], tuple[str, str]] = {}
    order = [t for t in PHRASES if t not in ("VERB",)] + ["VERB"]  # what is listed outright beats an inflection
    for terminal in order:
        for value in PHRASES[terminal]:
            name = value.upper() if value in ("ensure", "check") else TERMINALS.get(terminal, terminal)
            for phrase in phrases(terminal, value):
                table.setdefault(phrase, (name, value))
    for pattern in FILLER.split(" | "):
        for phrase in expand(pattern.strip()):
            table.setdefault(phrase, ("FILLER", ""))
    return table


@cache
def _with_names(names: tuple[str, ...]) -> Mapping[tuple[str, ...], tuple[str, str]]:
    """The lexicon with the words of object names: the last is a noun, those before it tell it apart."""
    table = dict(lexicon())
    for name in names:
        *adjectives, noun = name.split()
        if (noun,) not in table or table[(noun,)][0] == "FILLER":
            table[(noun,)] = ("NOUN", noun)
        for word in adjectives:
            if (word,) not in table or table[(word,)][0] == "FILLER":
                table[(word,)] = ("COLOUR", word)
    return table
