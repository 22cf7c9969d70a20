"""Objects that a person spoke of and nobody has seen: they may lie where nobody has looked.

What the instruction, the dialogue or the goal given names is taken for real; what a language model makes up is not.
Not for: where to look (planner.search_hidden) or what is believed of it (world_model.belief).
"""

from __future__ import annotations

import re
from dataclasses import replace

from planner.llm.answer import Answer
from planner.llm.names import names_in
from planner.planner import PlanRequest
from planner.search_hidden import with_unseen
from skills.checking import goal_literals


def with_spoken_of(answer: Answer, request: PlanRequest) -> PlanRequest:
    """The request, its scene holding the unseen objects that answer and person both name, as out of sight."""
    known = request.scene.objects
    texts = [*answer.goal, *(step.do for step in answer.steps), *(part for way in answer.alternatives for part in way)]
    for branch in answer.branches:
        texts += [branch.condition, *branch.then, *branch.otherwise]
    named = {name for text in texts for name in names_in(text, known)} - set(known)
    given = {name for literal in goal_literals(request.goal) for name in literal.arguments} if request.goal else set()
    spoken = {name for name in named if name in given or _was_said(name, request)}
    categories = {kind for skill in request.library.skills for p in skill.parameters for kind in p.types}
    scene = with_unseen(request.scene, spoken, categories - {"drawer", "table", "button"})
    return replace(request, scene=scene)


def _was_said(name: str, request: PlanRequest) -> bool:
    """Every word of the name occurs in what the person said, also in the plural ("the red and blue blocks")."""
    said = " ".join([request.instruction, *(text for pair in request.answers for text in pair)]).lower()
    words = set(re.findall(r"[a-z0-9]+", said))
    return all(word in words or f"{word}s" in words for word in name.split())
