"""Reading with questions: unknown words, spelling, and sentences the grammar does not know, word by word."""

from __future__ import annotations

from planner.grammar.context import Context
from planner.grammar.errors import NeedsAnswer
from planner.grammar.parsing import parse_instruction
from planner.grammar.syntax import ParseFailure, Step
from planner.grammar.words import Words, read_words, suggestions

_MAX_ROUNDS = 8


def read_instruction(text: str, context: Context) -> tuple[tuple[Step, ...], ...]:
    """Sentences of steps. What cannot be read is asked about; an answer replaces the word or the whole instruction.

    Raises InstructionError (empty, too long) and NeedsAnswer.
    """
    for _ in range(_MAX_ROUNDS):
        words = read_words(text, context.state.objects)
        if words.unknown:
            text = _respelled(words, context)
            continue
        try:
            return parse_instruction(words)
        except ParseFailure as failure:
            text = context.ask(_not_parsed(words, failure))
    raise NeedsAnswer("I still do not understand. Please say in one short sentence what shall hold at the end.")


def _respelled(words: Words, context: Context) -> str:
    """Ask about the first unknown word; the answer is a yes, the right word, or the instruction in other words."""
    word = words.unknown[0]
    near = suggestions(word, context.state.objects)
    known = words.quote(0, words.written.index(word))
    heard = f"I understood '{known}', but I" if known else "I"
    others = [w for w in dict.fromkeys(words.unknown) if w != word]
    more = f" (nor {', '.join(repr(w) for w in others)})" if others else ""
    if not near:
        return context.ask(f"{heard} do not know the word '{word}'{more}. Please say it in other words.")
    answer = (
        context.ask(f"{heard} do not know the word '{word}'{more}; did you mean '{near[0]}'?", near).strip().lower()
    )
    if answer in ("yes", "y", "yes please", "right", "correct"):
        answer = near[0]
    if answer in ("no", "n"):
        return context.ask(f"I do not know the word '{word}'. Please say it in other words.")
    return _replaced(words, word, answer) if len(answer.split()) <= 3 else answer


def _replaced(words: Words, word: str, by: str) -> str:
    return " ".join(by if w == word else w for w in words.written)


def _not_parsed(words: Words, failure: ParseFailure) -> str:
    at = failure.position
    known = words.quote(0, at)
    if at >= len(words.written):
        return f"'{known}' does not seem finished. Please say the whole instruction again."
    stuck = words.quote(at, min(at + 4, len(words.written)))
    if not known:
        return f"I do not understand '{stuck}' at the beginning. Please say it in other words."
    return f"I understood '{known}', but not how '{stuck}' goes on from there. Please say it in other words."
