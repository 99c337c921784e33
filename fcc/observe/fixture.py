"""How does a recorded stream become a test? Its bytes, and what was made of them.

The form is that of `tests/fixtures/streams`: NAME.sse beside NAME.expect.json. A refusal takes that
of `tests/fixtures/errors.json`. What is written down is what fcc did: whoever reports a bug
changes it to what it should have done.
"""

from typing import Any

import msgspec

from fcc.observe.told import Answer, answer_of
from fcc.observe.trace import Attempt, Data, Trace
from fcc.settings.profile import Model, Reply
from fcc.wire.json import loads

__all__ = ["declared_names", "expectation", "refusal", "streamed"]


def streamed(trace: Trace) -> Attempt | None:
    """The attempt whose bytes became the answer: the last that had any, and no error status."""
    fits = [one for one in trace.attempts if one.received and one.status in (None, 200)]
    return fits[-1] if fits else None


def expectation(trace: Trace, attempt: Attempt, sent: bytes, model: Model | None) -> dict[str, Any]:
    """What was made of the attempt's stream; `sent` is what the client got."""
    request, body = json_of(trace.body), json_of(attempt.body)
    answer, schemas = answer_of(sent), _schemas(body)
    renamed = _renamed(request, body)
    wanted: dict[str, Any] = {
        "case": f"recorded_{trace.id}",
        "quirk": f"recorded by fcc {trace.version}: say here what is wrong",
        "tools": list(schemas),
        "tool_schemas": schemas,
        "content": [_content(block, renamed) for block in answer.blocks],
        "stop_reason": None if answer.error else answer.stop_reason,
        "error": _error(trace, answer),
        "why": f"{attempt.provider}, {attempt.model}",
        "tier": "extra",
    }
    if answer.stop_sequence:
        wanted["stop_sequence"] = answer.stop_sequence
    if stops := request.get("stop_sequences"):
        wanted["request"] = {"stop_sequences": stops}
    if answer.open_block is not None and not wanted["error"]:
        name = answer.open_block.get("name")
        wanted["open_block_at_end"] = {"name": renamed.get(str(name), name)}
    if model is not None and (changed := _unusual(model.reply)):
        wanted["profile"] = changed
    outcome = trace.outcome
    if answer.stop_reason and not outcome.estimated and outcome.input == outcome.longest:
        wanted["usage"] = _usage(trace)
    return wanted


def refusal(trace: Trace, attempt: Attempt) -> dict[str, Any]:
    """An entry for the table of refusals."""
    raw = attempt.received.data.raw if attempt.received else b""
    try:
        body: Any = loads(raw)
    except (ValueError, RecursionError):
        body = raw.decode("utf-8", "replace")
    told = {name: value for name, value in attempt.response_headers if _tells(name)}
    return {
        "provider": attempt.provider,
        "status": attempt.status,
        "headers": told,
        "body": body,
        "expect": {"type": attempt.error_type, "message_matches": ""},
        "source": f"recorded_{trace.id} by fcc {trace.version}",
    }


def declared_names(trace: Trace) -> set[str]:
    """Names of tools and of their fields, on both sides."""
    names: set[str] = set()
    for body in (json_of(trace.body), *(json_of(one.body) for one in trace.attempts)):
        for name, schema in _declared(body):
            names |= {name, *(schema.get("properties") or {})}
    return names


def json_of(data: Data | None) -> dict[str, Any]:
    """A body's object; {} where there is none."""
    try:
        value = loads(data.raw) if data else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _declared(body: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Each tool with the schema of its input, whichever of the two formats it is in."""
    found = []
    for tool in body.get("tools") or ():
        function = tool.get("function", tool) if isinstance(tool, dict) else {}
        schema = function.get("parameters") or function.get("input_schema")
        if "name" in function:
            found.append((str(function["name"]), schema if isinstance(schema, dict) else {}))
    return found


def _schemas(body: dict[str, Any]) -> dict[str, Any]:
    return {name: dict(schema.get("properties") or {}) for name, schema in _declared(body)}


def _renamed(request: dict[str, Any], body: dict[str, Any]) -> dict[str, str]:
    """The client's name of a tool -> the provider's, where they differ."""
    ours, theirs = _declared(request), _declared(body)
    if len(ours) != len(theirs):
        return {}
    pairs = zip(ours, theirs, strict=True)
    return {before: after for (before, _), (after, _) in pairs if before != after}


def _content(block: dict[str, Any], renamed: dict[str, str]) -> dict[str, Any]:
    kind = str(block["type"])
    if kind != "tool_use":
        return {"type": kind, kind: block[kind].strip()} if kind in block else {"type": kind}
    name, raw = str(block["name"]), str(block["raw"])
    named = {"type": kind, "name": renamed.get(name, name)}
    try:
        return {**named, "input": loads(raw.encode() or b"{}")}
    except (ValueError, RecursionError):
        return {**named, "input_raw": raw}


def _error(trace: Trace, answer: Answer) -> dict[str, Any] | None:
    if answer.error is None and answer.stop_reason is not None:
        return None
    last = trace.attempts[-1]
    kind = last.error_type or (answer.error or {}).get("type") or "api_error"
    return {"type": kind, "after_output": answer.began, "message_matches": ""}


def _usage(trace: Trace) -> dict[str, int]:
    outcome = trace.outcome
    fresh = outcome.input - outcome.cached - outcome.written
    usage = {"input_tokens": fresh, "output_tokens": outcome.output}
    more = {
        "cache_read_input_tokens": outcome.cached,
        "cache_creation_input_tokens": outcome.written,
    }
    return usage | {name: count for name, count in more.items() if count}


def _unusual(reply: Reply) -> dict[str, Any]:
    usual = msgspec.to_builtins(Reply())
    told = msgspec.to_builtins(reply).items()
    return {name: value for name, value in told if value != usual[name]}


def _tells(name: str) -> bool:
    return "ratelimit" in name or name in ("retry-after", "content-type")
