"""`fcc replay`: what happens when a recorded request is asked again?"""

import sys
from collections.abc import Iterator
from typing import Any, Final

import click
import msgspec

from fcc.cli.daemon_options import NOT_RUNNING, found, port_option
from fcc.cli.local import reachable
from fcc.cli.post import post
from fcc.cli.table import paint, table
from fcc.cli.traced import fail, needs_bodies, one
from fcc.diagnosis.redact import MASK
from fcc.observe.told import Answer, Teller, answer_of
from fcc.observe.trace import Trace
from fcc.wire.json import loads

__all__ = ["replay"]

_EPILOG = """\b
Examples:
  fcc replay last
  fcc replay req_8f2c --model openrouter/qwen/qwen3-coder
\b
The recorded request goes through the daemon once more, and costs what it costs. It must have
been recorded with what was said in it (bodies = true, or fcc serve --record), where secrets are
masked.
Exit code: 0 it was answered, 1 it failed.
"""

_PATIENCE: Final = 900.0
"""Seconds of silence."""

_OWN: Final = frozenset(
    {"host", "content-length", "connection", "transfer-encoding", "accept-encoding",
     "authorization", "x-api-key", "cookie", "expect"}
)  # fmt: skip
"""Headers that belong to the connection or are not what they were."""


@click.command(epilog=_EPILOG)
@click.argument("id")
@port_option
@click.option("--model", "-m", help="Ask this one instead: a Claude name, or provider/model.")
def replay(id: str, port: int | None, model: str | None) -> None:
    """Ask a recorded request again; ID is its beginning too, or `last`."""
    trace = one(id, port)
    needs_bodies(trace)
    config, running = found(port)
    if running is None:
        click.echo("fcc does not run (start it with fcc serve)", err=True)
        sys.exit(NOT_RUNNING)
    body = _body(trace, model)
    headers = [(name, value) for name, value in trace.headers if name not in _OWN]
    headers.append(("Authorization", f"Bearer {config.auth_token or 'fcc'}"))
    with post(reachable(running.url), trace.path, body, headers, _PATIENCE) as answering:
        answer = _printed(answering.parts, answering.headers.get("content-type", ""))
        again = one(answering.headers.get("request-id", "last"), port)
    click.echo(f"\n{_compared(trace, again)}")
    sys.exit(1 if answer.error or answering.status >= 400 or not answer.stop_reason else 0)


def _body(trace: Trace, model: str | None) -> bytes:
    raw = trace.body.raw if trace.body else b""
    if MASK.encode() in raw:
        click.echo(paint(f"what was masked as a secret goes out as {MASK}", "yellow"), err=True)
    if not model:
        return raw
    try:
        value = loads(raw)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        fail(f"the request of {trace.id} is no JSON object, so its model can't be changed")
    return msgspec.json.encode({**value, "model": model})


def _printed(parts: Iterator[bytes], content_type: str) -> Answer:
    """Print the answer as it comes."""
    if "event-stream" not in content_type:
        answer = answer_of(b"".join(parts))
        for block in answer.blocks:
            click.echo(_block(block))
    else:
        teller = Teller()
        for raw in parts:
            for event in teller.feed(raw):
                click.echo(_event(event), nl=False)
        answer = teller.answer
        click.echo()
    if answer.error:
        message = answer.error.get("message")
        click.echo(f"{paint(str(answer.error.get('type')), 'red')}: {message}", err=True)
    return answer


def _event(event: dict[str, Any]) -> str:
    """What of an event a person wants to see."""
    delta = event.get("delta") or {}
    match event.get("type"), delta.get("type"):
        case "content_block_start", _:
            block = event.get("content_block") or {}
            first = "" if event.get("index") == 0 else "\n"
            name = f" {block['name']}" if block.get("name") else ""
            return first + paint(f"[{block.get('type')}{name}]\n", "bright_black")
        case _, "text_delta":
            return str(delta.get("text"))
        case _, "thinking_delta":
            return paint(str(delta.get("thinking")), "bright_black")
        case _, "input_json_delta":
            return str(delta.get("partial_json"))
        case _:
            return ""


def _block(block: dict[str, Any]) -> str:
    name = f" {block['name']}" if block.get("name") else ""
    text = block.get("raw") or block.get(str(block["type"])) or ""
    return paint(f"[{block['type']}{name}]", "bright_black") + f"\n{text}"


def _compared(before: Trace, after: Trace) -> str:
    rows = []
    for name, old, new in zip(_FACTS, _facts(before), _facts(after), strict=True):
        rows.append((name, old, new if old == new else paint(new, "yellow")))
    return table(("", before.id, after.id), rows)


_FACTS: Final = ("model", "status", "outcome", "blocks", "seconds", "first content", "tokens in",
                 "tokens out", "attempts")  # fmt: skip


def _facts(trace: Trace) -> tuple[str, ...]:
    outcome = trace.outcome
    answer = answer_of(trace.sent.data.raw) if trace.sent else Answer()
    blocks = [f"{block['type']} {block.get('name') or ''}".strip() for block in answer.blocks]
    return (
        f"{outcome.provider}/{outcome.model}" if outcome.provider else outcome.local or "-",
        str(outcome.status),
        outcome.outcome or "-",
        ", ".join(blocks) or "-",
        f"{outcome.seconds:.2f}",
        "-" if outcome.first is None else f"{outcome.first:.2f}",
        str(outcome.input),
        str(outcome.output),
        str(outcome.attempts),
    )
