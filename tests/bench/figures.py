"""What is measured under load, and how? Each measurement adds one value a round to its figures.

CPU time, because wall time says more about the neighbours; two gateways in turn, so that they
have the same neighbours.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import msgspec

from tests.bench import processes
from tests.bench.load import Load, Seen
from tests.bench.processes import Client, Gateway
from tests.bench.table import Figure, Goal

__all__ = ["SERVED", "Bench", "Measured", "bench"]

_FEW = 5
"""Chunks of an answer that measures the request and not the stream."""


_PAIRS = 6
"""How often a round compares what may differ by a few percent only."""


class Bench:
    """The gateways side by side, and who loads them."""

    def __init__(self, client: Client, fcc: Gateway, *others: Gateway, quick: bool) -> None:
        self._client = client
        self._fcc = fcc
        self._others = {other.name: other for other in others}
        self.quick = quick
        self._turns = 0

    def compare(self, figure: Figure, measured: Callable[[Gateway], float]) -> None:
        """One round. Who begins changes with each."""
        self._turns += 1
        pair = [(self._others[figure.other], figure.beside), (self._fcc, figure.fcc)]
        for gateway, values in pair[:: 1 if self._turns % 2 else -1]:
            values.append(measured(gateway))

    def cpu(self, gateway: Gateway, load: Load) -> tuple[float, Seen]:
        """CPU seconds that the gateway spends on the load."""
        before = gateway.cpu()
        seen = self._client.run(msgspec.structs.replace(load, port=gateway.port))
        return gateway.cpu() - before, seen

    def warm(self) -> None:
        """What only the first requests cost is not measured."""
        for gateway in (*self._others.values(), self._fcc):
            for load in (Load(requests=20), Load(size=150_000, requests=5), Load(chunks=500)):
                self.cpu(gateway, load)

    def scaled(self, number: int) -> int:
        """How often, in a quick run less."""
        return max(1, number // 3) if self.quick else number


@contextmanager
def bench(home: Path, *, quick: bool) -> Iterator[Bench]:
    """The gateways running."""
    with ExitStack() as stack:
        base_url = stack.enter_context(processes.upstream(home))
        client = stack.enter_context(processes.client(home))
        passed = stack.enter_context(processes.passthrough(home, base_url))
        fcc = stack.enter_context(processes.fcc(home, base_url))
        off = stack.enter_context(processes.fcc(home, base_url, observe=False))
        yield Bench(client, fcc, passed, off, quick=quick)


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


Measured = tuple[Callable[[], Figure], Callable[[Bench, Figure], None]]


def _observing(what: str, run: Callable[[Bench, Figure], None], pairs: int = _PAIRS) -> Measured:
    """What it costs to note requests: the daemon beside one that notes none."""

    def new() -> Figure:
        return Figure(f"CPU per {what}", "us", (Goal("ratio", 1.05),), digits=2, other="off")

    def measure(bench: Bench, figure: Figure) -> None:
        for _ in range(bench.scaled(pairs)):
            run(bench, figure)

    return new, measure


SERVED: dict[str, list[Measured]] = {
    "burst": [
        (
            lambda: Figure(
                "CPU per chunk, burst of 8", "us", (Goal("ratio", 2.5), Goal("fcc", 12))
            ),
            _chunks(Load(chunks=500, streams=8, requests=6)),
        )
    ],
    "paced20": [
        (
            lambda: Figure("CPU per chunk, 20 paced", "us", (Goal("ratio", 1.3),)),
            _chunks(Load(chunks=180, pace_ms=20, streams=20)),
        )
    ],
    "paced100": [
        (
            lambda: Figure("CPU per chunk, 100 paced", "us", (Goal("ratio", 1.3),)),
            _chunks(Load(chunks=180, pace_ms=20, streams=100)),
        )
    ],
    "2k": [
        (
            lambda: Figure("CPU per request of 2 KB", "us", digits=0),
            _requests(2_000, 300, 4),
        )
    ],
    "150k": [
        (
            lambda: Figure("CPU per request of 150 KB", "us", (Goal("ratio", 3.0),), digits=0),
            _requests(150_000, 150, 4),
        )
    ],
    "3m": [
        (
            lambda: Figure("CPU per request of 3 MB", "us", digits=0),
            _requests(3_000_000, 12, 2),
        )
    ],
    "ttft2k": [
        (
            lambda: Figure("first content, 2 KB", "ms", (Goal("added", 3.0),), digits=2),
            _first(2_000, 100),
        )
    ],
    "ttft150k": [
        (
            lambda: Figure("first content, 150 KB", "ms", (Goal("added", 3.0),), digits=2),
            _first(150_000, 60),
        )
    ],
    "observe": [
        _observing("chunk, burst of 8", _chunks(Load(chunks=500, streams=8, requests=6))),
        _observing("chunk, 20 paced", _chunks(Load(chunks=180, pace_ms=20, streams=20)), 1),
        # Long enough that what is told and written a moment later is in it.
        _observing("request of 2 KB", _requests(2_000, 2400, 4), 1),
        _observing("request of 150 KB", _requests(150_000, 900, 4), 1),
    ],
}
"""What the gateways are asked for in every round."""
