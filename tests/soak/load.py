"""Who asks? So many clients at once, each again and again, and some of the answers go wrong."""

import asyncio
from collections import Counter
from random import Random
from typing import Final

import msgspec

from tests.chaos.client import End, ask, judged, request
from tests.chaos.faults import FAULTS, Loss
from tests.chaos.recorded import ANSWERS
from tests.chaos.upstream import order
from tests.grammar import Illegal

__all__ = ["Load", "Seen"]


def faulty(*, endless: bool) -> list[str]:
    """What spoils an answer and costs no more than one."""
    return sorted(
        name
        for name, fault in FAULTS.items()
        if fault.light and not fault.early and fault.loss is not Loss.NOTHING
        if endless or not fault.endless
    )


PACE_MS: Final = 300
"""Between two events of an answer that is well: it lasts some seconds."""

PATIENCE: Final = 90.0
"""Seconds after which an answer that has no end is illegal."""


class Seen(msgspec.Struct):
    """What came back."""

    requests: int = 0
    faults: int = 0
    ends: Counter[str] = msgspec.field(default_factory=Counter)
    illegal: list[str] = []


class Load:
    """`run(seconds)`; `seen` grows while it runs."""

    def __init__(self, port: int, streams: int, faults: float, *, endless: bool = True) -> None:
        self._port = port
        self._streams = streams
        self._faults = faults
        self._dice = Random(0)
        self._faulty = faulty(endless=endless)
        self.seen = Seen()

    async def run(self, seconds: float) -> None:
        """Ask for so long, and wait for the answers that are then open."""
        until = asyncio.get_running_loop().time() + seconds
        async with asyncio.TaskGroup() as group:
            for number in range(self._streams):
                delay = seconds / 10 * number / self._streams
                group.create_task(self._client(until, delay))

    async def _client(self, until: float, delay: float) -> None:
        await asyncio.sleep(delay)
        while asyncio.get_running_loop().time() < until:
            await self._ask()

    async def _ask(self) -> None:
        spoilt = self._dice.random() < self._faults
        name = self._dice.choice(self._faulty) if spoilt else "answers_in_its_time"
        answer = self._dice.choice(sorted(ANSWERS))
        stream, claude = self._dice.random() < 0.8, self._dice.random() < 0.5
        raw = request(order(name, answer, PACE_MS), stream=stream, claude=claude)
        self.seen.requests += 1
        self.seen.faults += spoilt
        try:
            async with asyncio.timeout(PATIENCE):
                response = await ask(self._port, raw)
            end = judged(response, ANSWERS[answer], stream=stream, claude=claude)
        except (Illegal, OSError, TimeoutError, ValueError, KeyError) as error:
            self._wrong(name, f"{type(error).__name__} {error}")
            return
        self.seen.ends[end.value] += 1
        if (end is End.WHOLE) == spoilt and FAULTS[name].loss is not Loss.UNSURE:
            self._wrong(name, f"{end.value}: {response.body[-300:].decode()}")

    def _wrong(self, name: str, words: str) -> None:
        self.seen.illegal.append(f"{name}: {words}"[:600])
