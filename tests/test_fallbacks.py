"""From which route requests went on to which, and why, is counted as long as the daemon lives."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from fcc.errors import OverloadedError, RefusedKeyError
from fcc.server.fallbacks import Fallbacks
from fcc.server.gateway import GATEWAY
from tests.conftest import Ask
from tests.outcomes import outcome
from tests.scripted import ASKED, Scripted, text
from tests.test_chain import app_of_two
from tests.test_metrics import number, scraped

BUSY = "529 overloaded_error"


def counted(*outcomes: Any) -> list[tuple[str, str, str, int]]:
    fallbacks = Fallbacks()
    for one in outcomes:
        fallbacks.ended(one)
    return fallbacks.totals()


def test_each_route_that_failed_is_counted_with_the_one_that_was_asked_behind_it() -> None:
    both = (f"a/m {BUSY}", "b/vendor/n 401 authentication_error")
    assert counted(
        outcome(provider="c", model="o", fallbacks=both),
        outcome(provider="b", model="vendor/n", fallbacks=both[:1], status=502, outcome="api_error"),
        outcome(provider="b", model="vendor/n"),
    ) == [
        ("a/m", "b/vendor/n", BUSY, 2),
        ("b/vendor/n", "c/o", "401 authentication_error", 1),
    ]  # fmt: skip


def test_another_error_of_the_same_route_is_counted_apart() -> None:
    found = counted(
        outcome(fallbacks=(f"a/m {BUSY}",)), outcome(fallbacks=("a/m 402 billing_error",))
    )
    assert found == [("a/m", "test/m", "402 billing_error", 1), ("a/m", "test/m", BUSY, 1)]


@pytest.mark.parametrize(
    ("words", "route", "why"),
    [
        ("a/a model with spaces 429 rate_limit_error", "a/a model with spaces", "429 rate_limit_error"),
        ("a/cut", "a/cut", ""),
        ("", "", ""),
    ],
)  # fmt: skip
def test_whatever_a_model_is_called_the_route_is_what_stands_before_the_error(
    words: str, route: str, why: str
) -> None:
    assert counted(outcome(fallbacks=(words,))) == [(route, "test/m", why, 1)]


def test_routes_without_end_are_counted_together_in_the_end() -> None:
    known, further = Fallbacks.MOST, 25
    found = counted(
        *(outcome(fallbacks=(f"p/m{place} {BUSY}",)) for place in range(known + further)),
        outcome(fallbacks=(f"p/m0 {BUSY}",)),
    )
    assert len(found) == known + 1
    assert ("p/other", "other", "", further) in found
    assert ("p/m0", "test/m", BUSY, 2) in found


async def test_status_and_the_numbers_tell_the_same(connect: Ask, tmp_path: Path) -> None:
    app = await asyncio.to_thread(app_of_two, tmp_path, {})
    client = await connect(app)
    gateway = app[GATEWAY]
    scripts = {
        "one": Scripted(OverloadedError("busy"), OverloadedError("busy"), RefusedKeyError("no")),
        "other": Scripted(text("second")),
    }
    for name, backend in scripts.items():
        gateway.lane(gateway.router.profile(name)).doors[0].backend = backend
    before = await (await client.get("/status")).json()
    for _ in range(3):
        assert (await client.post("/v1/messages", json=ASKED)).status == 200
    said = await (await client.get("/status")).json()
    assert before["fallbacks"] == []
    way = {"failed": "one/first-model", "to": "other/second-model"}
    assert said["fallbacks"] == [
        {**way, "why": "401 authentication_error", "count": 1},
        {**way, "why": BUSY, "count": 2},
    ]
    assert number(await scraped(client), "fcc_fallbacks_total", provider="one") == 3
