"""The benchmark: fcc beside a byte pass-through, and beside itself with `observe = false`, in turn;
tables with the goals at the end.

    python -m tests.bench [--rounds N] [--quick] [--only NAME,NAME]

It ends by itself: in a few minutes, with --quick in about one.
"""

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import alone, figures
from tests.bench.table import Figure, shown

_LIMIT = 570
"""Seconds after which it ends, whatever the machine is busy with."""
_QUICK_LIMIT = 85
_ALONE = ("memory", "start", "help")


def main() -> None:
    """Measure, and show."""
    options = _options()
    limit = _QUICK_LIMIT if options.quick else _LIMIT
    deadline = time.monotonic() + limit - (20 if options.quick else 60)
    signal.signal(signal.SIGALRM, lambda *_: sys.exit(f"not done in {limit} s: ended"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    signal.alarm(limit)
    found: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="fcc-bench-") as folder:
        home = Path(folder)
        found += _alone(home, options.only, quick=options.quick)
        found[:0] = _served(home, options, deadline)
    sys.stdout.write(f"{shown(found)}\n")


def _options() -> argparse.Namespace:
    names = (*figures.SERVED, *_ALONE)
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--rounds", type=int, default=0, help="(7, with --quick 3)")
    parser.add_argument("--quick", action="store_true", help="less of everything")
    parser.add_argument(
        "--only",
        type=lambda text: [_known(name, names) for name in text.split(",")],
        default=names,
        metavar="NAME,NAME",
        help=f"of {', '.join(names)}",
    )
    options = parser.parse_args()
    options.rounds = options.rounds or (3 if options.quick else 7)
    return options


def _known(name: str, names: tuple[str, ...]) -> str:
    if name not in names:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(names)}")
    return name


def _alone(home: Path, only: list[str], *, quick: bool) -> list[Figure]:
    found: list[Figure] = []
    if "memory" in only:
        found += alone.memory(home)
    if "start" in only:
        found += alone.start(home, 3 if quick else 9)
    if "help" in only:
        found += alone.help_page(home, 5 if quick else 15)
    return found


def _served(home: Path, options: argparse.Namespace, deadline: float) -> list[Figure]:
    chosen = [
        (new(), run)
        for name, measured in figures.SERVED.items()
        if name in options.only
        for new, run in measured
    ]
    if not chosen:
        return []
    with figures.bench(home, quick=options.quick) as bench:
        bench.warm()
        for number in range(options.rounds):
            began = time.monotonic()
            for figure, run in chosen:
                run(bench, figure)
            now = time.monotonic()
            sys.stderr.write(f"round {number + 1} of {options.rounds}: {now - began:.0f} s\n")
            if now + (now - began) > deadline:
                break
    return [figure for figure, _ in chosen]


if __name__ == "__main__":
    main()
