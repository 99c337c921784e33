"""Prices, the day's budget, and how both meet a request."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from fcc.errors import ConfigError
from fcc.observe.budget import Budget
from fcc.observe.prices import Prices, PriceTable, load_prices
from fcc.server.gateway import GATEWAY
from fcc.settings.config import Config
from fcc.settings.files import Providers, shipped_dir
from fcc.settings.toml import convert, read
from fcc.settings.usage import UsageOptions
from fcc.wire.models import Price, catalog_entries
from tests.conftest import Ask, Client, app_of, profile_of
from tests.outcomes import Watched, outcome
from tests.scripted import ASKED, CLAUDE_CODE, DONE, Scripted, chunk, usage

# Prices.


def table(**prices: Price) -> PriceTable:
    return PriceTable(prices={"test": prices})


def listed(pricing: Any) -> Price | None:
    [entry] = catalog_entries({"data": [{"id": "m", "pricing": pricing}]})
    return entry.price


@pytest.mark.parametrize(
    ("pricing", "price"),
    [
        ({"prompt": "0.0000014", "completion": "0.0000044"}, Price(1.4, 4.4)),
        (
            {"prompt": "0.000003", "completion": "0.000015", "input_cache_read": "0.0000003",
             "input_cache_write": "0.00000375", "image": "0", "request": "0"},
            Price(3.0, 15.0, 0.3, 3.75),
        ),
        ({"prompt": "0", "completion": "0"}, Price(0.0, 0.0)),
        ({"input": 0.2, "output": 0.6}, Price(0.2, 0.6)),
        ({"input": 1, "output": 2, "cached_input": 0.1, "hourly": 0}, Price(1.0, 2.0, 0.1)),
        # OpenRouter's router: it depends on the model that is chosen.
        ({"prompt": "-1", "completion": "-1"}, None),
        ({"prompt": "0.1"}, None), ({}, None), (None, None), ("cheap", None), ([], None),
        ({"prompt": "cheap", "completion": "dear"}, None),
        ({"prompt": True, "completion": True}, None),
        ({"prompt": "nan", "completion": "inf"}, None),
        ({"prompt": "1e400", "completion": 10**400}, None),
    ],
)  # fmt: skip
def test_a_providers_list_tells_prices_in_two_ways(pricing: Any, price: Price | None) -> None:
    found = listed(pricing)
    assert (found is None) == (price is None)
    if found and price:
        assert found.input == pytest.approx(price.input)
        assert found.output == pytest.approx(price.output)
        assert found.cached == pytest.approx(price.cached)
        assert found.written == pytest.approx(price.written)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(
                        st.sampled_from(["prompt", "completion", "input", "output", "x"]), inner)))  # fmt: skip
def test_any_pricing_is_a_price_or_none(pricing: Any) -> None:
    price = listed(pricing)
    assert price is None or (price.input >= 0 and price.output >= 0)


def test_cached_tokens_are_paid_as_cached_and_the_rest_in_full() -> None:
    price = Price(2.0, 10.0, cached=0.2, written=2.5)
    assert price.cost(1_000_000, 0) == pytest.approx(2.0)
    assert price.cost(1_000_000, 0, cached=1_000_000) == pytest.approx(0.2)
    assert price.cost(1_000_000, 100_000, cached=500_000, written=250_000) == pytest.approx(
        0.25 * 2 + 0.5 * 0.2 + 0.25 * 2.5 + 1.0
    )
    assert Price(2.0, 10.0).cost(100, 0, cached=100) == pytest.approx(0.0002)


def test_a_long_prompt_has_a_price_of_its_own() -> None:
    price = Price(2.0, 10.0, above=200_000, long=Price(4.0, 20.0))
    assert price.cost(200_000, 0) == pytest.approx(0.4)
    assert price.cost(200_001, 1000) == pytest.approx(0.800004 + 0.02)
    assert price.cost(200_001, 0, longest=150_000) == pytest.approx(0.400002)
    assert price.cost(400_002, 0, longest=200_001) == pytest.approx(1.600008)


def test_the_persons_table_comes_before_the_list_and_the_list_before_the_shipped_one() -> None:
    profile = profile_of()
    prices = Prices(table(a=Price(1, 1)), table(a=Price(3, 3), b=Price(3, 3), c=Price(3, 3)))
    assert prices.of(profile, "b") == Price(3, 3)
    prices.learn(
        "test", catalog_entries([{"id": n, "pricing": {"input": 2, "output": 2}} for n in "ab"])
    )
    assert [prices.of(profile, name) for name in "abcd"] == [
        Price(1, 1),
        Price(2, 2),
        Price(3, 3),
        None,
    ]


def test_a_price_of_nothing_is_a_price() -> None:
    prices = Prices(table(**{"*:free": Price(0, 0)}), table(**{"*": Price(3, 3)}))
    assert prices.of(profile_of(), "m:free") == Price(0, 0)
    assert prices.of(profile_of(local=True), "m") == Price(3, 3)
    assert Prices().of(profile_of(local=True), "m") == Price(0, 0)
    assert Prices().of(profile_of(), "m") is None


def test_every_shipped_price_is_of_a_shipped_provider_and_dated() -> None:
    shipped = read(shipped_dir() / "prices.toml", PriceTable)
    assert date.fromisoformat(shipped.date) > date(2026, 1, 1)
    assert set(shipped.prices) <= set(Providers(shipped_dir() / "providers").names)
    for models in shipped.prices.values():
        for name, price in models.items():
            assert price.input <= price.output or name.startswith("ministral"), name
            assert (price.cached or 0) <= price.input, name
            assert (price.long is None) == (price.above == 0), name


def test_the_persons_file_is_read_and_a_mistake_in_it_is_told(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text('[prices.test]\n"m" = { input = 1, output = 2.5 }\n')
    assert load_prices(tmp_path).of(profile_of(), "m") == Price(1.0, 2.5)
    own.write_text('[prices.test]\n"m" = { input = 1, outptu = 2.5 }\n')
    with pytest.raises(ConfigError, match="outptu"):
        load_prices(tmp_path)


# The budget.

NOON = datetime.fromisoformat("2026-11-25T12:00").astimezone().timestamp()
FIVE = UsageOptions(daily_budget=5.0)
THOUSAND = UsageOptions(daily_tokens=1000)


def test_what_a_day_may_take_is_refused_when_it_is_spent_and_not_before() -> None:
    budget = Budget()
    budget.spend(NOON, 4.99, 10)
    assert budget.refusal(FIVE, NOON, free=False) == ""
    budget.spend(NOON, 0.02, 10)
    words = budget.refusal(FIVE, NOON, free=False)
    assert words == (
        "today's budget of $5.00 is spent ($5.01): wait for midnight (in 12 h 0 min), "
        "or raise daily_budget"
    )
    assert budget.refusal(FIVE, NOON, free=True) == ""
    assert budget.refusal(FIVE, NOON + 13 * 3600, free=False) == ""


def test_tokens_have_a_budget_too() -> None:
    budget = Budget()
    budget.spend(NOON, None, 1000)
    words = budget.refusal(THOUSAND, NOON, free=True)
    assert "of 1,000 tokens is used up (1,000)" in words
    assert "raise daily_tokens" in words


def test_a_warning_comes_once_a_day_at_four_fifths() -> None:
    budget = Budget()
    budget.spend(NOON, 3.99, 0)
    assert budget.warning(FIVE, NOON) == ""
    budget.spend(NOON, 0.01, 0)
    assert budget.warning(FIVE, NOON) == "$4.00 of today's budget of $5.00 is spent"
    assert budget.warning(FIVE, NOON) == ""
    tomorrow = NOON + 86400
    budget.spend(tomorrow, 4.5, 0)
    assert "$4.50" in budget.warning(FIVE, tomorrow)


def test_a_clock_that_is_set_back_finds_the_day_as_it_was() -> None:
    budget = Budget()
    budget.spend(NOON, 5.0, 0)
    budget.spend(NOON + 86400, 1.0, 0)
    assert budget.spent(NOON).dollars == 5.0
    assert budget.refusal(FIVE, NOON, free=False)
    assert not budget.refusal(FIVE, NOON + 86400, free=False)


@given(st.lists(st.tuples(st.integers(0, 400), st.floats(0, 10), st.integers(0, 10**6))))
def test_days_are_bounded_and_the_latest_adds_up(spent: list[tuple[int, float, int]]) -> None:
    budget = Budget()
    for day, dollars, tokens in spent:
        budget.spend(NOON + day * 86400, dollars, tokens)
    assert len(budget._days) <= 3


def test_unknown_costs_do_not_count() -> None:
    budget = Budget()
    budget.spend(NOON, None, 10**9)
    assert budget.refusal(FIVE, NOON, free=False) == ""


def test_midnight_is_never_further_than_a_day() -> None:
    budget = Budget()
    for minutes in range(0, 1440, 7):
        now = NOON + minutes * 60
        budget.spend(now, 6.0, 0)
        words = budget.refusal(FIVE, now, free=False)
        assert "in " in words
        assert "25 h" not in words


@pytest.mark.parametrize(
    "options", [{"daily_budget": -1}, {"daily_budget": float("inf")}, {"keep_days": 0},
                {"daily_tokens": -5}, {"daily_budgte": 1}, {"daily_budget": "five"}]
)  # fmt: skip
def test_a_budget_that_makes_no_sense_is_refused(options: Any) -> None:
    with pytest.raises(ConfigError, match=next(iter(options))):
        convert({"usage": options}, Config, "config.toml")


# Both at a request.

ANSWER = [chunk(content="hi"), chunk("stop"), usage(1_000_000, 100_000), DONE]
"""At 1 dollar in and 10 out: 2 dollars."""


async def priced(connect: Ask, answer: Any = ANSWER, **options: Any) -> Client:
    client = await connect(app_of(config=Config(usage=UsageOptions(**options))), Scripted(answer))
    client.server.app[GATEWAY].accounts.prices = Prices(table(m=Price(1.0, 10.0)))
    return client


async def ask(client: Client, headers: Any = None) -> tuple[int, Any]:
    response = await client.post("/v1/messages", json=ASKED, headers=headers)
    return response.status, await response.json()


async def test_a_spent_budget_refuses_and_says_what_to_do(connect: Ask, logged: list[str]) -> None:
    client = await priced(connect, daily_budget=3.0)
    assert [(await ask(client))[0] for _ in range(3)] == [200, 200, 402]
    _, body = await ask(client)
    assert body["error"]["type"] == "billing_error"
    for words in ("budget of $3.00", "spent ($4.00)", "midnight", "daily_budget", "fcc reload"):
        assert words in body["error"]["message"]
    assert sum("of today's budget of $3.00 is spent" in line for line in logged) == 1


async def test_claude_code_shows_it_at_once_and_does_not_try_again(connect: Ask) -> None:
    client = await priced(connect, daily_tokens=100)
    await ask(client)
    response = await client.post("/v1/messages", json=ASKED, headers=CLAUDE_CODE)
    assert response.status == 424
    assert response.headers["x-should-retry"] == "false"
    assert "100 tokens" in (await response.json())["error"]["message"]


async def test_without_a_budget_nothing_is_refused(connect: Ask) -> None:
    client = await priced(connect)
    assert [(await ask(client))[0] for _ in range(3)] == [200] * 3


async def test_what_costs_nothing_is_not_refused_for_money(connect: Ask) -> None:
    client = await priced(connect, daily_budget=3.0)
    accounts = client.server.app[GATEWAY].accounts
    accounts.budget.spend(time.time(), 100.0, 0)
    assert (await ask(client))[0] == 402
    accounts.prices = Prices(table(m=Price(0.0, 0.0)))
    assert (await ask(client))[0] == 200


async def test_local_answers_go_on_when_the_budget_is_spent(connect: Ask) -> None:
    client = await priced(connect, daily_tokens=1)
    await ask(client)
    quota = {**ASKED, "max_tokens": 1, "messages": [{"role": "user", "content": "quota"}]}
    assert (await client.post("/v1/messages", json=quota)).status == 200


# The ledger of a daemon.


@asynccontextmanager
async def keeping(
    connect: Ask, path: Path, app: web.Application, *answers: Any
) -> AsyncIterator[Client]:
    client = await connect(app, Scripted(*answers) if answers else None)
    client.server.app[GATEWAY].accounts.start(path)
    yield client
    await client.close()


async def kept(path: Path, what: str) -> list[tuple[Any, ...]]:
    def read() -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute(f"SELECT {what} FROM requests ORDER BY id").fetchall()

    return await asyncio.to_thread(read)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: Any) -> Path:
    monkeypatch.setenv("FCC_CONFIG_DIR", str(tmp_path))
    (tmp_path / "prices.toml").write_text("[prices.test]\nm = { input = 1, output = 10 }\n")
    return tmp_path / "usage.db"


async def test_what_a_request_took_is_in_the_ledger_when_the_daemon_has_ended(
    connect: Ask, path: Path
) -> None:
    async with keeping(connect, path, app_of(), ANSWER) as client:
        watching = Watched(client.server.app)
        await ask(client, CLAUDE_CODE)
    [found] = await kept(path, "request_id, provider, model, input, output, cost, client")
    assert found[1:5] == ("test", "m", 1_000_000, 100_000)
    assert found[5] == pytest.approx(2.0)
    assert found[0] == watching.last.request_id
    assert found[6] == "claude-cli/2.1.330"


async def test_the_ledger_can_be_switched_off(connect: Ask, path: Path) -> None:
    config = Config(usage=UsageOptions(enabled=False))
    async with keeping(connect, path, app_of(config=config), ANSWER) as client:
        await ask(client)
    assert not path.exists()


async def test_who_is_not_let_in_fills_no_ledger(connect: Ask, path: Path) -> None:
    async with keeping(connect, path, app_of(config=Config(auth_token="t")), ANSWER) as client:
        for _ in range(5):
            assert (await ask(client))[0] == 401
    assert await kept(path, "1") == []


async def test_a_daemon_that_begins_anew_knows_what_today_has_cost(
    connect: Ask, path: Path
) -> None:
    config = Config(usage=UsageOptions(daily_budget=1.0))
    async with keeping(connect, path, app_of(config=config), ANSWER) as client:
        assert (await ask(client))[0] == 200
    async with keeping(connect, path, app_of(config=config), ANSWER) as client:
        budget = client.server.app[GATEWAY].accounts.budget
        async with asyncio.timeout(10):
            while not budget.spent(time.time()).dollars:
                await asyncio.sleep(0.01)
        assert (await ask(client))[0] == 402


async def test_a_price_that_no_table_has_is_looked_up_in_the_providers_list(
    connect: Ask, path: Path, upstream: Any
) -> None:
    lists = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal lists
        if request.path.endswith("/models"):
            lists += 1
            pricing = {"prompt": "0.000002", "completion": "0.00001"}
            return web.json_response({"data": [{"id": "listed", "pricing": pricing}]})
        return web.Response(body=b"".join(ANSWER), content_type="text/event-stream")

    profile = profile_of(base_url=await upstream(answer), default_model="listed")
    async with keeping(connect, path, app_of(profile)) as client:
        for _ in range(3):
            assert (await ask(client))[0] == 200
        async with asyncio.timeout(10):
            while client.server.app[GATEWAY].accounts.budget.spent(time.time()).dollars < 8.9:
                await asyncio.sleep(0.01)
    assert [cost for (cost,) in await kept(path, "cost")] == [pytest.approx(3.0)] * 3
    assert lists == 1


@pytest.mark.parametrize("silent", [True, False])
async def test_a_list_that_never_comes_leaves_the_cost_unknown(
    connect: Ask, path: Path, upstream: Any, silent: bool
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/models"):
            if silent:
                await asyncio.Event().wait()
            return web.Response(status=404)
        return web.Response(body=b"".join(ANSWER), content_type="text/event-stream")

    profile = profile_of(base_url=await upstream(answer), default_model="unlisted")
    async with keeping(connect, path, app_of(profile)) as client:
        assert [(await ask(client))[0] for _ in range(2)] == [200, 200]
    assert await kept(path, "cost, output") == [(None, 100_000)] * 2


async def test_prices_that_cannot_be_read_are_told_and_traffic_goes_on(
    connect: Ask, path: Path, logged: list[str]
) -> None:
    path.with_name("prices.toml").write_text("[prices")
    async with keeping(connect, path, app_of(), ANSWER) as client:
        assert (await ask(client))[0] == 200
    assert any("prices.toml" in line and "not TOML" in line for line in logged)
    assert await kept(path, "cost") == [(None,)]


SECRET = "sk-ant-api03-" + "Zk9x7Q" * 8


async def test_no_secret_is_in_the_ledger(connect: Ask, path: Path) -> None:
    answer = [chunk(content=f"your key is {SECRET}"), chunk("stop"), DONE]
    async with keeping(connect, path, app_of(), answer) as client:
        for model in ("claude-opus-5-5", SECRET, f"test/{SECRET}", f"api_key={SECRET}"):
            await client.post(
                "/v1/messages",
                json={**ASKED, "model": model, "system": SECRET},
                headers={
                    "User-Agent": SECRET, "x-api-key": SECRET, "Authorization": f"Bearer {SECRET}",
                    "x-claude-code-session-id": SECRET,
                },
            )  # fmt: skip
    assert len(await kept(path, "1")) == 4
    for file in path.parent.iterdir():
        assert b"Zk9x7Q" not in file.read_bytes(), file


async def test_outcomes_of_before_the_start_was_over_are_kept(connect: Ask, path: Path) -> None:
    async with keeping(connect, path, app_of(), ANSWER) as client:
        accounts = client.server.app[GATEWAY].accounts
        accounts.ended(outcome(request_id="early"))
    assert await kept(path, "request_id") == [("early",)]
