"""A backend that answers by script, and chunks to write scripts with."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fcc.diagnosis.rates import Rate
from fcc.diagnosis.verdict import Source
from fcc.errors import UpstreamError
from fcc.upstream.backend import Told, unheard

DONE = b"data: [DONE]\n\n"

Step = bytes | float | Exception | asyncio.Event
"""One read: bytes; seconds to wait before the next; an error; something to wait for."""


def data(value: object) -> bytes:
    """A server-sent event that carries `value`."""
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def chunk(finish_reason: str | None = None, **delta: Any) -> bytes:
    """A chunk with this delta."""
    return data({"choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]})


def text(*parts: str) -> list[bytes]:
    """A whole answer in words."""
    return [*(chunk(content=part) for part in parts), chunk("stop"), DONE]


def call(
    arguments: str | None = None, *, name: str | None = None, id: str | None = None, index: Any = 0
) -> bytes:
    """A chunk with one entry of tool_calls."""
    function = {"name": name, "arguments": arguments}
    entry = {
        "index": index,
        "id": id,
        "function": {k: v for k, v in function.items() if v is not None},
    }
    return chunk(tool_calls=[{k: v for k, v in entry.items() if v is not None}])


def usage(prompt: int, completion: int, cached: int = 0) -> bytes:
    """The chunk that carries the counts."""
    details = {"prompt_tokens_details": {"cached_tokens": cached}} if cached else {}
    counts = {"prompt_tokens": prompt, "completion_tokens": completion, **details}
    return data({"choices": [], "usage": counts})


class Scripted:
    """A Backend: each post is answered by the next answer, the last one again and again.

    An answer is an error that `post` raises, or the steps of its stream.
    """

    def __init__(self, *answers: UpstreamError | Iterable[Step]) -> None:
        self._answers = deque(
            answer if isinstance(answer, UpstreamError) else list(answer) for answer in answers
        )
        self.bodies: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.open = 0
        self.closed = asyncio.Event()
        self.rates: deque[Sequence[Rate]] = deque()
        """What the head of each answer says of limits; nothing where it has run out."""

    @asynccontextmanager
    async def post(
        self, body: bytes, source: Source, told: Told = unheard
    ) -> AsyncIterator["_Steps"]:
        self.bodies.append(json.loads(body))
        self.times.append(asyncio.get_running_loop().time())
        answer = self._answers.popleft() if len(self._answers) > 1 else self._answers[0]
        told(self.rates.popleft() if self.rates else ())
        if isinstance(answer, UpstreamError):
            raise answer
        self.open += 1
        try:
            yield _Steps(answer)
        finally:
            self.open -= 1
            self.closed.set()


class _Steps:
    def __init__(self, steps: list[Step]) -> None:
        self._steps = iter(steps)

    async def read(self) -> bytes:
        for step in self._steps:
            if isinstance(step, bytes):
                return step
            if isinstance(step, Exception):
                raise step
            if isinstance(step, asyncio.Event):
                await step.wait()
            else:
                await asyncio.sleep(step)
        return b""


ASKED: dict[str, Any] = {
    "model": "claude-opus-5-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "hello"}],
}
"""A Messages request."""

CLAUDE_CODE = {"User-Agent": "claude-cli/2.1.330 (external, sdk-cli)"}
