"""Prompts: Markdown files with ${placeholders} that a user can read and replace, filled from a PlanRequest.

Only what the scene believes goes in: names, facts, doubts, what is out of sight; never simulator state.
Not for: talking to a model (planner.llm.chat).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from string import Template

from planner.llm.memory import EarlierCommand, in_words
from planner.planner import PlanRequest, ServiceError
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.predicates import Predicate
from skills.skill import Parameter, Skill, did_you_mean
from world_model.results import StepResult
from world_model.scene import Scene

BUILT_IN = Path(__file__).parent.parent / "prompts"
PLACEHOLDERS = {
    "system.md": ("skills", "literals"),
    "user.md": ("scene", "instruction", "goal", "focus", "earlier", "answers", "history"),
    "repair.md": ("problems",),
}
_HISTORY_SHOWN = 20
_FILE_LIMIT_BYTES = 200_000


class PromptError(ServiceError):
    """A prompt file that is missing, unreadable, or lacks a placeholder; the message names file and placeholder."""


@dataclass(frozen=True)
class Prompts:
    """The three texts of a conversation: the standing rules, one request, and what was wrong with an answer."""

    system_template: Template
    user_template: Template
    repair_template: Template

    @classmethod
    def load(cls, folder: Path | None = None) -> Prompts:
        """From a folder of one's own; a file it lacks is taken from the built-in ones. Raises PromptError."""
        if folder is not None and not folder.is_dir():
            raise PromptError(f"no prompt folder at {folder}; it may hold {', '.join(PLACEHOLDERS)}")
        if folder is not None and not any((folder / name).exists() for name in PLACEHOLDERS):
            raise PromptError(f"no prompt in {folder}: expected one or more of {', '.join(PLACEHOLDERS)}")
        return cls(*(_load_file(folder, name) for name in PLACEHOLDERS))

    def system(self, library: SkillLibrary) -> str:
        return self.system_template.substitute(
            skills="\n".join(_skill_line(skill) for skill in library.skills),
            literals="\n".join(_predicate_line(predicate) for predicate in library.predicates),
        )

    def user(self, request: PlanRequest, earlier: tuple[EarlierCommand, ...] = ()) -> str:
        """One request; earlier: the commands before it in this session, latest first."""
        goal = request.goal
        return self.user_template.substitute(
            scene=describe_scene(request.scene),
            instruction=request.instruction or "(none: reach the goal given)",
            goal="none" if goal is None else goal.model_dump_json(exclude_defaults=True),
            focus=", ".join(request.focus) or "none",
            earlier="\n".join(in_words(earlier, request.scene.symbolic())) or "none",
            answers="\n".join(f"- {question} -> {answer}" for question, answer in request.answers) or "none",
            history="\n".join(_history_lines(request.history)) or "nothing",
        )

    def repair(self, problems: Iterable[str]) -> str:
        return self.repair_template.substitute(problems="\n".join(f"- {problem}" for problem in problems))


def describe_scene(scene: Scene) -> str:
    """Objects by kind, facts as literals (doubtful ones with their confidence), and what is out of sight."""
    state = scene.symbolic()
    kinds = sorted({kind for name, kind in state.objects.items() if name not in state.hidden})
    seen = {kind: [n for n in state.of_category(kind) if n not in state.hidden] for kind in kinds}
    closed = [Literal("closed", (drawer,)) for drawer in seen.get("drawer", ()) if _is_closed(drawer, scene)]
    facts = [_fact(fact, scene) for fact in (*sorted(state.facts), *closed)]
    lines = [f"{kind}: {', '.join(names)}" for kind, names in seen.items()]
    lines.append(f"facts: {'; '.join(facts) or 'none'}")
    lines.append(f"hand: {f'holds the {state.held}' if state.held else 'empty'}")
    lines += [f"out of sight: {name} ({state.objects[name]})" for name in sorted(state.hidden - scene.gone)]
    lines += [f"nowhere to be found: {name} ({state.objects[name]})" for name in sorted(scene.gone)]
    lines += [f"nobody has looked into the {name} yet" for name in sorted(scene.unexplored)]
    return "\n".join(lines)


def _is_closed(drawer: str, scene: Scene) -> bool:
    return Literal("open", (drawer,)) not in scene.symbolic().facts


def _fact(fact: Literal, scene: Scene) -> str:
    confidence = scene.confidence(fact)
    return str(fact) if confidence > 0.95 else f"{fact} ({confidence:.0%} sure)"


def _history_lines(history: tuple[StepResult, ...]) -> Iterable[str]:
    if len(history) > _HISTORY_SHOWN:
        yield f"- ({len(history) - _HISTORY_SHOWN} earlier attempts)"
    for result in history[-_HISTORY_SHOWN:]:
        verdict = result.verdict
        reason = f": {verdict.reason}" if verdict.reason else ""
        yield f"- {result.run.call}, attempt {result.attempt}: {verdict.status.value}{reason}"


def _skill_line(skill: Skill) -> str:
    needs = ", ".join(_readable(text) for text in skill.preconditions) or "nothing"
    makes = ", ".join(_readable(text) for text in skill.effects) or "nothing"
    parameters = ", ".join(_parameter(p) for p in skill.parameters)
    return f"- {skill.name}({parameters}): {skill.summary} needs: {needs}; makes: {makes}"


def _predicate_line(predicate: Predicate) -> str:
    return f"- {predicate.name}({', '.join(_parameter(p) for p in predicate.parameters)}): {predicate.summary}"


def _parameter(parameter: Parameter) -> str:
    kinds = " | ".join(parameter.choices or parameter.types)
    return kinds if kinds == parameter.name else f"{parameter.name}: {kinds}"


def _readable(template: str) -> str:
    """A condition or effect in words a model knows: no ?, * or flip."""
    if template.startswith("flip "):
        template = f"{template.removeprefix('flip ')} becomes the opposite"
    words = template.replace("?held", "what is held").replace("?", "")
    return words.replace("*)", "anything)").replace("*,", "anything,").replace("*", "any ")


def _load_file(folder: Path | None, name: str) -> Template:
    path = BUILT_IN / name if folder is None or not (folder / name).exists() else folder / name
    try:
        if path.stat().st_size > _FILE_LIMIT_BYTES:
            raise PromptError(f"{path}: larger than {_FILE_LIMIT_BYTES} bytes; a prompt is a page of text")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    return _check_template(path, Template(text), PLACEHOLDERS[name])


def _check_template(path: Path, template: Template, wanted: tuple[str, ...]) -> Template:
    if not template.is_valid():
        raise PromptError(f"{path}: a $ that starts no placeholder; write $$ for a dollar sign")
    found = template.get_identifiers()
    missing = [f"${{{name}}}" for name in wanted if name not in found]
    if missing:
        raise PromptError(f"{path}: lacks the placeholder {', '.join(missing)}")
    unknown = [name for name in found if name not in wanted]
    if unknown:
        raise PromptError(f"{path}: no placeholder '${{{unknown[0]}}}'{did_you_mean(unknown[0], wanted)}")
    return template
