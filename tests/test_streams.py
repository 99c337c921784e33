"""Recorded upstream streams, whole, event by event, byte by byte and in random pieces: the same."""

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from fcc.diagnosis.verdict import Source
from fcc.settings.profile import Reply
from fcc.translate.context import Context
from fcc.translate.reply.reader import Reader
from fcc.translate.reply.translation import Translation
from fcc.translate.tools import DeclaredTool
from fcc.wire.events import Message, MessageUsage, frame
from tests.grammar import Seen, content, read

STREAMS = Path(__file__).parent / "fixtures" / "streams"
NAMES = sorted(path.name.removesuffix(".expect.json") for path in STREAMS.glob("*.expect.json"))


def cuts(raw: bytes, how: str, name: str) -> list[bytes]:
    if how == "events":
        # A read for each, as most providers' streams come.
        return raw.replace(b"\n\n", b"\n\n\0").split(b"\0")
    if how == "whole":
        return [raw]
    if how == "bytes":
        return [raw[i : i + 1] for i in range(len(raw))]
    dice, pieces, at = random.Random(name), [], 0
    while at < len(raw):
        size = dice.choice((1, 2, 3, 5, 8, 13, 40, 120))
        pieces.append(raw[at : at + size])
        at += size
    return pieces


def translation_for(expect: dict[str, Any], **reply: Any) -> Translation:
    schemas = expect.get("tool_schemas") or {}
    tools = [DeclaredTool(name, schema(schemas.get(name, {}))) for name in expect["tools"]]
    request = expect.get("request") or {}
    profile = expect.get("profile") or {}
    known = {key: value for key, value in profile.items() if key in Reply.__struct_fields__}
    known = {key: tuple(v) if isinstance(v, list) else v for key, v in known.items()}
    context = Context(
        tools=tuple(tools), stop_sequences=frozenset(request.get("stop_sequences", ()))
    )
    reader = Reader(Source("Provider", "model"), Reply(**known, **reply), context)
    message = Message("msg_1", "claude", MessageUsage(7, 1))
    return Translation(
        reader, message, sign=lambda kept: "signed" if kept.texts else "", context=context
    )


def schema(types: dict[str, Any]) -> dict[str, Any]:
    properties = {k: v if isinstance(v, dict) else {"type": v} for k, v in types.items()}
    return {"type": "object", "properties": properties}


def answer(translation: Translation, pieces: list[bytes]) -> Seen:
    events = [event for raw in pieces for event in translation.feed(raw)]
    events += translation.finish()
    return read(b"".join(map(frame, events)))


def unlike(want: dict[str, Any], got: Seen, failure: Any) -> str:
    """Why the answer is not what is wanted; "" if it is."""
    error = want.get("error")
    if error:
        if failure is None:
            return f"no failure, but {got.stop_reason} {content(got)}"
        if failure.error_type != error["type"]:
            return f"{failure.error_type}: {failure}"
        wanted_status = error.get("http_status_if_unstarted")
        if wanted_status and failure.status != wanted_status:
            return f"status {failure.status}"
        if not re.search(error.get("message_matches", ""), failure.message):
            return f"message {failure.message!r}"
        if error.get("after_output") is False and got.message is not None:
            return "something was sent"
    elif failure is not None:
        return f"failed: {failure}"
    elif got.stop_reason != want["stop_reason"]:
        return f"stop_reason {got.stop_reason}"
    if want.get("stop_sequence") != got.stop_sequence and "stop_sequence" in want:
        return f"stop_sequence {got.stop_sequence}"
    open_block = want.get("open_block_at_end")
    if not error and (got.open_block or {}).get("name") != (open_block or {}).get("name"):
        return f"open block {got.open_block}"
    return unlike_blocks(want["content"], content(got)) or unlike_usage(want, got)


def unlike_blocks(want: list[dict[str, Any]], got: list[dict[str, Any]]) -> str:
    if [block["type"] for block in want] != [block["type"] for block in got]:
        return f"blocks {got}"
    for wanted, block in zip(want, got, strict=True):
        kind = wanted["type"]
        if kind != "tool_use":
            if wanted[kind].strip() != block[kind]:
                return f"{block}"
        elif wanted["name"] != block["name"]:
            return f"name {block['name']}"
        elif "input_raw" in wanted:
            if wanted["input_raw"] != block["raw"]:
                return f"raw {block['raw']}"
        elif json.loads(block["raw"] or "{}") != wanted["input"]:
            return f"input {block['raw']}"
    return ""


def unlike_usage(want: dict[str, Any], got: Seen) -> str:
    wrong = {
        k: got.usage.get(k) for k, v in (want.get("usage") or {}).items() if got.usage.get(k) != v
    }
    return f"usage {wrong}" if wrong else ""


def alternatives(expect: dict[str, Any]) -> list[dict[str, Any]]:
    others = [{**expect, **other} for other in expect.get("also_ok") or ()]
    for other in others:
        if "no open block" in other.get("note", "") or "never started" in other.get("note", ""):
            other["open_block_at_end"] = None
    return [expect, *others]


@pytest.mark.parametrize("how", ["whole", "events", "bytes", "random"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mode", ["live", "buffer"])
def test_a_recorded_stream_becomes_the_expected_message(name: str, how: str, mode: str) -> None:
    expect = json.loads((STREAMS / f"{name}.expect.json").read_text())
    raw = (STREAMS / f"{name}.sse").read_bytes()
    translation = translation_for(expect, tool_arguments=mode)
    got = answer(translation, cuts(raw, how, name))
    reasons = [unlike(want, got, translation.failure) for want in alternatives(expect)]
    assert "" in reasons, reasons[0]
