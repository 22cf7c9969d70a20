"""Conversation: one request put to a language model, and each unusable answer sent back with what is wrong with it.

Not for: what happens when it comes to nothing (planner.language_model).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from planner.llm.answer import AnswerError, read_answer
from planner.llm.chat import Reply, StructuredChat
from planner.llm.checking import Checked, Search, check_answer
from planner.llm.memory import EarlierCommand
from planner.llm.prompting import Prompts
from planner.planner import PlanOutcome, PlanRequest
from skills.goal import Goal

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

_ECHO_LIMIT = 4000
"""Characters of an unusable answer that go back to the model; more would crowd out the scene."""


class Conversation:
    """About one request. goal: the last sound goal the model gave; problems: what is wrong with its last answer.

    Reports to the request: `llm_call` for each request on the wire, `llm_invalid` for each unusable answer.
    """

    def __init__(
        self,
        chat: StructuredChat,
        prompts: Prompts,
        search: Search,
        request: PlanRequest,
        *,
        model_name: str = "",
        earlier: tuple[EarlierCommand, ...] = (),
    ) -> None:
        from langchain_core.messages import HumanMessage, SystemMessage

        self.goal: Goal | None = None
        self.problems: tuple[str, ...] = ()
        self._chat, self._prompts, self._search = chat, prompts, search
        self._request = request
        self._model_name = model_name
        self._messages: list[BaseMessage] = [
            SystemMessage(prompts.system(request.library)),
            HumanMessage(prompts.user(request, earlier)),
        ]

    def settle(self, tries: int, deadline: float) -> PlanOutcome | None:
        """The first usable outcome, or None after so many tries. Raises EndpointError."""
        for attempt in range(1, tries + 1):
            reply = self._chat.ask(self._messages, deadline, partial(self._report_call, attempt))
            checked = self._check(reply)
            if checked.outcome is not None:
                return checked.outcome
            self._request.report("llm_invalid", {"attempt": attempt, "problems": list(checked.problems)})
            self.goal = checked.goal or self.goal
            self.problems = checked.problems
            self._say_what_is_wrong(reply)
        return None

    def _check(self, reply: Reply) -> Checked:
        try:
            answer = read_answer(reply.text)
        except AnswerError as error:
            cut_off = ("the reply was cut off at the server's length limit; be brief",) if reply.cut_off else ()
            self._chat.distrust_mode()
            return Checked(problems=(str(error), *cut_off))
        return check_answer(answer, self._request, self._search)

    def _say_what_is_wrong(self, reply: Reply) -> None:
        from langchain_core.messages import AIMessage, HumanMessage

        said = reply.text.strip()[:_ECHO_LIMIT] or "(nothing)"
        self._messages += [AIMessage(said), HumanMessage(self._prompts.repair(self.problems))]

    def _report_call(self, attempt: int, data: Mapping[str, Any]) -> None:
        self._request.report("llm_call", {"model": self._model_name, "attempt": attempt, **data})
