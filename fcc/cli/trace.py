"""`fcc trace`: what did the last requests look like on their way?"""

import sys
import time
from typing import Final

import click
import msgspec

from fcc.cli.daemon_options import port_option
from fcc.cli.say_json import say_json
from fcc.cli.table import paint, table
from fcc.cli.traced import NONE_LEFT, Listing, fail, listing, needs_bodies, one
from fcc.observe.trace import Attempt, Summary, Trace

__all__ = ["trace"]

_EPILOG = """\b
Examples:
  fcc trace list
  fcc trace show last
  fcc trace show req_8f2c               the beginning of an id is enough
  fcc trace show last --raw received > upstream.sse
\b
Facts of the last requests are always kept; what was said only when it is switched on:
bodies = true under [recorder] in config.toml, or fcc serve --record. Secrets are masked.
"""

_LIST_EPILOG = """\b
Examples:
  fcc trace list
  fcc trace list -n 5 --json | jq '.[].outcome'
"""

_SHOW_EPILOG = """\b
Examples:
  fcc trace show last
  fcc trace show req_8f2c --json | jq .attempts
  fcc trace show last --raw upstream | jq .messages
\b
--raw prints bytes: `in` what the client asked, `upstream` the body that went out, `received`
what came back, `sent` what the client got. Of several attempts it is the last; --attempt 1 is the
first.
"""

_OF_AN_ATTEMPT: Final = ("upstream", "received")
"""What --raw prints that there is of each attempt."""

_SHOWN: Final = 48
"""Characters of where a request went."""


@click.group(epilog=_EPILOG)
def trace() -> None:
    """Look at the last requests: came in, went upstream, came back, was sent."""


@trace.command("list", epilog=_LIST_EPILOG)
@port_option
@click.option("--lines", "-n", type=click.IntRange(1), default=30, help="How many (30).")
@click.option("--json", "as_json", is_flag=True, help="All that is known, as JSON.")
def list_traces(port: int | None, lines: int, as_json: bool) -> None:
    """List the last requests, the newest last."""
    known = listing(port)
    shown = known.traces[-lines:]
    if as_json:
        say_json(msgspec.to_builtins(shown))
    elif shown:
        heads = ("id", "when", "model", "status", "outcome", "seconds", "in", "out", "kept")
        rows = [_row(summary) for summary in shown]
        click.echo(table(heads, rows, right="status seconds in out"))
    else:
        click.echo(_why_none(known))


@trace.command(epilog=_SHOW_EPILOG)
@click.argument("id")
@port_option
@click.option("--json", "as_json", is_flag=True, help="All that is known, as JSON.")
@click.option(
    "--raw",
    type=click.Choice(["in", "upstream", "received", "sent"]),
    help="Print these bytes, and nothing else.",
)
@click.option(
    "--attempt",
    type=click.IntRange(1),
    help="Which attempt --raw upstream or received means (the last).",
)
def show(id: str, port: int | None, as_json: bool, raw: str | None, attempt: int | None) -> None:
    """Show one request step by step; ID is its beginning too, or `last`."""
    if attempt is not None and raw not in _OF_AN_ATTEMPT:
        raise click.UsageError(
            "--attempt goes with --raw upstream or --raw received: a client asks and is answered "
            "once, however many attempts it takes"
        )
    found = one(id, port)
    if raw:
        sys.stdout.buffer.write(_raw(found, raw, attempt))
    elif as_json:
        say_json(msgspec.to_builtins(found))
    else:
        from fcc.cli.trace_text import lines

        click.echo("\n".join(lines(found)))


def _row(summary: Summary) -> tuple[str, ...]:
    failed = summary.status >= 400 or summary.outcome.endswith("_error")
    outcome = summary.outcome or (f"local {summary.local}" if summary.local else "-")
    if summary.attempts > 1:
        outcome += f" ({summary.attempts} attempts)"
    return (
        summary.id,
        when(summary.at),
        _where(summary),
        paint(str(summary.status), "red" if failed else "green"),
        paint(outcome, "red") if failed else outcome,
        f"{summary.seconds:.2f}",
        str(summary.input),
        str(summary.output),
        "all" if summary.bodies else "facts",
    )


def when(at: float) -> str:
    """The local time, with the day where that is another."""
    begun, today = time.localtime(at), time.localtime()
    same = begun[:3] == today[:3]
    return time.strftime("%H:%M:%S" if same else "%Y-%m-%d %H:%M", begun)


def _where(summary: Summary) -> str:
    target = f"{summary.provider}/{summary.model}" if summary.provider else summary.local or "-"
    text = f"{summary.asked or '-'} -> {target}"
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _why_none(known: Listing) -> str:
    if known.recorder is None:
        return NONE_LEFT
    if known.recorder.keep == 0:
        return "the recorder is off: keep = 0 under [recorder], or observe = false, in config.toml"
    return "no request yet"


def _raw(found: Trace, which: str, number: int | None) -> bytes:
    if which not in _OF_AN_ATTEMPT:
        needs_bodies(found)
        said = found.body if which == "in" else found.sent and found.sent.data
        return said.raw if said else b""
    attempt = _attempt(found, number)
    needs_bodies(found)
    said = attempt.body if which == "upstream" else attempt.received and attempt.received.data
    return said.raw if said else b""


def _attempt(found: Trace, number: int | None) -> Attempt:
    """The one that is meant; ends the command where none was made."""
    count = len(found.attempts)
    if not count:
        fail(f"nothing of {found.id} went upstream: there was no attempt")
    if number is not None and number > count:
        had = "1 attempt" if count == 1 else f"{count} attempts"
        raise click.UsageError(f"{found.id} took {had}: there is no --attempt {number}")
    return found.attempts[(number or count) - 1]
