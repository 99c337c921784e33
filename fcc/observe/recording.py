"""What is noted of one request while it is answered?

Facts always; what was said only with `bodies`, as it came, and redacted when the request has ended.
Memory is bounded by the budget that all recordings share: who finds it spent notes facts alone.
"""

import asyncio
from collections.abc import Iterable
from itertools import chain
from typing import Final

import msgspec

from fcc.errors import UpstreamError
from fcc.observe.outcome import Outcome
from fcc.observe.redactor import Redactor
from fcc.observe.trace import TOO_LARGE, Attempt, Data, Headers, Stream, Trace

__all__ = ["Attempting", "Budget", "Recording"]

_LONGEST_PATH: Final = 2000


class Budget:
    """Bytes that recordings of open requests may hold together."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0

    def take(self, size: int) -> bool:
        """Whether there is room for `size` more, which then is taken."""
        if self.held + size > self.limit:
            return False
        self.held += size
        return True


class _Shared:
    """What a recording and its attempts share, so that they need not know each other.

    A circle of them would wait for the garbage collector, whose round through all of the daemon's
    memory costs more than noting a thousand requests.
    """

    def __init__(self, budget: Budget, *, bodies: bool) -> None:
        self.bodies = bodies
        self.size = 0
        self._budget = budget
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()

    def seconds(self) -> float:
        """Since the request began."""
        return self._clock() - self._began

    def kept(self, raw: bytes) -> bytes | None:
        """`raw`, if bodies are kept and there is room for it."""
        if self.bodies and self._budget.take(len(raw)):
            self.size += len(raw)
            return raw
        self.bodies = False
        return None

    def release(self) -> None:
        """Give the room back."""
        self._budget.held -= self.size
        self.size = 0


class Attempting:
    """One attempt, while it goes on."""

    def __init__(self, shared: _Shared, attempt: Attempt, body: bytes) -> None:
        self.attempt = attempt
        self._shared = shared
        self._reads: list[tuple[float, bytes]] = []
        self._over = False
        self._body = shared.kept(body)
        attempt.body_bytes = len(body)

    @property
    def wants_reads(self) -> bool:
        """Whether `read` is worth a call."""
        return self._shared.bodies

    def answered(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        """The answer's head."""
        self.attempt.status = status
        self.attempt.response_headers = list(headers)

    def read(self, raw: bytes) -> None:
        """More of the answer, as it came."""
        if raw and self._shared.kept(raw) is not None:
            self._reads.append((self._shared.seconds(), raw))

    def ended(self, failure: UpstreamError | None) -> None:
        """The attempt is over, well or not."""
        if self._over:
            return
        self._over = True
        self.attempt.ended = self._shared.seconds()
        if failure is not None:
            self.attempt.error, self.attempt.error_type = failure.message, failure.error_type
        if failure is not None and failure.said is not None:
            self.answered(failure.said.status, failure.said.headers)
            self.read(failure.said.body)

    def release(self) -> None:
        """Forget what was said."""
        self._body = None
        self._reads = []

    def finish(self, redactor: Redactor, hidden: set[str], *, bodies: bool) -> Attempt:
        """All of it, without secrets; of headers with a name of `hidden` no value."""
        attempt = self.attempt
        attempt.url = redactor.text(attempt.url)
        attempt.error = redactor.text(attempt.error)
        attempt.headers = redactor.headers(attempt.headers, hidden)
        attempt.response_headers = redactor.headers(attempt.response_headers)
        if bodies and self._body is not None:
            attempt.body = Data.of(redactor.body(self._body))
            attempt.received_bytes = sum(len(raw) for _, raw in self._reads)
            attempt.received = _stream(self._reads, redactor)
        return attempt


class Recording:
    """One request, while it is answered."""

    def __init__(self, method: str, path: str, *, bodies: bool, budget: Budget) -> None:
        self.hidden: set[str] = set()
        """Names of headers whose values are never shown."""
        self.known: set[str] = set()
        """Secrets of this request, word for word."""
        self.headers: Headers = []
        self.body_bytes = 0
        self.sent_bytes = 0
        self._method = method
        self._path = path[:_LONGEST_PATH]
        self._wanted = bodies
        self._shared = _Shared(budget, bodies=bodies)
        self._body: bytes | None = None
        self._attempts: list[Attempting] = []
        self._sent: list[tuple[float, bytes]] = []

    @property
    def bodies(self) -> bool:
        """Whether what is said is kept; false where there is no more room."""
        return self._shared.bodies

    @property
    def size(self) -> int:
        """Bytes of what was said that are held."""
        return self._shared.size

    @property
    def weight(self) -> int:
        """Bytes of its facts, about."""
        headers = [*self.headers]
        for attempting in self._attempts:
            headers += attempting.attempt.headers
            headers += attempting.attempt.response_headers
        return 1000 + sum(map(len, chain.from_iterable(headers)))

    def asked(self, body: bytes) -> None:
        """The client's request is here."""
        self.body_bytes = len(body)
        self._body = self._shared.kept(body)

    def attempt(self, attempt: Attempt, body: bytes) -> Attempting:
        """A provider is asked."""
        attempt.began = self._shared.seconds()
        self._attempts.append(Attempting(self._shared, attempt, body))
        return self._attempts[-1]

    def attempt_ended(self, failure: UpstreamError | None) -> None:
        """The attempt that goes on is over, if one has begun."""
        if self._attempts:
            self._attempts[-1].ended(failure)

    def sent(self, raw: bytes) -> None:
        """Something went out to the client."""
        if raw and self._shared.kept(raw) is not None:
            self._sent.append((self._shared.seconds(), bytes(raw)))

    def finish(self, outcome: Outcome, redactor: Redactor, version: str) -> Trace:
        """The whole, without secrets."""
        bodies = self.bodies
        trace = Trace(
            outcome=msgspec.structs.replace(outcome, error=redactor.text(outcome.error)),
            method=self._method,
            path=redactor.text(self._path),
            version=version,
            headers=redactor.headers(self.headers, self.hidden),
            body_bytes=self.body_bytes,
            attempts=[one.finish(redactor, self.hidden, bodies=bodies) for one in self._attempts],
            sent_bytes=self.sent_bytes,
            bodies=bodies,
        )
        if self._wanted and not bodies:
            trace.left_out = TOO_LARGE
        if bodies:
            trace.body = None if self._body is None else Data.of(redactor.body(self._body))
            trace.sent = _stream(self._sent, redactor)
        return trace

    def release(self) -> None:
        """Forget what was said, and give the room back."""
        self._body = None
        self._sent = []
        for attempting in self._attempts:
            attempting.release()
        self._shared.release()


def _stream(parts: list[tuple[float, bytes]], redactor: Redactor) -> Stream:
    redacted = redactor.stream([raw for _, raw in parts])
    data = Data.of(b"".join(redacted))
    times = [
        (round(seconds, 4), len(raw)) for (seconds, _), raw in zip(parts, redacted, strict=True)
    ]
    return Stream(data, times)
