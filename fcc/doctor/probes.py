"""What can this model do? Each probe asks it once or twice, and tells a finding and a fact.

The questions have answers that can't be guessed (a word that only the prompt has), and that even
a small model gets right.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from fcc.doctor.finding import Finding, fail, ok, warn
from fcc.doctor.heard import Asker, Heard
from fcc.doctor.written import written_calls
from fcc.errors import BillingError, RefusedKeyError, RefusedModelError
from fcc.translate.tools import DeclaredTool

__all__ = ["NEED_TOOLS", "PROBES", "TOOL", "Outcome", "Probe", "streaming", "user", "with_result"]


class Outcome(msgspec.Struct, frozen=True):
    """A finding, and what it teaches, by the names of `Capabilities`."""

    finding: Finding
    learned: dict[str, Any] = {}


Probe = Callable[[Asker], Iterator[Outcome]]

_SLOW: Final = 30.0
"""Seconds to a first word that a person waits for without doubt."""

_WORD: Final = "plover"
TOOL: Final[dict[str, Any]] = {
    "name": "get_weather",
    "description": "The weather of one city, at this moment.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
_PARSER: Final = (
    "turn the server's tool-call parser on (vLLM: --enable-auto-tool-choice --tool-call-parser "
    "NAME, llama.cpp: --jinja), or choose another model"
)
_NOTOOLS: Final = "Claude Code needs tools: choose another model (fcc models --tools)"


def user(text: str) -> dict[str, Any]:
    """A turn of the person's."""
    return {"role": "user", "content": text}


def streaming(asker: Asker) -> Iterator[Outcome]:
    """Whether it answers, bit by bit, and what comes along with an answer."""
    heard = asker.ask([user("Count from one to thirty in English words, one word a line.")])
    name = asker.model.name
    if heard.error is not None:
        yield Outcome(fail("answer", str(heard.error), _answer_fix(asker, heard)))
        return
    if not heard.chunks:
        seen = f"{name} ended without a word (finish_reason {heard.finish_reason or 'none'})"
        fix = "try it again; a reasoning model may need more tokens"
        yield Outcome(fail("answer", seen, fix))
        return
    yield from _streamed(heard, name)
    yield _usage(asker, heard)
    limits = sorted(header for header in heard.headers if "ratelimit" in header)
    seen = ", ".join(limits) or "none: limits are learned from 429s, and from the profile"
    yield Outcome(
        ok("limits", f"rate-limit headers: {seen}"), {"rate_limit_headers": tuple(limits)}
    )


def _answer_fix(asker: Asker, heard: Heard) -> str:
    match heard.error:
        case RefusedKeyError():
            return f"put a valid key into {asker.profile.api_key_env}"
        case BillingError():
            return f"add credit, or: fcc models --provider {asker.profile.name} --free"
        case RefusedModelError():
            return f"choose another model: fcc models --provider {asker.profile.name}"
        case _:
            return f"ask {asker.profile.label}, or choose another model"


def _streamed(heard: Heard, name: str) -> Iterator[Outcome]:
    seen = f"{name} answers: first word after {heard.first:.1f} s, {heard.chunks} chunks"
    if not heard.finish_reason:
        fix = "its answers look cut: fcc waits for the usage instead"
        yield Outcome(warn("answer", f"{seen}, and no finish_reason", fix), {"streams": True})
    elif heard.chunks <= 2 and max(heard.completion_tokens, len(heard.text) // 4) > 20:
        fix = "something in between collects it: check a proxy's buffering, or the server's options"
        yield Outcome(warn("answer", f"{seen}: all at once", fix), {"streams": False})
    elif heard.first > _SLOW:
        fix = "a smaller or a loaded model is faster; fcc claude gives it time"
        yield Outcome(warn("answer", f"{seen}: slow", fix), {"streams": True})
    else:
        yield Outcome(ok("answer", seen), {"streams": True})


def _usage(asker: Asker, heard: Heard) -> Outcome:
    if heard.prompt_tokens:
        seen = f"usage: {heard.prompt_tokens} tokens in, {heard.completion_tokens} out"
        return Outcome(ok("usage", seen), {"usage": True})
    if not asker.model.ask.stream_usage:
        fix = "set ask.stream_usage = true in the provider's file, if it knows stream_options"
        return Outcome(ok("usage", f"not asked for ({fix}); fcc estimates"), {"usage": False})
    fix = "fcc estimates: Claude Code's count of the context is rough, so let it compact early"
    return Outcome(warn("usage", "no usage is reported", fix), {"usage": False})


def tool_call(asker: Asker) -> Iterator[Outcome]:
    """Whether it calls the tool that it is asked to call."""
    question = [user("What is the weather in Paris? Call the tool get_weather to find out.")]
    heard = asker.ask(question, tools=[TOOL])
    if heard.error is not None:
        yield Outcome(fail("tools", str(heard.error), _tools_fix(heard)), {"tools": False})
    elif heard.calls:
        yield _called(heard)
    elif dialects := _written(heard):
        seen = (
            f"it writes tool calls into its text ({', '.join(dialects)}); fcc makes calls of them"
        )
        yield Outcome(warn("tools", seen, _PARSER), {"tools": False, "tools_as_text": True})
    else:
        yield _forced(asker, question)


def _tools_fix(heard: Heard) -> str:
    parser = re.search(r"parser|--enable-auto|--jinja|tool.choice", str(heard.error), re.IGNORECASE)
    return _PARSER if parser else _NOTOOLS


def _called(heard: Heard) -> Outcome:
    call = heard.calls[0]
    try:
        arguments = json.loads(call.arguments)
    except ValueError:
        seen = f"the arguments of its call are no JSON: {call.arguments[:80]!r}"
        return Outcome(
            warn("tools", seen, "fcc mends what it can; a larger model"), {"tools": True}
        )
    if call.name != "get_weather" or not isinstance(arguments, dict) or "city" not in arguments:
        seen = f"it called {call.name}({call.arguments[:80]}) instead of get_weather(city)"
        return Outcome(warn("tools", seen, "a larger model follows schemas"), {"tools": True})
    parts = f"in {len(call.parts)} parts" if len(call.parts) > 1 else "at once"
    return Outcome(ok("tools", f"it calls tools; arguments come {parts}"), {"tools": True})


def _forced(asker: Asker, question: list[dict[str, Any]]) -> Outcome:
    heard = asker.ask(question, tools=[TOOL], tool_choice={"type": "any"})
    if heard.error is not None:
        seen = f"it ignores tools where it may choose, and where it must: {heard.error}"
        return Outcome(fail("tools", seen, _tools_fix(heard)), {"tools": False})
    if heard.calls:
        seen = "it calls tools only where it is forced to"
        return Outcome(warn("tools", seen, "a larger model works better"), {"tools": True})
    return Outcome(fail("tools", "it ignores tools", _NOTOOLS), {"tools": False})


def _written(heard: Heard) -> list[str]:
    tool = DeclaredTool(TOOL["name"], TOOL["input_schema"])
    truncated = heard.finish_reason == "length"
    texts = (heard.text, "".join(heard.thoughts))
    return [name for text in texts for name in written_calls(text, tool, truncated=truncated)]


def parallel(asker: Asker) -> Iterator[Outcome]:
    """Whether it calls two tools at once."""
    question = (
        "What is the weather in Paris and in Rome? Call get_weather once for each city, both now."
    )
    heard = asker.ask([user(question)], tools=[TOOL])
    if heard.error is not None:
        yield Outcome(warn("parallel", str(heard.error), "calls come one after the other"), {})
        return
    ids = [call.id for call in heard.calls]
    if not heard.calls:
        yield Outcome(ok("parallel", "it called no tool this time, so that nothing was seen"))
    elif len(heard.calls) < 2:
        yield Outcome(ok("parallel", "one call at a time"), {"parallel_tools": False})
    elif len(set(ids)) < len(ids) or "" in ids:
        seen = f"{len(ids)} calls at once; their ids are not unique, so fcc gives its own"
        yield Outcome(ok("parallel", seen), {"parallel_tools": True})
    else:
        yield Outcome(ok("parallel", f"{len(ids)} calls at once"), {"parallel_tools": True})


def tool_result(asker: Asker) -> Iterator[Outcome]:
    """Whether it goes on from a tool's result."""
    heard = asker.ask(with_result(), tools=[TOOL])
    fix = "see ask.after_tools, ask.tool_ids and ask.no_content of the provider's file"
    if heard.error is not None:
        yield Outcome(fail("results", str(heard.error), fix), {"tool_results": False})
    elif _WORD in heard.all:
        yield Outcome(ok("results", "it goes on from a tool's result"), {"tool_results": True})
    elif heard.calls:
        seen = "it calls the tool again instead of reading its result"
        yield Outcome(warn("results", seen, "a larger model"), {"tool_results": False})
    else:
        yield Outcome(warn("results", "it does not use a tool's result", "a larger model"), {})


def with_result(*before: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A conversation whose call has been answered; `before` are blocks that came before it."""
    call = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Paris"}}
    result = {
        "type": "tool_result",
        "tool_use_id": "toolu_1",
        "content": f"18 degrees. The code word of this report is {_WORD}.",
    }
    return [
        user("What is the weather in Paris? Tell me the code word of the report, too."),
        {"role": "assistant", "content": [*before, call]},
        {"role": "user", "content": [result]},
    ]


PROBES: Final[tuple[tuple[str, Probe], ...]] = (
    ("a tool call", tool_call),
    ("two tool calls at once", parallel),
    ("a tool's result", tool_result),
)
"""What is asked about, and the probe; `streaming` comes before all."""

NEED_TOOLS: Final = (parallel, tool_result)
"""Probes that mean nothing where the model has no tools."""
