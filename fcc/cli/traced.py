"""Where do commands get traces from? From the daemon; without one from the files that it left."""

import sys
from typing import Any, Final, NoReturn
from urllib.parse import quote

import click
import msgspec

from fcc.cli.daemon_options import found
from fcc.cli.local import NoAnswerError, NotFccError, ask, reachable
from fcc.errors import NotFoundError
from fcc.observe import trace as traces
from fcc.observe.shelf import Shelf
from fcc.observe.trace import HOW_TO_RECORD, Summary, Trace
from fcc.settings.places import traces_dir
from fcc.settings.recorder import RecorderOptions

__all__ = ["NONE_LEFT", "Listing", "fail", "listing", "needs_bodies", "one"]

NONE_LEFT: Final = (
    f"no daemon runs, and none has left a trace; to keep what was said, {HOW_TO_RECORD}"
)

_PATIENCE = 30.0
"""Seconds: a trace may have megabytes, and the daemon has other things to do."""


class Listing(msgspec.Struct):
    """What there is, the oldest first."""

    traces: list[Summary]
    recorder: RecorderOptions | None = None
    """How the daemon is set; None: none runs."""


def listing(port: int | None) -> Listing:
    """All traces. Raises ConfigError, NoAnswerError."""
    said = _asked(port, "")
    if said is None:
        return Listing(Shelf(traces_dir()).summaries())
    return msgspec.convert(said, Listing)


def one(wanted: str, port: int | None) -> Trace:
    """The trace that `wanted` means; ends the command where there is none.

    Raises ConfigError, NoAnswerError.
    """
    said = _asked(port, f"/{quote(wanted, safe='')}")
    if said is not None:
        return msgspec.convert(said, Trace)
    shelf = Shelf(traces_dir())
    summaries = shelf.summaries()
    if not summaries:
        fail(NONE_LEFT)
    try:
        id = traces.found(wanted, [summary.id for summary in summaries])
    except NotFoundError as error:
        fail(f"{error.message} (no daemon runs: looked in {traces_dir()})")
    trace = shelf.read(id)
    if trace is None:
        fail(f"the trace {id} is gone")
    return trace


def needs_bodies(trace: Trace) -> None:
    """End the command where what was said was not recorded."""
    if not trace.bodies:
        why = trace.left_out or f"the recorder keeps facts only: {HOW_TO_RECORD}"
        fail(f"what was said in {trace.id} was not recorded; {why}")


def fail(words: str) -> NoReturn:
    """End the command with one line and exit code 1."""
    click.echo(f"fcc: {words}", err=True)
    sys.exit(1)


def _asked(port: int | None, path: str) -> Any:
    """What the daemon says; None where none runs."""
    config, running = found(port)
    if running is None:
        return None
    url = reachable(running.url)
    try:
        status, said = ask(url, f"/fcc/traces{path}", token=config.auth_token, patience=_PATIENCE)
    except (OSError, NotFccError) as error:
        raise NoAnswerError(f"the fcc at {url} does not answer: {error}") from error
    if status == 200:
        return said
    words = str(said.get("error", {}).get("message", "")) if isinstance(said, dict) else ""
    words = words.partition(" (request_id=")[0] or f"it answered {status}"
    if words.startswith("there is no GET"):
        words = f"the fcc at {url} is of version {running.version}, which records nothing"
    return fail(words)
