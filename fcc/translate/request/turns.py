"""In which order may the messages of a conversation stand?

After an assistant message with tool calls come, directly, the tool messages that answer all of
them in call order, and then whatever else the client said. OpenAI, DeepSeek, Mistral and MiniMax
refuse anything else. What the client left out is filled in, what has no place becomes user text.
"""

from collections.abc import Callable

from fcc.settings.profile import Ask
from fcc.translate.request.calls import Call
from fcc.translate.request.content import AssistantTurn, Result, UserTurn
from fcc.translate.request.history import HISTORY
from fcc.translate.request.ids import RULES as ID_RULES
from fcc.translate.request.ids import IdRule
from fcc.translate.request.named import named
from fcc.translate.request.parts import ChatMessage, Part, content, mark, text_part, texts

__all__ = ["NO_CONTENT", "NO_RESULT", "PREFILL", "Turns"]

NO_CONTENT = "(no content)"
"""Stands for a turn that must be there and says nothing; Claude Code's own word for it."""
NO_RESULT = "[no result: this call was not answered]"
BRIDGE = "I have the results."
"""Stands between tool results and a user message where a template demands an assistant."""


class Turns:
    """Takes the turns of a conversation in order; `finish()` gives the chat messages."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._fit_id = named(ID_RULES, ask.tool_ids, "tool_ids")
        self._with_reasoning = named(HISTORY, ask.reasoning_history, "reasoning_history")
        self._messages: list[ChatMessage] = []
        self._assistant: AssistantTurn | None = None
        self._results: list[Result | None] = []
        """One for each call of the assistant turn, None until it is answered."""
        self._waiting: dict[str, list[int]] = {}
        """The id of a call -> where in `_results` its answers go."""
        self._after: list[ChatMessage] = []
        """What was said since the assistant turn, content as parts."""
        self._since = False
        """Whether the client has spoken since the assistant turn."""
        self._silence: AssistantTurn | None = None
        """An assistant turn that says nothing, until it is known whether it may vanish."""

    def assistant(self, turn: AssistantTurn) -> None:
        """The model's turn: joins the one before it if nothing was said in between."""
        if not turn:
            self._silent(turn)
            return
        if self._silence is not None:
            self._silence.join(turn)
            turn, self._silence = self._silence, None
        # An open call must be answered right after its message: only a merge keeps that true.
        merged = self._ask.merge_turns or bool(self._waiting)
        if self._since or (self._assistant is not None and not merged):
            self._close()
        for call in turn.calls:
            self._waiting.setdefault(call.id, []).append(len(self._results))
            self._results.append(None)
        if self._assistant is None:
            self._assistant = turn
        else:
            self._assistant.join(turn)

    def _silent(self, turn: AssistantTurn) -> None:
        if self._assistant is not None and not self._since:
            self._assistant.join(turn)
        elif self._silence is not None:
            self._silence.join(turn)
        else:
            self._silence = turn

    def user(self, turn: UserTurn) -> None:
        """The client's turn: answers to calls, and anything else."""
        parts = [part for result in turn.results for part in self._unplaced(result)]
        parts += turn.parts
        if parts:
            self._say("user", parts)

    def system(self, text: str) -> None:
        """A system message that stays one."""
        self._say("system", [text_part(text)])

    def finish(self) -> list[ChatMessage]:
        """All messages; at least one of them is no system message."""
        self._close()
        if all(message["role"] == "system" for message in self._messages):
            self._messages.append({"role": "user", "content": NO_CONTENT})
        last = self._messages[-1]
        if last["role"] == "assistant" and "tool_calls" not in last:
            self._messages += named(PREFILL, self._ask.prefill, "prefill")(last)
        return self._messages

    def _unplaced(self, result: Result) -> list[Part]:
        """Puts a result where it belongs; what answers no open call is told as text."""
        places = self._waiting.get(result.tool_use_id)
        if not places:
            head = f"[result of the unknown call {result.tool_use_id!r}]"
            return [text_part(f"{head}\n{result.text}"), *result.attached]
        self._results[places.pop(0)] = result
        self._since = True
        return []

    def _say(self, role: str, parts: list[Part]) -> None:
        if self._silence is not None and self._since:
            # Without it two user turns that were never one would become one.
            silence = self._silence
            silence.texts.append(NO_CONTENT)
            self._close()
            self._assistant = silence
        self._since = True
        last = self._after[-1] if self._after else None
        if last is not None and last["role"] == role == "user" and self._ask.merge_turns:
            last["content"] += parts
        else:
            self._after.append({"role": role, "content": list(parts)})

    def _close(self) -> None:
        """Writes the assistant turn, the answers to its calls and what was said after them."""
        calls = self._assistant.calls if self._assistant is not None else []
        ids = _unique(calls, self._fit_id)
        if self._assistant is not None:
            self._messages.append(self._assistant_message(self._assistant, ids))
        attached: list[Part] = []
        for id, result in zip(ids, self._results, strict=True):
            self._messages.append(_tool_message(id, result))
            if result is not None and result.attached:
                attached += result.attached
        if attached or self._after:
            self._messages += self._rest(attached, answered=bool(ids))
        self._assistant, self._silence, self._since = None, None, False
        self._results, self._waiting, self._after = [], {}, []

    def _rest(self, attached: list[Part], *, answered: bool) -> list[ChatMessage]:
        after = self._after
        if attached and after and after[0]["role"] == "user":
            after[0]["content"] = attached + after[0]["content"]
        elif attached:
            after.insert(0, {"role": "user", "content": attached})
        if answered and self._ask.after_tools == "result":
            after = _into_result(after, self._messages[-1])
        for message in after:
            message["content"] = content(message["content"])
        return after

    def _assistant_message(self, turn: AssistantTurn, ids: list[str]) -> ChatMessage:
        message: ChatMessage = {"role": "assistant"}
        if turn.texts:
            message["content"] = "\n".join(turn.texts)
        elif self._ask.no_content != "omit":
            message["content"] = None if self._ask.no_content == "null" else ""
        if turn.calls:
            message["tool_calls"] = list(map(_tool_call, turn.calls, ids))
        return self._with_reasoning(turn, message)


def _unique(calls: list[Call], fit: IdRule) -> list[str]:
    """The ids as the provider takes them; one message can't have the same one twice."""
    seen: dict[str, None] = {}
    times: dict[str, int] = {}
    for call in calls:
        id = fit(call.id)
        while id in seen:
            times[call.id] = times.get(call.id, 1) + 1
            id = fit(f"{call.id}_{times[call.id]}")
        seen[id] = None
    return list(seen)


def _tool_call(call: Call, id: str) -> ChatMessage:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": id, "type": "function", "function": function}


def _tool_message(id: str, result: Result | None) -> ChatMessage:
    text = NO_RESULT if result is None else result.text
    said: str | list[Part] = text
    if result is not None and result.cache_control is not None:
        said = [text_part(text)]
        mark(said, result.cache_control)
    return {"role": "tool", "tool_call_id": id, "content": said}


def _into_result(after: list[ChatMessage], tool: ChatMessage) -> list[ChatMessage]:
    """What may follow the tool message once the user's text has gone into it."""
    if not after:
        return after
    said = texts(after[0]["content"])
    rest = [part for part in after[0]["content"] if "text" not in part]
    if said and isinstance(tool["content"], str):
        tool["content"] = "\n\n".join([tool["content"], *said] if tool["content"] else said)
        after = [{**after[0], "content": rest}, *after[1:]] if rest else after[1:]
    return [{"role": "assistant", "content": [text_part(BRIDGE)]}, *after] if after else after


Prefill = Callable[[ChatMessage], list[ChatMessage]]


def _keep(_: ChatMessage) -> list[ChatMessage]:
    return []


def _prefix(last: ChatMessage) -> list[ChatMessage]:
    last["prefix"] = True
    return []


def _partial(last: ChatMessage) -> list[ChatMessage]:
    last["partial"] = True
    return []


def _continue(_: ChatMessage) -> list[ChatMessage]:
    return [{"role": "user", "content": "Continue."}]


PREFILL: dict[str, Prefill] = {
    "keep": _keep,  # llama.cpp and vLLM continue it, OpenAI reads it as history
    "prefix": _prefix,  # Mistral, DeepSeek
    "partial": _partial,  # Moonshot
    "continue": _continue,
}
"""How a conversation may end that ends with the assistant: what is marked or added."""
