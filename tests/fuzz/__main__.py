"""The fuzzer: random inputs to the core, the findings with their seeds and smallest inputs.

    python -m tests.fuzz [--inputs N | --seconds N] [--seed N] [--only NAME] [--processes N]

Every input is made from its number and the seed alone: the same words find the same again.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from random import Random
from typing import Any, Final

import msgspec
from loguru import logger

from tests.fuzz.shrink import shrunk
from tests.fuzz.targets import TARGETS

__all__ = ["Found", "Run", "run"]

_BATCH: Final = 500
_TELL_EVERY: Final = 20.0
"""Seconds."""
_SHOWN: Final = 20
"""Findings of one kind are one finding; of many kinds so many are shown."""


class Found(msgspec.Struct, frozen=True):
    """One way in which the core fails."""

    target: str
    number: int
    kind: str
    words: str
    smallest: str


class Run(msgspec.Struct):
    """What came of a number of inputs."""

    counts: dict[str, int]
    found: dict[str, Found]


def main() -> None:
    """Fuzz, and tell."""
    options = _options()
    logger.remove()
    began = time.monotonic()
    total, told = Run(dict.fromkeys(TARGETS, 0), {}), began
    with ProcessPoolExecutor(options.processes) as pool:
        names = [options.only] if options.only else list(TARGETS)
        batches = _batches(options, began)
        ahead = 2 * options.processes
        running = [
            pool.submit(run, names, options.seed, *batch) for batch in _first(batches, ahead)
        ]
        while running:
            part = running.pop(0).result()
            for name, count in part.counts.items():
                total.counts[name] += count
            total.found = part.found | total.found
            if time.monotonic() - told > _TELL_EVERY:
                told = time.monotonic()
                inputs = sum(total.counts.values())
                sys.stderr.write(f"{inputs} inputs, {len(total.found)} findings\n")
            running += [
                pool.submit(run, names, options.seed, *batch) for batch in _first(batches, 1)
            ]
    _tell(total, options.seed, time.monotonic() - began)
    sys.exit(1 if total.found else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--inputs", type=int, default=1_000_000, help="(1000000)")
    parser.add_argument("--seconds", type=float, default=0.0, help="instead of a number of inputs")
    parser.add_argument("--seed", type=int, default=0, help="(0)")
    parser.add_argument("--begin", type=int, default=0, help="the number of the first input")
    parser.add_argument("--only", choices=TARGETS, help="one target")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="(all cores)")
    return parser.parse_args()


def _batches(options: argparse.Namespace, began: float) -> Iterator[tuple[int, int]]:
    """The first number and the length of each."""
    at = options.begin
    end = options.begin + options.inputs
    while time.monotonic() - began < options.seconds if options.seconds else at < end:
        size = _BATCH if options.seconds else min(_BATCH, end - at)
        yield at, size
        at += size


def _first(batches: Iterator[tuple[int, int]], count: int) -> list[tuple[int, int]]:
    return [batch for _, batch in zip(range(count), batches, strict=False)]


def run(names: list[str], seed: int, begin: int, count: int) -> Run:
    """Inputs `begin` and following: what is found is found again with the same four words."""
    done = Run(dict.fromkeys(names, 0), {})
    shares = [TARGETS[name].share for name in names]
    for number in range(begin, begin + count):
        dice = Random(seed << 40 | number)
        name = dice.choices(names, shares)[0]
        target = TARGETS[name]
        given = target.make(dice)
        done.counts[name] += 1
        kind = _failure(name, given)[0]
        if kind and kind not in done.found:
            smallest = shrunk(given, lambda less: _failure(name, less)[0] == kind)  # noqa: B023
            words = _failure(name, smallest)[1]
            done.found[kind] = Found(name, number, kind, words[:1500], repr(smallest)[:4000])
    return done


def _failure(name: str, given: Any) -> tuple[str, str]:
    """Of which kind the failure is, and its words; "" where there is none."""
    try:
        TARGETS[name].check(given)
    except Exception as error:  # noqa: BLE001 - any is a finding
        last = error.__traceback__
        while last is not None and last.tb_next is not None:
            last = last.tb_next
        assert last is not None
        where = f"{Path(last.tb_frame.f_code.co_filename).name}:{last.tb_lineno}"
        return f"{name}: {type(error).__name__} at {where}", f"{type(error).__name__}: {error}"
    return "", ""


def _tell(total: Run, seed: int, seconds: float) -> None:
    inputs = sum(total.counts.values())
    for name, count in total.counts.items():
        sys.stdout.write(f"{name:8} {count:9} inputs\n")
    rate = inputs / max(seconds, 0.001)
    sys.stdout.write(f"{'all':8} {inputs:9} inputs in {seconds:.0f} s, {rate:.0f} a second\n")
    sys.stdout.write(f"{len(total.found)} findings\n")
    for found in list(total.found.values())[:_SHOWN]:
        again = f"python -m tests.fuzz --seed {seed} --begin {found.number} --inputs 1"
        sys.stdout.write(f"\n{found.kind}\n  {found.words}\n  {found.smallest}\n  {again}\n")


if __name__ == "__main__":
    main()
