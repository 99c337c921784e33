"""`fcc` as a person runs it, with a window into the process: what is left in it of answers?

    python -m tests.soak.window serve ...

A thread answers every line on standard input with one line of JSON on a descriptor of its own, so
that nothing in the daemon's code knows of it.
"""

import asyncio
import gc
import os
import sys
import threading
from typing import Final

import msgspec

from fcc.__main__ import main
from fcc.server.gateway import Gateway

__all__ = ["SAID", "Inside"]

SAID: Final = "SOAK_SAID"
"""The variable that names the descriptor."""


class Inside(msgspec.Struct, frozen=True):
    """What answers take while they last."""

    answers: int
    seats: int
    waiting: int
    connections: int
    """To the provider."""
    tasks: int


def _inside(gateway: Gateway) -> Inside:
    limiters = [door.limiter for lane in list(gateway._lanes.values()) for door in lane.doors]
    connector = gateway.session.connector
    assert connector is not None
    return Inside(
        answers=gateway.open,
        seats=sum(limiter.open for limiter in limiters),
        waiting=sum(limiter.waiting for limiter in limiters),
        connections=len(connector._acquired),
        tasks=len(asyncio.all_tasks(connector._loop)),
    )


def _answer(said: int) -> None:
    for _ in sys.stdin:
        # type(), as isinstance() asks foreign objects for their class.
        (gateway,) = (thing for thing in gc.get_objects() if type(thing) is Gateway)
        os.write(said, msgspec.json.encode(_inside(gateway)) + b"\n")


if __name__ == "__main__":
    threading.Thread(target=_answer, args=(int(os.environ[SAID]),), daemon=True).start()
    main()
