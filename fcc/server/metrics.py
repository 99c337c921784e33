"""GET /metrics: the numbers, for Prometheus.

Who may see them: who may see GET /status.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from aiohttp import web

import fcc
from fcc.errors import NotFoundError
from fcc.observe.family import Family, Value
from fcc.server.gateway import GATEWAY, Gateway
from fcc.server.lanes import OneDoor, OneLane, lane_of

__all__ = ["families", "metrics"]


async def metrics(request: web.Request) -> web.Response:
    """All numbers, in the format that the client prefers. Raises NotFoundError."""
    gateway = request.app[GATEWAY]
    if not gateway.config.observe:
        raise NotFoundError("there are no numbers: observe = false in config.toml counts nothing")
    found = families(gateway)
    accept = request.headers.get("accept", "")
    body, content_type = await asyncio.to_thread(_written, found, accept)
    return web.Response(body=body, headers={"Content-Type": content_type})


def families(gateway: Gateway) -> list[Family]:
    """What is counted, and what can be seen at the moment."""
    gateway.watch.tell()
    now = asyncio.get_running_loop().time()
    return [
        *gateway.metrics.families(),
        *_counts(gateway),
        *_limits([lane_of(lane, now) for lane in gateway.lanes]),
        *_own(gateway),
        *_money(gateway),
        gateway.lag.family(),
    ]


def _written(found: Sequence[Family], accept: str) -> tuple[bytes, str]:
    # A fifth of a second of import, for the first who asks, and beside the traffic.
    from fcc.observe.exposition import exposition  # noqa: PLC0415

    return exposition(found, accept)


def _counts(gateway: Gateway) -> list[Family]:
    """What /status tells too."""
    failed: Counter[str] = Counter()
    for route, _, _, number in gateway.fallbacks.totals():
        failed[route.partition("/")[0]] += number
    return [
        Family(
            "fcc_fallbacks",
            "counter",
            "Requests that went on to another route, by the provider that failed.",
            ("provider",),
            [((provider,), float(number)) for provider, number in failed.items()],
        ),
        Family(
            "fcc_repairs",
            "counter",
            "What was recovered or mended in answers, by kind.",
            ("provider", "model", "kind"),
            [(tuple(key), float(number)) for *key, number in gateway.repairs.totals()],
        ),
    ]


_OF_A_DOOR: Final[tuple[tuple[str, str, Callable[[OneDoor], float | None]], ...]] = (
    (
        "fcc_open_streams",
        "Requests that a provider is answering, by the fingerprint of the key.",
        lambda door: door.open,
    ),
    (
        "fcc_waiting_requests",
        "Requests that wait for their turn at a provider.",
        lambda door: door.waiting,
    ),
    (
        "fcc_limiter_available_requests",
        "How many requests could start at once; absent where there is no limit.",
        lambda door: door.available,
    ),
    (
        "fcc_key_rest_seconds",
        "For how long a key is not used, because it was refused or is used up.",
        lambda door: door.rests_seconds,
    ),
)


def _limits(lanes: Sequence[OneLane]) -> list[Family]:
    doors = [((lane.provider, door.fingerprint), door) for lane in lanes for door in lane.doors]
    found = []
    for name, help, number in _OF_A_DOOR:
        values: list[tuple[tuple[str, ...], Value]] = []
        for labels, door in doors:
            value = number(door)
            if value is not None:
                values.append((labels, float(value)))
        found.append(Family(name, "gauge", help, ("provider", "key"), values))
    resting = [((lane.provider,), float(lane.breaker.state != "closed")) for lane in lanes]
    words = "1 where a provider failed several times in a row and is left alone for a while."
    return [*found, Family("fcc_provider_resting", "gauge", words, ("provider",), resting)]


def _own(gateway: Gateway) -> list[Family]:
    return [
        _gauge("fcc_open_requests", "Requests to models being answered.", gateway.watch.count),
        _gauge("fcc_start_time_seconds", "When the daemon started, in unix time.", gateway.started),
        Family(
            "fcc_build_info", "gauge", "The version.", ("version",), [((fcc.__version__,), 1.0)]
        ),
        _counter(
            "fcc_observer_failures", "Notes of a request that failed.", gateway.watch.failures
        ),
    ]


def _money(gateway: Gateway) -> list[Family]:
    accounts, options = gateway.accounts, gateway.config.usage
    spent, ledger = accounts.budget.spent(time.time()), accounts.ledger
    found = [
        _gauge("fcc_budget_spent_dollars", "What today has cost.", spent.dollars),
        _gauge("fcc_budget_spent_tokens", "What today has taken.", spent.tokens),
        _gauge("fcc_budget_dollars", "The daily budget; 0: none.", options.daily_budget),
        _gauge("fcc_budget_tokens", "The daily budget; 0: none.", options.daily_tokens),
    ]
    written, dropped, failures, waiting = (
        (ledger.written, ledger.dropped, ledger.failures, ledger.waiting)
        if ledger is not None
        else (0, 0, 0, 0)
    )
    return [
        *found,
        _counter("fcc_ledger_entries", "Requests written to the ledger.", written),
        _counter("fcc_ledger_dropped_entries", "Requests that it had no room for.", dropped),
        _counter("fcc_ledger_write_failures", "Writes to the ledger that failed.", failures),
        _gauge("fcc_ledger_waiting_entries", "Requests not written yet.", waiting),
    ]


def _gauge(name: str, help: str, value: float) -> Family:
    return Family(name, "gauge", help, (), [((), float(value))])


def _counter(name: str, help: str, value: float) -> Family:
    return Family(name, "counter", help, (), [((), float(value))])
