"""What is there to see at this moment? Its parts, each encoded for itself."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

import fcc
from fcc.observe.outcome import Outcome
from fcc.server.gateway import Gateway
from fcc.server.lanes import OneLane
from fcc.server.page.advice import advice
from fcc.server.page.history import History, Totals
from fcc.server.status import Status, Target, status_of

__all__ = ["Ended", "ended", "parts_of"]

MOST_OPEN: Final = 50
"""Open requests that are shown one by one; of more than that nobody reads each."""

_LONGEST: Final = 1500
"""Characters of an error's words."""


class About(msgspec.Struct, frozen=True):
    """What changes with the configuration alone."""

    version: str
    began: float
    """When the daemon began, on the clock of `now`."""
    title: str
    models: dict[str, Target]
    problems: tuple[str, ...]
    """What of the configuration could not be used."""
    observed: bool
    """Whether there is anything to show of requests."""


class Open(msgspec.Struct, frozen=True):
    """A request that is being answered."""

    request_id: str
    began: float
    state: str
    """reading, local, waiting, asked or streaming."""
    asked: str
    provider: str
    model: str
    first: float | None
    output: int
    attempts: int
    fallbacks: tuple[str, ...]
    client: str


class Busy(msgspec.Struct, frozen=True):
    """All that are being answered."""

    count: int
    requests: tuple[Open, ...]
    """The oldest MOST_OPEN of them."""


class Usage(msgspec.Struct, frozen=True):
    """What was taken."""

    since: str
    """`today`, or `start` where today's beginning is unknown: of what the next two are."""
    dollars: float
    tokens: int
    daily_budget: float
    """0: none."""
    daily_tokens: int
    unpriced: int
    """Requests since the start whose price nobody knows."""
    totals: Totals
    cache_hit_ratio: float | None


class Ended(msgspec.Struct, frozen=True):
    """A request that is over."""

    number: int
    request_id: str
    at: float
    """Unix seconds when it began."""
    asked: str
    provider: str
    model: str
    local: str
    status: int
    outcome: str
    failed: bool
    error: str
    """The error's words as the client got them."""
    advice: str
    seconds: float
    first: float | None
    queued: float
    input: int
    output: int
    cached: int
    estimated: bool
    retries: int
    fallbacks: tuple[str, ...]
    client: str


def ended(number: int, outcome: Outcome) -> Ended:
    """The `number`th request as it is shown."""
    error = outcome.error
    return Ended(
        number=number,
        request_id=outcome.request_id,
        at=round(outcome.at, 1),
        asked=outcome.asked,
        provider=outcome.provider,
        model=outcome.model,
        local=outcome.local,
        status=outcome.status,
        outcome=outcome.outcome,
        failed=outcome.failed,
        error=error if len(error) <= _LONGEST else f"{error[: _LONGEST - 1]}…",
        advice=advice(outcome),
        seconds=round(outcome.seconds, 3),
        first=None if outcome.first is None else round(outcome.first, 3),
        queued=round(outcome.queued, 3),
        input=outcome.input,
        output=outcome.output,
        cached=outcome.cached,
        estimated=outcome.estimated,
        retries=outcome.retries,
        fallbacks=outcome.fallbacks,
        client=outcome.client,
    )


def parts_of(
    gateway: Gateway, history: History, began: float, now: float, wall: float
) -> Mapping[str, bytes]:
    """Each part's name and JSON. `began` and `now` are the loop's time, `wall` that of the world."""
    status = status_of(gateway, now, wall)
    parts: dict[str, About | Busy | Usage | tuple[OneLane, ...] | list[Ended]] = {
        "about": _about(gateway, status, began),
        "lanes": status.lanes,
        "open": _busy(gateway, now),
        "usage": _usage(gateway, history, status, wall),
        "errors": [ended(number, outcome) for number, outcome in history.failures()],
    }
    return {name: msgspec.json.encode(part) for name, part in parts.items()}


def _about(gateway: Gateway, status: Status, began: float) -> About:
    refused = [status.reload_error] if status.reload_error else []
    return About(
        version=fcc.__version__,
        began=round(began, 2),
        title=status.title,
        models=status.models,
        problems=(*refused, *status.probe_problems),
        observed=gateway.config.observe,
    )


def _busy(gateway: Gateway, now: float) -> Busy:
    watch = gateway.watch
    return Busy(watch.count, tuple([_open(one, now) for one in watch.open(MOST_OPEN)]))


def _open(outcome: Outcome, now: float) -> Open:
    return Open(
        request_id=outcome.request_id,
        # To a tenth: the same at each look, but for one that falls upon an edge.
        began=round(now - outcome.seconds, 1),
        state=_state(outcome),
        asked=outcome.asked,
        provider=outcome.provider,
        model=outcome.model,
        first=None if outcome.first is None else round(outcome.first, 3),
        output=outcome.output,
        attempts=outcome.attempts,
        fallbacks=outcome.fallbacks,
        client=outcome.client,
    )


def _state(outcome: Outcome) -> str:
    if outcome.local:
        return "local"
    if outcome.waiting:
        return "waiting"
    if not outcome.attempts:
        return "reading"
    return "asked" if outcome.first is None else "streaming"


def _usage(gateway: Gateway, history: History, status: Status, wall: float) -> Usage:
    accounts, options = gateway.accounts, gateway.config.usage
    spent = accounts.budget.spent(wall)
    return Usage(
        since=_since(gateway, wall),
        dollars=round(spent.dollars, 6),
        tokens=spent.tokens,
        daily_budget=options.daily_budget,
        daily_tokens=options.daily_tokens,
        unpriced=gateway.metrics.unpriced,
        totals=history.totals,
        cache_hit_ratio=status.cache_hit_ratio,
    )


def _since(gateway: Gateway, wall: float) -> str:
    """Without a ledger nobody knows what was taken on the day of the start before it."""
    days = [datetime.fromtimestamp(at).astimezone().date() for at in (gateway.started, wall)]
    return "start" if gateway.accounts.ledger is None and days[0] == days[1] else "today"
