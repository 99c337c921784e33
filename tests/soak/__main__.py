"""The soak: clients, faults and the daemon as a process; a table, and 1 where anything is wrong.

python -m tests.soak [--streams N] [--seconds N] [--faults PER_CENT]
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from tests.soak.load import Load, Seen
from tests.soak.processes import Daemon, daemon, provider
from tests.soak.window import Inside

__all__ = ["Report", "shown", "soak", "wrong"]

GROWTH: Final = 0.10
"""By how much of itself memory may grow once it is warm: the allocator keeps what peaks took."""
SLACK_MB: Final = 6.0

_READ: Final = (1.5, 6.0)
"""Seconds of silence that the provider is allowed, least and most: a tenth of the run."""
_TOTAL: Final = (6.0, 20.0)
"""Seconds of a whole answer that it is allowed, least and most: a third of the run."""
_LONG: Final = 20.0
"""Seconds; a shorter run has no time for answers that only the limit of all ends."""

_IDLE: Final = Inside(answers=0, seats=0, waiting=0, connections=0, tasks=1)
"""The one task is the daemon's own."""


class Report(msgspec.Struct):
    """What the soak measured."""

    seen: Seen
    memory: list[tuple[float, float]]
    """Seconds and MB, from the start to the end."""
    before: Inside
    after: Inside
    sockets: int
    """More than before."""
    cpu: float
    seconds: float


def main() -> None:
    """Run, show, and judge."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--streams", type=int, default=500, help="at once (500)")
    parser.add_argument("--seconds", type=float, default=60.0, help="(60)")
    parser.add_argument("--faults", type=float, default=5.0, help="per cent of the answers (5)")
    options = parser.parse_args()
    report = asyncio.run(soak(options.streams, options.seconds, options.faults / 100))
    problems = wrong(report)
    sys.stdout.write(f"{shown(report)}\n")
    sys.stdout.write("".join(f"WRONG: {words}\n" for words in problems) or "all well\n")
    sys.exit(1 if problems else 0)


async def soak(streams: int, seconds: float, faults: float) -> Report:
    """One run."""
    with tempfile.TemporaryDirectory(prefix="fcc-soak-") as folder:
        home = Path(folder)
        read = min(max(_READ[0], seconds / 10), _READ[1])
        total = min(max(_TOTAL[0], seconds / 3), _TOTAL[1])
        async with provider(home) as url, daemon(home, url, read=read, total=total) as running:
            return await _soaked(
                running, Load(running.port, streams, faults, endless=seconds >= _LONG), seconds
            )


async def _soaked(running: Daemon, load: Load, seconds: float) -> Report:
    loop = asyncio.get_running_loop()
    # Once, so that all that a first answer loads is there.
    await Load(running.port, 1, 0.0).run(0.01)
    before, sockets = await _settled(running), running.sockets
    began, cpu = loop.time(), running.cpu
    memory = [(0.0, running.rss)]
    asking = asyncio.create_task(load.run(seconds))
    while not asking.done():
        await asyncio.wait([asking], timeout=max(0.5, seconds / 6))
        memory.append((loop.time() - began, running.rss))
    await asking
    spent, cpu = loop.time() - began, running.cpu - cpu
    after = await _settled(running)
    memory.append((loop.time() - began, running.rss))
    left = max(0, running.sockets - sockets)
    return Report(load.seen, memory, before, after, left, cpu, spent)


async def _settled(running: Daemon) -> Inside:
    """What is left, once what goes within seconds has gone."""
    inside = await running.inside()
    for _ in range(100):
        if inside == _IDLE:
            break
        await asyncio.sleep(0.1)
        inside = await running.inside()
    return inside


def wrong(report: Report) -> list[str]:
    """What must not be, in words."""
    found = [f"illegal: {words}" for words in report.seen.illegal[:10]]
    if report.after != report.before:
        found.append(f"left over: {report.after}, and before it was {report.before}")
    if report.sockets:
        found.append(f"left over: {report.sockets} sockets")
    warm, last = _warm(report), report.memory[-1][1]
    if last > warm * (1 + GROWTH) + SLACK_MB:
        found.append(f"memory grew from {warm:.1f} MB when warm to {last:.1f} MB")
    return found


def _warm(report: Report) -> float:
    """Memory after a third of the time, when all streams have been open for a while."""
    return next(mb for at, mb in report.memory if at >= report.seconds / 3)


def shown(report: Report) -> str:
    """The table."""
    seen = report.seen
    rows = [
        ("requests", f"{seen.requests} in {report.seconds:.0f} s"),
        ("of them spoilt", str(seen.faults)),
        *((f"end: {end}", str(count)) for end, count in sorted(seen.ends.items())),
        ("illegal sequences", str(len(seen.illegal))),
        ("left over", f"{msgspec.structs.asdict(report.after)}, {report.sockets} sockets"),
        ("memory", ", ".join(f"{at:.0f} s {mb:.1f} MB" for at, mb in report.memory)),
        ("memory's bound", f"{_warm(report) * (1 + GROWTH) + SLACK_MB:.1f} MB"),
        (
            "CPU",
            f"{report.cpu:.1f} s, {1000 * report.cpu / max(1, seen.requests):.2f} ms a request",
        ),
    ]
    return "\n".join(f"{name:18} {words}" for name, words in rows)


if __name__ == "__main__":
    main()
