"""How a reply of the scripted model looks on the wire: Chat Completions chunks, and their faults.

Options of the cue that are read here:

| option | values |
|---|---|
| reasoning | the field that carries reasoning: reasoning_content, reasoning; or think: tags in the content |
| calls | interleaved: the argument deltas of several calls in turn; a dialect: written as text |
| damage | brackets, comma, doubled, cumulative, python, wrapped: what is wrong with arguments |
| cuts | odd: writes end in the middle of events and of characters |
| fault | cut (reset), end (a clean end too soon), error (an error object) |
| where | text, arguments, reasoning: in the middle of which the fault comes; start: before all |
| pause | seconds between two pieces of text |
| stall | seconds of silence before the first chunk |
| finish | finish_reason in place of the natural one |
| stopped_by | the stop string of the choice, as vLLM tells it |
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from itertools import accumulate, zip_longest
from typing import Any

from tests.e2e.script import Cue, Reply
from tests.e2e.written import WRITTEN, written

_PIECE = 9
"""Characters a chunk, so that every tag, path and escape is split somewhere."""
_ODD = 61
"""Bytes a write; a prime, so that cuts wander through the events."""

FAULT = "Provider returned error in mid-stream"


class Break(Enum):
    """An end that is no answer's end."""

    RESET = "reset"
    EOF = "eof"


Act = bytes | float | Break
"""Bytes to write, seconds to wait, or the end."""


@dataclass(frozen=True)
class Answer:
    """One answer, ready to be put on the wire."""

    reply: Reply
    cue: Cue
    model: str
    ident: str
    usage: dict[str, Any]

    def acts(self) -> list[Act]:
        """All that happens on the wire of a streamed answer, in order."""
        acts: list[Act] = []
        if stall := float(self.cue.get("stall", "0")):
            acts.append(stall)
        acts += self._broken({"start": [], **self._parts()})
        if acts and isinstance(acts[-1], Break):
            return _odd(acts) if self.cue.get("cuts") else acts
        acts += [self._chunk({}, self._finish()), self._usage(), b"data: [DONE]\n\n"]
        return _odd(acts) if self.cue.get("cuts") else acts

    def message(self) -> dict[str, Any]:
        """The same answer in one piece."""
        content, calls = self._content_and_calls()
        message: dict[str, Any] = {"role": "assistant", "content": content or None}
        source = self.cue.get("reasoning")
        if self.reply.reasoning and source not in ("", "think"):
            message[source] = self.reply.reasoning
        if calls:
            message["tool_calls"] = [call | {"type": "function"} for call in calls]
        choice = {"index": 0, "message": message, "finish_reason": self._finish()}
        return self._envelope("chat.completion") | {"choices": [choice], "usage": self.usage}

    def _parts(self) -> dict[str, list[bytes]]:
        content, calls = self._content_and_calls()
        source = self.cue.get("reasoning")
        reasoning = self.reply.reasoning if source not in ("", "think") else ""
        first = self._chunk({"role": "assistant", "content": ""})
        return {
            "reasoning": [first, *(self._chunk({source: p}) for p in pieces(reasoning))],
            "text": [self._chunk({"content": p}) for p in pieces(content)],
            "arguments": [self._chunk({"tool_calls": [delta]}) for delta in self._deltas(calls)],
        }

    def _broken(self, parts: dict[str, list[bytes]]) -> list[Act]:
        """The parts one after the other, up to the fault if there is one."""
        pause = float(self.cue.get("pause", "0"))
        acts: list[Act] = []
        for name, chunks in parts.items():
            here = self.cue.get("fault") and self.cue.get("where", "text") == name
            for chunk in chunks[: len(chunks) // 2] if here else chunks:
                acts += [chunk, pause] if pause and name == "text" else [chunk]
            if here:
                return acts + self._fault()
        return acts

    def _fault(self) -> list[Act]:
        if self.cue.get("fault") == "error":
            problem = {"error": {"message": FAULT, "type": "server_error", "code": 502}}
            return [_event(problem), Break.EOF]
        return [Break.RESET if self.cue.get("fault") == "cut" else Break.EOF]

    def _content_and_calls(self) -> tuple[str, list[dict[str, Any]]]:
        content = self.reply.text
        if self.cue.get("reasoning") == "think" and self.reply.reasoning:
            content = f"<think>{self.reply.reasoning}</think>\n\n{content}"
        bare = [(call.name, call.arguments) for call in self.reply.calls]
        if self.cue.get("calls") in WRITTEN:
            return written(self.cue.get("calls"), content, bare), []
        return content, [
            {
                "id": f"call_{self.ident}{i}",
                "function": {"name": name, "arguments": self._arguments(arguments)},
            }
            for i, (name, arguments) in enumerate(bare)
        ]

    def _arguments(self, arguments: dict[str, Any]) -> str:
        damage = DAMAGE.get(self.cue.get("damage"), json.dumps)
        return damage(arguments)

    def _deltas(self, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
        again = self.cue.get("damage") == "cumulative"
        lines = [_call_deltas(index, call, again=again) for index, call in enumerate(calls)]
        if self.cue.get("calls") == "interleaved":
            return [delta for row in zip_longest(*lines) for delta in row if delta]
        return [delta for line in lines for delta in line]

    def _finish(self) -> str:
        natural = "tool_calls" if self._content_and_calls()[1] else "stop"
        return self.cue.get("finish", natural)

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice: dict[str, Any] = {"index": 0, "delta": delta, "finish_reason": finish}
        if finish and self.cue.get("stopped_by"):
            choice["stop_reason"] = self.cue.get("stopped_by")
        return _event(self._envelope() | {"choices": [choice]})

    def _usage(self) -> bytes:
        return _event(self._envelope() | {"choices": [], "usage": self.usage})

    def _envelope(self, kind: str = "chat.completion.chunk") -> dict[str, Any]:
        return {"id": f"chatcmpl-{self.ident}", "object": kind, "created": 1, "model": self.model}


def pieces(text: str) -> list[str]:
    return [text[i : i + _PIECE] for i in range(0, len(text), _PIECE)]


DAMAGE: dict[str, Callable[[dict[str, Any]], str]] = {
    "brackets": lambda arguments: json.dumps(arguments)[:-1],
    "comma": lambda arguments: json.dumps(arguments)[:-1] + ", }",
    "doubled": lambda arguments: json.dumps(arguments) * 2,
    "python": repr,
    "wrapped": lambda arguments: json.dumps(json.dumps(arguments)),
}
"""What models and servers make of arguments."""


def _call_deltas(index: int, call: dict[str, Any], *, again: bool = False) -> list[dict[str, Any]]:
    """`again`: each delta repeats what came before."""
    name, arguments = call["function"]["name"], call["function"]["arguments"]
    opening = {"name": name, "arguments": ""}
    head = {"index": index, "id": call["id"], "type": "function", "function": opening}
    cut = pieces(arguments)
    said = list(accumulate(cut)) if again else cut
    return [head, *({"index": index, "function": {"arguments": p}} for p in said)]


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


def _odd(acts: list[Act]) -> list[Act]:
    whole = b"".join(act for act in acts if isinstance(act, bytes))
    end = [act for act in acts[-1:] if isinstance(act, Break)]
    return [*(whole[i : i + _ODD] for i in range(0, len(whole), _ODD)), *end]
