"""What is measured of a daemon or a command by itself: memory, start, `--help`."""

import os
import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import msgspec

from tests.bench import processes
from tests.bench.load import Load
from tests.bench.processes import Client, Gateway
from tests.bench.table import Figure, Goal

__all__ = ["help_page", "memory", "start"]


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
        rest.beside, rest.fcc = [passed.rss()], [fcc.rss()]
        full.beside, full.fcc = ([_open_rss(client, one, load)] for one in (passed, fcc))
        most.beside, most.fcc = [passed.rss("VmHWM")], [fcc.rss("VmHWM")]
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
                figure.beside.append(passed.start_cpu * 1e3)
            with processes.fcc(home, base_url) as daemon:
                figure.fcc.append(daemon.start_cpu * 1e3)
    return [figure]


def help_page(home: Path, times: int) -> list[Figure]:
    """`fcc --help`, and what it imports that it should not."""
    spent = Figure("CPU of fcc --help (beside: import click)", "ms", (Goal("fcc", 120),), digits=0)
    click = [sys.executable, "-c", "import click"]
    for _ in range(times):
        spent.beside.append(_spent(home, click) * 1e3)
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
