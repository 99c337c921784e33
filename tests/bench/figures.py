"""What is measured, and how? Each measurement adds one value a round to its figures.

CPU time, because wall time says more about the neighbours; both gateways in turn, so that they
have the same neighbours.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import msgspec

from tests.bench import processes
from tests.bench.load import Load, Seen
from tests.bench.processes import Client, Gateway
from tests.bench.table import Figure, Goal

__all__ = ["SERVED", "Bench", "bench", "help_page", "memory", "start"]

_FEW = 5
"""Chunks of an answer that measures the request and not the stream."""


class Bench:
    """Both gateways side by side, and who loads them."""

    def __init__(self, client: Client, passed: Gateway, fcc: Gateway, *, quick: bool) -> None:
        self._client = client
        self._passed = passed
        self._fcc = fcc
        self.quick = quick
        self._turns = 0

    def compare(self, figure: Figure, measured: Callable[[Gateway], float]) -> None:
        """One round. Who begins changes with each."""
        self._turns += 1
        pair = [(self._passed, figure.passed), (self._fcc, figure.fcc)]
        for gateway, values in pair[:: 1 if self._turns % 2 else -1]:
            values.append(measured(gateway))

    def cpu(self, gateway: Gateway, load: Load) -> tuple[float, Seen]:
        """CPU seconds that the gateway spends on the load."""
        before = gateway.cpu()
        seen = self._client.run(msgspec.structs.replace(load, port=gateway.port))
        return gateway.cpu() - before, seen

    def warm(self) -> None:
        """What only the first requests cost is not measured."""
        for gateway in (self._passed, self._fcc):
            for load in (Load(requests=20), Load(size=150_000, requests=5), Load(chunks=500)):
                self.cpu(gateway, load)

    def scaled(self, number: int) -> int:
        """How often, in a quick run less."""
        return max(1, number // 3) if self.quick else number


@contextmanager
def bench(home: Path, *, quick: bool) -> Iterator[Bench]:
    """Both gateways running."""
    with ExitStack() as stack:
        base_url = stack.enter_context(processes.upstream(home))
        client = stack.enter_context(processes.client(home))
        passed = stack.enter_context(processes.passthrough(home, base_url))
        fcc = stack.enter_context(processes.fcc(home, base_url))
        yield Bench(client, passed, fcc, quick=quick)


def _requests(size: int, number: int, streams: int) -> Callable[[Bench, Figure], None]:
    def measure(bench: Bench, figure: Figure) -> None:
        requests = max(1, bench.scaled(number) // streams)
        load = Load(size=size, chunks=_FEW, streams=streams, requests=requests)
        bench.compare(figure, lambda gateway: bench.cpu(gateway, load)[0] / load.total * 1e6)

    return measure


def _chunks(load: Load) -> Callable[[Bench, Figure], None]:
    """Per chunk: what the same number of requests costs with few chunks is taken off."""
    few = msgspec.structs.replace(load, chunks=_FEW, pace_ms=0, requests=1)

    def measure(bench: Bench, figure: Figure) -> None:
        long = msgspec.structs.replace(load, requests=bench.scaled(load.requests))
        if load.pace_ms:
            long = msgspec.structs.replace(load, chunks=bench.scaled(load.chunks))

        sent = long.total * long.chunks

        def per_chunk(gateway: Gateway) -> float:
            short = bench.cpu(gateway, few)[0] / few.total
            spent, seen = bench.cpu(gateway, long)
            if load.pace_ms:
                figure.reads.setdefault(gateway.name, []).append(seen.reads / sent)
            return (spent / long.total - short) / (long.chunks - _FEW) * 1e6

        bench.compare(figure, per_chunk)

    return measure


def _first(size: int, number: int) -> Callable[[Bench, Figure], None]:
    """One request at a time, by the clock on the wall."""

    def measure(bench: Bench, figure: Figure) -> None:
        load = Load(size=size, chunks=_FEW, requests=bench.scaled(number))
        bench.compare(figure, lambda gateway: median(bench.cpu(gateway, load)[1].first) * 1e3)

    return measure


SERVED: dict[str, tuple[Callable[[], Figure], Callable[[Bench, Figure], None]]] = {
    "burst": (
        lambda: Figure("CPU per chunk, burst of 8", "us", (Goal("ratio", 2.5), Goal("fcc", 12))),
        _chunks(Load(chunks=500, streams=8, requests=6)),
    ),
    "paced20": (
        lambda: Figure("CPU per chunk, 20 paced", "us", (Goal("ratio", 1.3),)),
        _chunks(Load(chunks=180, pace_ms=20, streams=20)),
    ),
    "paced100": (
        lambda: Figure("CPU per chunk, 100 paced", "us", (Goal("ratio", 1.3),)),
        _chunks(Load(chunks=180, pace_ms=20, streams=100)),
    ),
    "2k": (
        lambda: Figure("CPU per request of 2 KB", "us", digits=0),
        _requests(2_000, 300, 4),
    ),
    "150k": (
        lambda: Figure("CPU per request of 150 KB", "us", (Goal("ratio", 3.0),), digits=0),
        _requests(150_000, 150, 4),
    ),
    "3m": (
        lambda: Figure("CPU per request of 3 MB", "us", digits=0),
        _requests(3_000_000, 12, 2),
    ),
    "ttft2k": (
        lambda: Figure("first content, 2 KB", "ms", (Goal("added", 3.0),), digits=2),
        _first(2_000, 100),
    ),
    "ttft150k": (
        lambda: Figure("first content, 150 KB", "ms", (Goal("added", 3.0),), digits=2),
        _first(150_000, 60),
    ),
}
"""What both gateways are asked for in every round."""


def memory(home: Path) -> list[Figure]:
    """Fresh gateways: at rest, and with 500 open streams of 60 KB requests each."""
    rest = Figure("memory at rest", "MB", (Goal("fcc", 70),))
    full = Figure("memory, 500 open streams", "MB", (Goal("fcc", 110),))
    most = Figure("memory, the most ever", "MB")
    load = Load(size=60_000, chunks=12, pace_ms=500, streams=500, stagger_ms=6)
    with ExitStack() as stack:
        base_url = stack.enter_context(processes.upstream(home))
        client = stack.enter_context(processes.client(home))
        passed = stack.enter_context(processes.passthrough(home, base_url))
        fcc = stack.enter_context(processes.fcc(home, base_url))
        rest.passed, rest.fcc = [passed.rss()], [fcc.rss()]
        full.passed, full.fcc = ([_open_rss(client, one, load)] for one in (passed, fcc))
        most.passed, most.fcc = [passed.rss("VmHWM")], [fcc.rss("VmHWM")]
    return [rest, full, most]


def _open_rss(client: Client, gateway: Gateway, load: Load) -> float:
    """Memory when the last stream has begun and the first has not ended."""
    client.begin(msgspec.structs.replace(load, port=gateway.port))
    client.over(load.streams * load.stagger_ms / 1000 + 1.0)
    open_ = gateway.rss()
    client.end()
    return open_


def start(home: Path, times: int) -> list[Figure]:
    """Until the daemon answers /health."""
    figure = Figure("CPU until ready to serve", "ms", (Goal("fcc", 600),), digits=0)
    with processes.upstream(home) as base_url:
        for _ in range(times):
            with processes.passthrough(home, base_url) as passed:
                figure.passed.append(passed.start_cpu * 1e3)
            with processes.fcc(home, base_url) as daemon:
                figure.fcc.append(daemon.start_cpu * 1e3)
    return [figure]


def help_page(home: Path, times: int) -> list[Figure]:
    """`fcc --help`, and what it imports that it should not."""
    spent = Figure("CPU of fcc --help (beside: import click)", "ms", (Goal("fcc", 120),), digits=0)
    click = [sys.executable, "-c", "import click"]
    for _ in range(times):
        spent.passed.append(_spent(home, click) * 1e3)
        spent.fcc.append(_spent(home, processes.command("--help")) * 1e3)
    heavy = Figure("fcc --help imports openai, aiohttp", "", (Goal("fcc", 0),), digits=0)
    heavy.fcc.append(float(len(_imported(home) & {"openai", "aiohttp"})))
    return [spent, heavy]


def _spent(home: Path, words: list[str]) -> float:
    """CPU seconds of a whole process."""
    process = subprocess.Popen(words, env=processes.environment(home), stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, words
    return used.ru_utime + used.ru_stime


def _imported(home: Path) -> set[str]:
    words = processes.command("--help")
    words[1:1] = ["-X", "importtime"]
    told = subprocess.run(
        words, env=processes.environment(home), capture_output=True, text=True, check=True
    )
    names = set(re.findall(r"\|\s+([\w.]+)$", told.stderr, re.MULTILINE))
    if "click" not in names:
        sys.exit(f"python -X importtime told nothing: {told.stderr[-500:]}")
    return names
