"""What did each request cost, and may another be asked?

An observer: it prices a request that has ended, counts it against the day's budget, and puts it
into the ledger. Where no table knows a price, the provider's list is asked for it, once in a while
and beside the traffic.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from datetime import time as time_of_day
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from loguru import logger

from fcc.errors import BudgetError, ConfigError, FccError
from fcc.observe.budget import Budget
from fcc.observe.entry import row
from fcc.observe.metrics import Metrics
from fcc.observe.outcome import Outcome
from fcc.observe.prices import Prices, load_prices
from fcc.observe.watch import Watch
from fcc.settings.config import Config
from fcc.settings.profile import Profile
from fcc.settings.routing import Route, Router
from fcc.upstream.lane import Lane
from fcc.wire.models import Price

if TYPE_CHECKING:
    from fcc.observe.ledger import Ledger

__all__ = ["Accounts"]

_ASK_AGAIN: Final = 3600.0
"""Seconds between two looks into a provider's list for prices that it did not have."""

_MOST_UNPRICED: Final = 1000
"""Requests that wait for a list; more than a list ever takes to come."""


class _Gateway(Protocol):
    """What is needed of the gateway."""

    config: Config
    router: Router
    watch: Watch

    def lane(self, profile: Profile) -> Lane:
        """The provider at work."""


class Accounts:
    """`start` makes the daemon keep a ledger; without it nothing is written or asked."""

    def __init__(self, gateway: _Gateway, metrics: Metrics) -> None:
        self._gateway = gateway
        self._metrics = metrics
        self._path: Path | None = None
        self._asked: dict[str, float] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._unpriced: dict[str, list[Outcome]] = {}
        self.budget = Budget()
        self.prices = Prices()
        self.ledger: Ledger | None = None
        self._starting: asyncio.Task[None] | None = None
        self._early: list[Outcome] = []
        """What ended before the start was over."""

    def start(self, path: Path) -> None:
        """Read the prices, and write to `path` from here on; both beside the traffic."""
        self._path = path
        self._starting = asyncio.get_running_loop().create_task(self._start())

    async def _start(self) -> None:
        try:
            self.prices = await asyncio.to_thread(load_prices)
        except ConfigError as error:
            logger.error("{}; until it is mended, costs are unknown", error)
        await self._keep()
        self._starting = None
        early, self._early = self._early, []
        for outcome in early:
            self.ended(outcome)

    async def read_again(self) -> Prices:
        """The tables as they are by now. Raises ConfigError."""
        if self._path is None:
            return self.prices
        return await asyncio.to_thread(load_prices, listed=self.prices.listed)

    async def replace(self, prices: Prices) -> None:
        """Another configuration is in force, with these prices."""
        self.prices = prices
        await self._keep()

    async def stop(self) -> None:
        """Write what waits."""
        if self._starting is not None:
            await self._starting
        for task in (asking := list(self._asking.values())):
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        for provider in list(self._unpriced):
            self._book_all(provider)
        if self.ledger is not None:
            await asyncio.to_thread(self.ledger.stop)

    def check(self, route: Route) -> None:
        """Raises BudgetError where the day's budget forbids to ask."""
        options = self._gateway.config.usage
        if not (options.daily_budget or options.daily_tokens):
            return
        self._gateway.watch.tell()
        price = self.prices.of(route.profile, route.model.name)
        free = price is not None and not (price.input or price.output)
        if words := self.budget.refusal(options, time.time(), free=free):
            raise BudgetError(f"{words} in [usage] of config.toml and run fcc reload")

    def ended(self, outcome: Outcome) -> None:
        """Book it, as soon as its price is known or nobody can tell it."""
        if self._starting is not None and len(self._early) < _MOST_UNPRICED:
            self._early.append(outcome)
            return
        provider = outcome.provider
        profile = self._gateway.router.known(provider) if provider else None
        price = self.prices.of(profile, outcome.model) if profile is not None else None
        if profile is not None and price is None and self._worth_asking(profile, outcome):
            waiting = self._unpriced.setdefault(provider, [])
            if len(waiting) < _MOST_UNPRICED:
                waiting.append(outcome)
                if provider not in self._asking:
                    task = asyncio.get_running_loop().create_task(self._ask(profile))
                    self._asking[provider] = task
                return
        self._book(outcome, price)

    def _worth_asking(self, profile: Profile, outcome: Outcome) -> bool:
        if self._path is None or not outcome.output:
            return False
        asked = self._asked.get(profile.name, float("-inf"))
        return profile.name in self._asking or time.monotonic() - asked > _ASK_AGAIN

    async def _ask(self, profile: Profile) -> None:
        """Look into the provider's list, and book what waited for it."""
        self._asked[profile.name] = time.monotonic()
        try:
            # A key may have gone with a reload.
            with suppress(FccError):
                catalog = self._gateway.lane(profile).catalog
                self.prices.learn(profile.name, await catalog.models())
        finally:
            del self._asking[profile.name]
            self._book_all(profile.name)

    def _book_all(self, provider: str) -> None:
        profile = self._gateway.router.known(provider)
        for outcome in self._unpriced.pop(provider, ()):
            price = self.prices.of(profile, outcome.model) if profile is not None else None
            self._book(outcome, price)

    def _book(self, outcome: Outcome, price: Price | None) -> None:
        options = self._gateway.config.usage
        dollars = _dollars(outcome, price)
        self._metrics.priced(outcome, dollars)
        self.budget.spend(outcome.at, dollars, outcome.input + outcome.output)
        if (options.daily_budget or options.daily_tokens) and (
            words := self.budget.warning(options, time.time())
        ):
            logger.warning("{}; then fcc refuses until midnight ([usage] of config.toml)", words)
        # A request that was let in nowhere is not worth a row: anybody may send millions.
        if self.ledger is not None and options.enabled and (outcome.provider or outcome.local):
            self.ledger.put(row(outcome, dollars))

    async def _keep(self) -> None:
        """Begin a ledger, if one is wanted and none is there."""
        config = self._gateway.config
        wanted = config.observe and config.usage.enabled
        if self._path is None or self.ledger is not None or not wanted:
            return
        loop = asyncio.get_running_loop()
        today = datetime.combine(datetime.now().astimezone().date(), time_of_day.min)
        since = today.astimezone().timestamp()

        def spent(dollars: float, tokens: int) -> None:
            # The loop may have ended meanwhile.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self.budget.spend, since, dollars, tokens)

        self.ledger = await asyncio.to_thread(_ledger, self._path, self._keep_days)
        self.ledger.start(since, spent)

    def _keep_days(self) -> int:
        return self._gateway.config.usage.keep_days


def _dollars(outcome: Outcome, price: Price | None) -> float | None:
    """What it cost; None: nobody knows."""
    if not (outcome.input or outcome.output):
        # A client that left before any answer: the provider may have counted the prompt.
        return 0.0 if outcome.local or outcome.failed else None
    if outcome.local:
        return 0.0
    if price is None:
        return None
    return price.cost(
        outcome.input,
        outcome.output,
        cached=outcome.cached,
        written=outcome.written,
        longest=outcome.longest,
    )


def _ledger(path: Path, keep_days: Callable[[], int]) -> "Ledger":
    # SQLite is imported beside the traffic: the daemon is to be ready in half a second.
    from fcc.observe.ledger import Ledger  # noqa: PLC0415

    return Ledger(path, keep_days)
