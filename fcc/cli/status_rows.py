"""What GET /status says, as rows for a person."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from fcc.cli.table import paint

__all__ = ["duration", "rows", "seconds_since"]

Row = tuple[str, str]


def duration(seconds: float) -> str:
    """Two units at most: `3 h 5 min`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def seconds_since(at: str) -> float:
    """Since an ISO 8601 time. Raises ValueError."""
    return max(0.0, (datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds())


def rows(said: dict[str, Any]) -> Iterator[Row]:
    """Name and value: what is going on first, what was learned last."""
    yield "requests", _requests(said)
    for lane in said["lanes"]:
        yield lane["provider"], _lane(lane)
    if said["cache_hit_ratio"] is not None:
        count = said["recent_requests"]
        of = f"the last {count} requests" if count > 1 else "the last request"
        yield "cache", f"{said['cache_hit_ratio']:.0%} of the prompt tokens of {of}"
    if said["last_error"]:
        yield "last error", paint(_error(said["last_error"]), "red")
    for one in said["fallbacks"]:
        why = f": {one['why']}" if one["why"] else ""
        yield "fell back", f"{one['failed']} -> {one['to']}{why}, {_times(one)}"
    if said["reload_error"]:
        yield "reload", paint(f"the last one was refused: {said['reload_error']}", "red")
    yield from _learned(said["lanes"])
    for target, probed in said["probed"].items():
        facts = ", ".join(f"{name} = {_value(value)}" for name, value in probed["facts"].items())
        yield "probed", f"{target}: {facts or 'nothing that changes anything'}"
    for problem in said["probe_problems"]:
        yield "probed", paint(problem, "yellow")
    for one in said["repairs"]:
        yield "repaired", f"{one['provider']}/{one['model']}: {one['kind']}, {_times(one)}"


def _requests(said: dict[str, Any]) -> str:
    waiting = f", {said['waiting']} waiting" if said["waiting"] else ""
    since = duration(said["uptime_seconds"])
    if said["open_requests"] is None:
        return f"not counted (observe = false in config.toml){waiting}, up for {since}"
    return f"{said['open_requests']} open{waiting}, {said['served_requests']} served in {since}"


def _lane(lane: dict[str, Any]) -> str:
    doors = "; ".join(_door(door) for door in lane["doors"])
    breaker = lane["breaker"]
    if breaker["state"] == "closed":
        return doors
    rest = f" for {duration(breaker['seconds_left'])}" if breaker["seconds_left"] else ""
    return f"{paint(f'failed several times and rests{rest}', 'yellow')}; {doors}"


def _door(door: dict[str, Any]) -> str:
    key = f"key {door['fingerprint']}: " if door["fingerprint"] else ""
    parts = [f"{door['open']} open"]
    if door["waiting"]:
        parts.append(f"{door['waiting']} waiting")
    if door["available"] is not None:
        parts.append(f"{door['available']} more may start")
    if door["rests_seconds"]:
        parts.append(paint(f"rests for {duration(door['rests_seconds'])}", "yellow"))
    return key + ", ".join(parts)


def _error(error: dict[str, Any]) -> str:
    where = f"{error['provider']}/{error['model']}"
    ago = duration(seconds_since(error["at"]))
    return f"{error['type']} of {where}, {ago} ago: {error['message']} ({error['request_id']})"


def _learned(lanes: Iterable[dict[str, Any]]) -> Iterator[Row]:
    for lane in lanes:
        for model, known in lane["learned"].items():
            parts = [f"without {field}" for field in known["without"]]
            if known["max_tokens"] is not None:
                parts.insert(0, f"at most {known['max_tokens']:,} tokens of output")
            yield "learned", f"{lane['provider']}/{model}: {', '.join(parts)}"


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return f"{value:,}"
        case list():
            return ", ".join(map(str, value))
        case _:
            return str(value)


def _times(counted: dict[str, Any]) -> str:
    return "once" if counted["count"] == 1 else f"{counted['count']:,} times"
