"""How much of what a day may take is spent? Pure: the caller reads the clock."""

from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Final

import msgspec

from fcc.settings.usage import UsageOptions

__all__ = ["Budget", "Spent"]

_WARN: Final = 0.8
"""The share at which a person is told while there is time to act."""

_DAYS: Final = 3
"""Days that are remembered: a clock that is set back finds its day again."""


class Spent(msgspec.Struct):
    """What one day took."""

    dollars: float = 0.0
    tokens: int = 0


class Budget:
    """`spend` adds a request; `refusal` and `warning` are words for a person, or nothing."""

    def __init__(self) -> None:
        self._days: dict[str, Spent] = {}
        self._warned: set[tuple[str, str]] = set()

    def spend(self, at: float, dollars: float | None, tokens: int) -> None:
        """A request that began `at` has ended; its cost may be unknown."""
        spent = self._day(_date(at))
        spent.dollars += dollars or 0.0
        spent.tokens += tokens

    def spent(self, now: float) -> Spent:
        """What the day of `now` has taken so far."""
        return self._days.get(_date(now), Spent())

    def refusal(self, options: UsageOptions, now: float, *, free: bool) -> str:
        """Why nothing more is asked today; empty where there is no reason. `free`: it is known to
        cost nothing.
        """
        spent = self.spent(now)
        if 0 < options.daily_budget <= spent.dollars and not free:
            words = f"of ${options.daily_budget:.2f} is spent (${spent.dollars:.2f})"
            return f"today's budget {words}: {_until(now)}, or raise daily_budget"
        if 0 < options.daily_tokens <= spent.tokens:
            words = f"of {options.daily_tokens:,} tokens is used up ({spent.tokens:,})"
            return f"today's budget {words}: {_until(now)}, or raise daily_tokens"
        return ""

    def warning(self, options: UsageOptions, now: float) -> str:
        """That most of the day's budget is gone, once a day."""
        spent, day = self.spent(now), _date(now)
        if _nearly(spent.dollars, options.daily_budget) and self._first(day, "dollars"):
            return f"${spent.dollars:.2f} of today's budget of ${options.daily_budget:.2f} is spent"
        if _nearly(spent.tokens, options.daily_tokens) and self._first(day, "tokens"):
            return f"{spent.tokens:,} of today's {options.daily_tokens:,} tokens are used"
        return ""

    def _first(self, day: str, kind: str) -> bool:
        if (day, kind) in self._warned:
            return False
        self._warned = {known for known in self._warned if known[0] in self._days} | {(day, kind)}
        return True

    def _day(self, day: str) -> Spent:
        if day not in self._days:
            self._days[day] = Spent()
            while len(self._days) > _DAYS:
                # The one that was met first, whatever the clock said then.
                del self._days[next(iter(self._days))]
        return self._days[day]


def _nearly(spent: float, limit: float) -> bool:
    return 0 < limit * _WARN <= spent


@lru_cache(maxsize=8)
def _date_of_quarter(quarter: int) -> str:
    """Everywhere midnight is at a quarter of an hour of UTC."""
    return datetime.fromtimestamp(quarter * 900).astimezone().date().isoformat()


def _date(at: float) -> str:
    return _date_of_quarter(int(at // 900))


def _until(now: float) -> str:
    here = datetime.fromtimestamp(now).astimezone()
    midnight = datetime.combine(here.date() + timedelta(days=1), time.min).astimezone()
    minutes = max(1, round((midnight - here).total_seconds() / 60))
    hours = f"{minutes // 60} h " if minutes >= 60 else ""
    return f"wait for midnight (in {hours}{minutes % 60} min)"
