"""What is fuzzed: how an input is made, and what must be true of it.

An input is JSON with bytes in it, so that it can be made smaller. A check raises what is a finding.
"""

import json
import math
import re
from collections.abc import Callable
from random import Random
from typing import Any, Final

import msgspec

from fcc.diagnosis.verdict import Source, fix, in_stream, refusal
from fcc.errors import FccError, LocalProtocolError, UpstreamError, UpstreamServerError
from fcc.settings.files import Providers, shipped_dir
from fcc.settings.profile import Model
from fcc.translate.reply.message import Accumulator
from fcc.translate.request.body import translate
from fcc.wire.events import encode, frame
from fcc.wire.messages import decode_count_tokens, decode_request
from fcc.wire.sse import ServerSentEvent, SSEDecoder
from tests.fuzz.values import ERRORS, RECORDINGS, REQUESTS, changed, copied, cut, mangled, value
from tests.grammar import content, read
from tests.test_streams import translation_for

__all__ = ["TARGETS", "Target"]


class Target(msgspec.Struct, frozen=True):
    """One side of the core."""

    make: Callable[[Random], Any]
    check: Callable[[Any], None]
    share: int
    """How many of a hundred inputs."""


# Server-sent events.


def _make_sse(dice: Random) -> list[bytes]:
    raw = dice.choice(RECORDINGS)
    begin = dice.randrange(max(1, len(raw) - 400))
    return cut(dice, mangled(dice, raw[begin : begin + dice.choice((30, 100, 400))]))


def _check_sse(reads: list[bytes]) -> None:
    whole, parts = _events([b"".join(reads)]), _events(reads)
    assert whole == parts, f"whole: {whole}, in parts: {parts}"


def _events(reads: list[bytes]) -> list[ServerSentEvent] | str:
    decoder = SSEDecoder()
    try:
        return [event for raw in reads for event in decoder.feed(raw)] + decoder.finish()
    except UpstreamServerError as error:
        return str(error)


# Streams.

_TOOLS: Final = {"command": "string", "timeout": "number", "background": "boolean"}


def _make_stream(dice: Random) -> dict[str, Any]:
    raw = dice.choice(RECORDINGS)
    if dice.random() < 0.3:
        raw = mangled(dice, raw)
    else:
        events = [_event(dice, event) for event in raw.split(b"\n\n") if event]
        if events and dice.random() < 0.3:
            events.insert(dice.randrange(len(events)), _event(dice, dice.choice(events)))
        if events and dice.random() < 0.2:
            del events[dice.randrange(len(events)) :]
        raw = b"\n\n".join([*events, b""])
    return {
        "reads": cut(dice, raw),
        "tools": [name for name in ("Bash", "Read", "get_weather") if dice.random() < 0.6],
        "reply": {
            name: dice.random() < 0.5
            for name in ("implicit_think_open", "think_anywhere", "repair")
            if dice.random() < 0.2
        },
        "arguments": dice.choice(("live", "buffer")),
        "cut": dice.random() < 0.1,
    }


def _event(dice: Random, event: bytes) -> bytes:
    if dice.random() < 0.6 or not event.startswith(b"data: {"):
        return event
    try:
        chunk = json.loads(event.removeprefix(b"data: "))
    except ValueError:
        return event
    for _ in range(dice.randrange(1, 3)):
        chunk = changed(dice, chunk)
    return b"data: " + json.dumps(chunk, ensure_ascii=dice.random() < 0.5).encode(
        "utf-8", "surrogatepass"
    )


def _check_stream(given: dict[str, Any]) -> None:
    reads = given["reads"]
    whole, parts = _answer(given, [b"".join(reads)]), _answer(given, reads)
    assert whole == parts, f"whole: {whole}, in parts: {parts}"


def _answer(given: dict[str, Any], reads: list[bytes]) -> Any:
    """What a client has at the end, however the stream was cut."""
    expect = {"tools": given["tools"], "tool_schemas": dict.fromkeys(given["tools"], _TOOLS)}
    translation = translation_for(expect, **given["reply"], tool_arguments=given["arguments"])
    events = [event for raw in reads if raw for event in translation.feed(raw)]
    events += translation.finish(UpstreamError("cut") if given["cut"] else None)
    failure = translation.failure
    seen = read(b"".join(map(frame, events)))
    assert seen.ended != (failure is not None), f"ended: {seen.ended}, failure: {failure!r}"
    assert failure is None or _is_well_told(failure)
    blocks = content(seen)
    if seen.ended:
        whole = Accumulator()
        whole.feed(events)
        assert len(json.loads(encode(whole.message))["content"]) == len(blocks)
    told = (type(failure).__name__, str(failure)) if failure else None
    return blocks, seen.open_block, seen.stop_reason, seen.usage if seen.ended else None, told


# Requests.

_MODELS: Final = [
    Model(name="m", provider="p"),
    *(
        Providers(shipped_dir() / "providers").get(name).model(model)
        for name, model in (
            ("openrouter", "anthropic/claude-opus-4.8"),
            ("mistral", "devstral"),
            ("gemini", "gemini-3-pro"),
            ("deepseek", "deepseek-chat"),
        )
    ),
]


def _make_request(dice: Random) -> Any:
    request = _small(dice, dice.choice(REQUESTS))
    for _ in range(dice.randrange(1, 4)):
        request = changed(dice, request)
    if dice.random() < 0.1:
        return mangled(dice, json.dumps(request).encode())
    return request if dice.random() < 0.95 else value(dice)


def _small(dice: Random, request: dict[str, Any]) -> dict[str, Any]:
    """Some of the messages and some of the tools: whole requests are large."""
    kept = {name: _some(dice, request.get(name) or [], 3) for name in ("messages", "tools")}
    small = {**request, "system": "Be terse.", **kept}
    return {name: copied(part) for name, part in small.items()}


def _some(dice: Random, parts: list[Any], most: int) -> list[Any]:
    at = dice.randrange(len(parts) + 1)
    return parts[at : at + dice.randrange(most + 1)] or parts[:1]


def _check_request(request: Any) -> None:
    raw = request if isinstance(request, bytes) else json.dumps(request).encode()
    try:
        decode_count_tokens(raw)
        decoded = decode_request(raw)
    except FccError as error:
        _check_refusal(error)
        return
    for model in _MODELS:
        try:
            body = json.loads(translate(decoded, model).data)
        except FccError as error:
            _check_refusal(error)
        else:
            assert body["messages"], "no messages"
            assert body["model"] == model.name


def _check_refusal(error: FccError) -> None:
    assert not isinstance(error, LocalProtocolError), repr(error)
    assert error.status == 400, repr(error)
    assert error.message.strip(), repr(error)


# Errors.

_SOURCE: Final = Source("P", "m", "P_API_KEY", "https://api.p.test/v1")
_SECRET: Final = "sk-proj-Zx9Qw8Er7Ty6Ui5Op4As3Df2Gh1Jk0L"
_ALONE: Final = re.compile(rf"(?<!\w){_SECRET}")
"""Behind a letter it looks like no key."""


def _make_error(dice: Random) -> dict[str, Any]:
    recorded = copied(dice.choice(ERRORS))
    body = recorded["body"]
    if isinstance(body, dict | list):
        for _ in range(dice.randrange(3)):
            body = changed(dice, body)
    raw = (body if isinstance(body, str) else json.dumps(body)).encode("utf-8", "surrogatepass")
    if dice.random() < 0.1:
        raw = raw.replace(b" ", f" {_SECRET} ".encode(), 1)
    if dice.random() < 0.3:
        raw = mangled(dice, raw)
    headers = {**recorded["headers"], dice.choice(_HEADERS): str(value(dice, 0))}
    status = recorded["status"] if dice.random() < 0.7 else dice.randrange(100, 1000)
    return {"status": status, "headers": headers, "body": raw, "now": dice.choice((None, 1.7e9))}


_HEADERS: Final = ("retry-after", "retry-after-ms", "x-ratelimit-reset", "x-ratelimit-reset-tokens")


def _check_error(given: dict[str, Any]) -> None:
    body = given["body"]
    error = refusal(_SOURCE, given["status"], given["headers"], body, now=given["now"])
    assert _is_well_told(error), repr(error)
    fix(given["status"], body)
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = body.decode("utf-8", "replace")
    assert _is_well_told(in_stream(_SOURCE, told)), repr(told)


def _is_well_told(error: UpstreamError) -> bool:
    wait = error.retry_after
    return (
        bool(error.message.strip())
        and error.message.isprintable()
        and len(error.message) < 2000
        and not _ALONE.search(error.message)
        and 400 <= error.status < 600
        and (wait is None or (wait >= 0 and math.isfinite(wait)))
    )


TARGETS: Final = {
    "sse": Target(_make_sse, _check_sse, 40),
    "stream": Target(_make_stream, _check_stream, 20),
    "request": Target(_make_request, _check_request, 25),
    "error": Target(_make_error, _check_error, 15),
}
