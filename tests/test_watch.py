"""What has ended is told together, in its order, before anybody looks, and to whoever can take it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from loguru import logger

from fcc.observe.outcome import Outcome
from fcc.observe.prices import Prices, PriceTable
from fcc.observe.watch import TOGETHER, Watch
from fcc.server.gateway import GATEWAY, Gateway
from fcc.settings.config import Config
from fcc.settings.usage import UsageOptions
from fcc.wire.models import Price
from tests.clock import now, virtually
from tests.conftest import Ask, Client, app_of
from tests.outcomes import Kept, outcome
from tests.scripted import ASKED, DONE, Scripted, chunk, text, usage
from tests.watching import snapshot


def ids(kept: Kept) -> list[str]:
    return [one.request_id for one in kept.told]


def end(watch: Watch, *numbers: int) -> None:
    for number in numbers:
        watch.ended(outcome(request_id=f"{number}"))


def test_what_has_ended_is_told_in_its_order_a_moment_later() -> None:
    async def script() -> None:
        watch, kept = Watch(), Kept()
        watch.add(kept)
        began = now()
        end(watch, 1, 2)
        assert ids(kept) == []
        await asyncio.sleep(0.05)
        end(watch, 3)
        while not kept.told:
            await asyncio.sleep(0.01)
        assert ids(kept) == ["1", "2", "3"]
        assert now() - began < 0.2
        end(watch, 4)
        await asyncio.sleep(0.2)
        assert ids(kept) == ["1", "2", "3", "4"]

    virtually(script())


async def test_very_many_are_told_at_once() -> None:
    watch, kept = Watch(moment=3600.0), Kept()
    watch.add(kept)
    end(watch, *range(TOGETHER - 1))
    assert ids(kept) == []
    end(watch, *range(TOGETHER - 1, TOGETHER + 1))
    assert ids(kept) == [str(number) for number in range(TOGETHER)]


async def test_each_is_told_once_however_often_somebody_looks() -> None:
    watch, kept = Watch(), Kept()
    watch.add(kept)
    end(watch, 1)
    watch.tell()
    watch.tell()
    end(watch, 2)
    watch.tell()
    assert ids(kept) == ["1", "2"]


async def test_an_observer_knows_what_ended_while_it_was_one() -> None:
    watch, kept = Watch(), Kept()
    end(watch, 1)
    watch.add(kept)
    end(watch, 2)
    watch.remove(kept)
    end(watch, 3)
    watch.tell()
    assert ids(kept) == ["2"]


class Broken:
    """It fails at every other one."""

    def __init__(self) -> None:
        self.heard = 0

    def ended(self, outcome: Outcome) -> None:
        self.heard += 1
        if self.heard % 2:
            raise ZeroDivisionError


async def test_an_observer_that_fails_harms_neither_the_others_nor_what_comes_behind(
    logged: list[str],
) -> None:
    watch, before, broken, behind = Watch(), Kept(), Broken(), Kept()
    for observer in (before, broken, behind):
        watch.add(observer)
    end(watch, *range(6))
    watch.tell()
    assert ids(before) == ids(behind) == [str(number) for number in range(6)]
    assert (broken.heard, watch.failures) == (6, 3)
    assert sum("a bug in Broken" in line for line in logged) == 1


async def test_an_observer_that_fails_harms_no_traffic(connect: Ask, logged: list[str]) -> None:
    client = await connect(backend=Scripted(text("hi")))
    watch = client.server.app[GATEWAY].watch
    watch.add(Broken())
    for _ in range(3):
        assert (await client.post("/v1/messages", json=ASKED)).status == 200
    watch.tell()
    assert watch.failures == 2


class Speaking:
    def ended(self, outcome: Outcome) -> None:
        logger.warning("{} is over", outcome.request_id)


async def test_what_an_observer_logs_is_no_line_of_the_request_that_made_it_look() -> None:
    extras: list[dict[str, Any]] = []
    sink = logger.add(lambda message: extras.append(message.record["extra"]), level="WARNING")
    watch = Watch()
    for observer in (Speaking(), Broken()):
        watch.add(observer)
    with logger.contextualize(request_id="looking"):
        end(watch, 1)
        watch.tell()
    logger.remove(sink)
    assert extras == [{}, {"request_id": "1"}]


# Whoever looks sees what has just ended: of themselves, observers are told in an hour.


ANSWER = [chunk(content="hi"), chunk("stop"), usage(1_000_000, 100_000), DONE]
"""At 1 dollar in and 10 out: 2 dollars."""

DEAR = Prices(PriceTable(prices={"test": {"m": Price(1.0, 10.0)}}))


async def unhurried(connect: Ask, **options: Any) -> Client:
    config = Config(usage=UsageOptions(**options))
    client = await connect(app_of(config=config), Scripted(ANSWER))
    gateway = gateway_of(client)
    gateway.watch._moment = 3600.0
    gateway.accounts.prices = DEAR
    return client


def gateway_of(client: Client) -> Gateway:
    return client.server.app[GATEWAY]


async def ask(client: Client) -> int:
    return (await client.post("/v1/messages", json=ASKED)).status


async def in_metrics(client: Client) -> Any:
    lines = (await (await client.get("/metrics")).text()).splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("fcc_requests_total{"))


async def in_status(client: Client) -> Any:
    return (await (await client.get("/status")).json())["served_requests"]


async def in_list(client: Client) -> Any:
    return len((await (await client.get("/fcc/traces")).json())["traces"])


async def on_page(client: Client) -> Any:
    page = await snapshot(client)
    assert page.shown["usage"]["totals"]["requests"] == len(page.ended)
    return len(page.ended)


@pytest.mark.parametrize("seen", [in_metrics, in_status, in_list, on_page])
async def test_who_looks_sees_all_that_has_ended(
    connect: Ask, seen: Callable[[Client], Awaitable[Any]]
) -> None:
    client = await unhurried(connect)
    for number in range(1, 4):
        assert await ask(client) == 200
        assert await seen(client) == number


async def test_the_last_trace_is_that_of_the_last_request(connect: Ask) -> None:
    client = await unhurried(connect)
    for _ in range(2):
        response = await client.post("/v1/messages", json=ASKED)
        trace = await (await client.get("/fcc/traces/last")).json()
        assert trace["outcome"]["request_id"] == response.headers["request-id"]


async def test_a_budget_counts_every_request_that_has_ended(connect: Ask) -> None:
    client = await unhurried(connect, daily_budget=3.0)
    assert [await ask(client) for _ in range(3)] == [200, 200, 402]


async def test_what_has_ended_has_the_price_of_its_time(connect: Ask) -> None:
    client = await unhurried(connect)
    gateway = gateway_of(client)
    await ask(client)
    gateway.replace(gateway.config, gateway.router, gateway.keys)
    gateway.accounts.prices = Prices(PriceTable(prices={"test": {"m": Price(7.0, 7.0)}}))
    assert (await snapshot(client)).shown["usage"]["dollars"] == pytest.approx(2.0)


async def test_what_has_ended_is_told_before_the_daemon_ends(
    connect: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FCC_CONFIG_DIR", str(tmp_path))
    client = await unhurried(connect)
    gateway, kept = gateway_of(client), Kept()
    gateway.watch.add(kept)
    gateway.accounts.start(tmp_path / "usage.db")
    for _ in range(3):
        await ask(client)
    assert kept.told == []
    await client.close()
    assert len(kept.told) == 3
    assert gateway.accounts.ledger is not None
    assert gateway.accounts.ledger.written == 3
