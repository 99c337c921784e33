"""How does a trace read for a person, step by step?"""

from collections.abc import Iterator
from typing import Any, Final

from fcc.cli.table import paint
from fcc.cli.trace import when
from fcc.observe.changes import Change, changes, differences
from fcc.observe.condensed import Row, condensed
from fcc.observe.trace import HOW_TO_RECORD, Attempt, Data, Headers, Stream, Trace
from fcc.wire.json import loads

__all__ = ["lines"]

_COLOURS: Final = {"=": "bright_black", "~": "yellow", "-": "red", "+": "green"}

_WORDS: Final = {"=": "kept", "~": "changed", "-": "dropped", "+": "added"}


def lines(trace: Trace) -> Iterator[str]:
    """The whole of it."""
    yield from _head(trace)
    if not trace.bodies:
        why = trace.left_out or f"to see it, {HOW_TO_RECORD}"
        yield f"\n{paint('What was said was not recorded', 'yellow')}: {why}."
    yield from _request(trace)
    before: Any = _json(trace.body)
    for number, attempt in enumerate(trace.attempts, 1):
        yield from _attempt(attempt, number, len(trace.attempts))
        body = _json(attempt.body)
        if number == 1 and isinstance(before, dict) and isinstance(body, dict):
            yield from _changes("from the request to the body", changes(before, body))
        elif isinstance(body, dict):
            edits = list(differences(before, body))
            same = [] if edits else ["    the same body as before"]
            yield from same or _changes("from the body before", edits)
        before = body
        yield from _came_back(attempt)
    yield from _sent(trace)


def _head(trace: Trace) -> Iterator[str]:
    outcome = trace.outcome
    status = paint(str(outcome.status), "red" if outcome.failed else "green", bold=True)
    yield f"{paint(trace.id, 'cyan', bold=True)}  {when(outcome.at)}  {status} {outcome.outcome}"
    target = f"{outcome.provider}/{outcome.model}" if outcome.provider else ""
    way = " -> ".join(filter(None, (outcome.asked, *outcome.fallbacks, target)))
    rows = [
        ("way", way or (f"answered by fcc itself ({outcome.local})" if outcome.local else "")),
        ("time", _time(trace)),
        ("tokens", _tokens(trace)),
        ("repairs", ", ".join(f"{name} {n}" for name, n in outcome.repairs.items())),
        ("error", outcome.error),
        ("fcc", trace.version),
    ]
    yield from (f"  {paint(name.ljust(8), 'cyan')}{text}" for name, text in rows if text)


def _time(trace: Trace) -> str:
    outcome = trace.outcome
    first = "" if outcome.first is None else f", first content after {outcome.first:.2f} s"
    queued = f", {outcome.queued:.2f} s of it in the queue" if outcome.queued >= 0.005 else ""
    tries = f", {outcome.attempts} attempts" if outcome.attempts > 1 else ""
    return f"{outcome.seconds:.2f} s{first}{queued}{tries}"


def _tokens(trace: Trace) -> str:
    outcome = trace.outcome
    if not (outcome.input or outcome.output):
        return ""
    more = [
        f"{count} {name}"
        for name, count in (("cached", outcome.cached), ("written", outcome.written),
                            ("reasoning", outcome.reasoning))
        if count
    ]  # fmt: skip
    own = ["counted by fcc"] if outcome.estimated else []
    extra = f" ({', '.join([*more, *own])})" if more or own else ""
    return f"{outcome.input} in, {outcome.output} out{extra}"


def _request(trace: Trace) -> Iterator[str]:
    yield _title("Came in")
    stream = "streamed" if trace.outcome.stream else "whole"
    yield f"  {trace.method} {trace.path}  {trace.body_bytes:,} bytes, answer {stream}"
    yield from _headers(trace.headers)


def _attempt(attempt: Attempt, number: int, count: int) -> Iterator[str]:
    which = f", attempt {number} of {count}" if count > 1 else ""
    yield _title(f"Went upstream{which}")
    where = attempt.url or "inside fcc"
    yield f"  {attempt.provider}/{attempt.model}  {where}  {attempt.body_bytes:,} bytes"
    yield f"  from {attempt.began:.2f} s to {attempt.ended:.2f} s"
    yield from _headers(attempt.headers)


def _changes(title: str, found: list[Change]) -> Iterator[str]:
    yield f"  {title}:"
    width = max((len(change.field) for change in found), default=0)
    for kind, field, words in found:
        word = paint(f"{kind} {_WORDS[kind].ljust(7)}", _COLOURS[kind])
        yield f"    {word} {field.ljust(min(width, 28))} {words}".rstrip()


def _came_back(attempt: Attempt) -> Iterator[str]:
    yield _title("Came back")
    yield f"  {_answered(attempt)}"
    yield from _headers(attempt.response_headers)
    yield from _rows(attempt.received)
    if attempt.error:
        yield f"  {paint(attempt.error_type, 'red')}: {attempt.error}"


def _answered(attempt: Attempt) -> str:
    if attempt.status is None and attempt.url:
        return "no answer"
    # What comes from inside fcc has no HTTP status.
    head = "from inside fcc" if attempt.status is None else f"status {attempt.status}"
    size = "" if attempt.received_bytes is None else f"  {attempt.received_bytes:,} bytes"
    return head + size


def _sent(trace: Trace) -> Iterator[str]:
    yield _title("Was sent")
    yield f"  status {trace.outcome.status}  {trace.sent_bytes:,} bytes"
    yield from _rows(trace.sent)


def _rows(stream: Stream | None) -> Iterator[str]:
    rows = condensed(stream) if stream else []
    width = max((len(row.kind) for row in rows), default=0)
    yield from (f"    {_span(row)}  {row.kind.ljust(width)}  {_told(row)}".rstrip() for row in rows)


def _span(row: Row) -> str:
    if f"{row.begin:.2f}" == f"{row.end:.2f}":
        return f"{row.begin:8.2f} s         "
    return f"{row.begin:8.2f} - {row.end:6.2f} s"


def _told(row: Row) -> str:
    return f"{row.events} events  {row.text}" if row.events > 1 else row.text


def _headers(headers: Headers) -> Iterator[str]:
    yield from (f"    {paint(name, 'bright_black')}: {value}" for name, value in headers)


def _title(text: str) -> str:
    return f"\n{paint(text, 'cyan', bold=True)}"


def _json(data: Data | None) -> Any:
    try:
        return loads(data.raw) if data else None
    except (ValueError, RecursionError):
        return None
