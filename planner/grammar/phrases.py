"""Trees of the parser → the parts of a clause: noun phrases, prepositional phrases, particles.

Not for: clauses (parsing.py).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

from lark import Token, Tree

from planner.grammar.syntax import Leaving, NounPhrase, Part, Particle, PrepPhrase, Relative, Separator
from planner.grammar.words import Words

Node: TypeAlias = Any
"""A lark tree, whose children are trees or tokens as the rule says."""


def read_parts(tree: Node, words: Words) -> tuple[Part, ...]:
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
        case "np" | "content" | "whichever":
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
    start, end = span_of(tree)
    if tree.data == "whichever":
        place = tree.children[-1]
        inner = Tree("np", [c for c in tree.children if isinstance(c, Tree) and c is not place], tree.meta)
        phrase = _noun_phrase(inner, words)
        return replace(phrase, quantifiers=("any",), relatives=(_relative(place, False, words),))
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
            case "quantifier" | "all_of_them" if _value(child) == "same" and _written(child, words) == "same":
                gathered["quantifiers"].append("any")  # "in the same bowl": one for all
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
                example = next((c for c in child.children if isinstance(c, Tree)), None)
                if example is None or not (like := _noun_phrase(example, words)).colours:
                    single["matching"] = True
                else:
                    gathered["relatives"].append(Relative("colour of", like))
            case "coloured":
                gathered["colours"].append(next(str(t) for t in child.children if t.type == "COLOUR"))
            case "holds" | "nearest":
                gathered["relatives"].append(_holding_or_nearest(child, words))
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


def _written(tree: Node, words: Words) -> str:
    start, end = span_of(tree)
    return " ".join(words.written[start:end])


def _settled(phrase: NounPhrase) -> NounPhrase:
    """Words that are quantifiers before a noun are pronouns where they stand alone: "put those away"."""
    if phrase.noun or phrase.pronoun or phrase.colours or phrase.not_colours:
        return phrase
    lone = [q for q in phrase.quantifiers if q in ("them", "this", "that")]
    return replace(phrase, pronoun=lone[-1]) if lone else phrase


def _holding_or_nearest(tree: Node, words: Words) -> Relative:
    """ "containing the red block", "that has a block on it", "nearest to the drawer"."""
    noun_phrase = _noun_phrase(next(c for c in tree.children if isinstance(c, Tree) and c.data != "prep"), words)
    if tree.data == "nearest":
        return Relative(
            next(str(t) for t in tree.children if isinstance(t, Token) and t.type == "NEAREST"), noun_phrase
        )
    if noun_phrase.noun == "nothing" or noun_phrase.has("no"):
        return Relative("state", value="empty")
    return Relative("with", noun_phrase)


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


def span_of(tree: Node) -> tuple[int, int]:
    tokens = [t for t in tree.scan_values(lambda v: isinstance(v, Token)) if t.start_pos is not None]
    if not tokens:
        return 0, 0
    return min(t.start_pos for t in tokens), max(t.end_pos for t in tokens)
