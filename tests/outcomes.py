"""Outcomes of requests, made up or watched."""

from typing import Any

from aiohttp import web

from fcc.observe.outcome import Outcome
from fcc.server.gateway import GATEWAY


def outcome(**fields: Any) -> Outcome:
    """An answer that went well."""
    usual = {
        "request_id": "req_1", "at": 1_790_000_000.0, "session": "s", "client": "claude-cli/2.1.330",
        "stream": True, "asked": "claude-opus-5-5", "provider": "test", "model": "m",
        "status": 200, "outcome": "end_turn", "seconds": 2.0, "first": 0.5, "attempts": 1,
        "input": 100, "output": 20,
    }  # fmt: skip
    return Outcome(**(usual | fields))


class Kept:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Outcome] = []

    def ended(self, outcome: Outcome) -> None:
        self.told.append(outcome)


class Watched:
    """What the started app tells from here on."""

    def __init__(self, app: web.Application) -> None:
        self._kept = Kept()
        self._watch = app[GATEWAY].watch
        self._watch.add(self._kept)

    @property
    def outcomes(self) -> list[Outcome]:
        """All that has ended by now."""
        self._watch.tell()
        return self._kept.told

    @property
    def last(self) -> Outcome:
        return self.outcomes[-1]
