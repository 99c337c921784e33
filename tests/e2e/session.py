"""How a person goes on talking to one Claude Code: prompt after prompt in the same process."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from typing import Any

from tests.e2e.claude import Outcome, Room

_END = 20.0
"""Seconds the process may take to end once nothing more is said."""


class Session:
    """`say(prompt)`: what came of it."""

    def __init__(self, process: "subprocess.Popen[bytes]", room: Room) -> None:
        self._process = process
        self._room = room

    def say(self, prompt: str, seconds: float = 60.0) -> Outcome:
        """The events up to the result; the process is killed when that takes too long."""
        assert self._process.stdin is not None
        said = {"type": "user", "message": {"role": "user", "content": prompt}}
        watch = Timer(seconds, os.killpg, (self._process.pid, signal.SIGKILL))
        watch.start()
        try:
            self._process.stdin.write(json.dumps(said).encode() + b"\n")
            self._process.stdin.flush()
            events = list(self._heard())
        finally:
            watch.cancel()
        return Outcome(events, (self._room.root / "err").read_text("utf-8", "replace"), 0.0)

    def _heard(self) -> Iterator[dict[str, Any]]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if not line.startswith(b"{"):
                continue
            event = json.loads(line)
            yield event
            if event["type"] == "result":
                return


@contextmanager
def session(room: Room, *flags: str, **environment: str) -> Iterator[Session]:
    """One process that waits for prompts."""
    with (room.root / "err").open("wb") as err:
        process = subprocess.Popen(
            room.command("--input-format", "stream-json", *flags),
            cwd=room.place,
            env=room.environment(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=err,
            start_new_session=True,
        )
    with process:
        try:
            yield Session(process, room)
            assert process.stdin is not None
            process.stdin.close()
            process.wait(_END)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
