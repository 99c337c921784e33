"""What is noted of one request while it is answered?

Facts always, and as little is done with them as can be: they are put into words when somebody
looks. What was said only with `bodies`, as it came, and redacted when the request has ended. Memory
is bounded by the budget that all recordings share: who finds it spent notes facts alone.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from fcc.diagnosis.names import random_looking
from fcc.errors import UpstreamError
from fcc.observe.head import packed, unpacked
from fcc.observe.outcome import Outcome
from fcc.observe.redactor import Redactor
from fcc.observe.said import Talk
from fcc.observe.trace import TOO_LARGE, Attempt, Trace

__all__ = ["Attempting", "Recording"]

_LONGEST_PATH: Final = 2000
"""Characters."""

_NONE: Final[Mapping[str, str]] = MappingProxyType({})

_Headers = Iterable[tuple[str, str]]
"""That nobody changes."""


class Attempting(msgspec.Struct, gc=False):
    """One attempt, while it goes on and as long as its request is kept."""

    provider: str
    model: str
    url: str
    """Empty where the answer comes from inside fcc."""
    headers: Mapping[str, str]
    """The backend's own, which it doesn't change."""
    body_bytes: int
    began: float
    """Seconds since the request began."""
    talk: Talk | None
    """What was said; None: only facts are wanted."""
    status: int | None = None
    response_headers: _Headers = ()
    response_head: str = ""
    """The same, once they are packed."""
    ended: float | None = None
    """As `began`; None: it goes on."""
    error: str = ""
    error_type: str = ""

    def read(self, raw: bytes) -> None:
        """More of the answer, as it came."""
        if self.talk is not None:
            self.talk.more(raw)

    def failed(self, failure: UpstreamError) -> None:
        """Why it ended."""
        self.error, self.error_type = failure.message, failure.error_type
        if failure.said is not None:
            self.status, self.response_headers = failure.said.status, failure.said.headers
            self.read(failure.said.body)

    def finish(self, redactor: Redactor, hidden: Iterable[str]) -> Attempt:
        """All of it, without secrets; of headers with a name of `hidden` no value."""
        attempt = Attempt(
            provider=self.provider,
            model=self.model,
            url=redactor.text(self.url),
            headers=redactor.headers(self.headers.items(), hidden),
            began=self.began,
            ended=self.ended or 0.0,
            body_bytes=self.body_bytes,
            status=self.status,
            response_headers=redactor.headers(unpacked(self.response_head)),
            error=redactor.text(self.error),
            error_type=self.error_type,
        )
        if self.talk is not None and self.talk.room.left:
            attempt.body = self.talk.body(redactor)
            attempt.received_bytes = self.talk.streamed
            attempt.received = self.talk.stream(redactor)
        return attempt


class Recording(msgspec.Struct, gc=False):
    """One request, while it is answered and as long as it is kept."""

    method: str
    path: str
    headers: _Headers
    clock: Callable[[], float]
    began: float
    """On the clock."""
    talk: Talk | None
    """What was said; None: only facts are wanted."""
    known: frozenset[str] = frozenset()
    """The secrets that were in force meanwhile, word for word."""
    hidden: frozenset[str] = frozenset()
    """Names of headers whose values are never shown."""
    head: str = ""
    """The headers, once they are packed."""
    body_bytes: int = 0
    sent_bytes: int = 0
    attempts: tuple[Attempting, ...] = ()

    @property
    def bodies(self) -> bool:
        """Whether what is said is kept; false where there is no more room."""
        return self.talk is not None and self.talk.room.left

    @property
    def size(self) -> int:
        """Bytes of what was said that are held."""
        return self.talk.room.size if self.talk is not None else 0

    @property
    def secrets(self) -> frozenset[str]:
        """The token that came with it is one too, unless it is a word like any."""
        tokens = [_token(name.lower(), value) for name, value in unpacked(self.head)]
        return self.known | {token for token in tokens if random_looking(token)}

    def pack(self) -> int:
        """It is over, and is kept small from here on: bytes of its facts, about."""
        self.head, self.headers = packed(self.headers), ()
        size = 1000 + len(self.path) + len(self.head)
        for one in self.attempts:
            one.response_head, one.response_headers = packed(one.response_headers), ()
            size += len(one.response_head)
        return size

    def asked(self, body: bytes) -> None:
        """The client's request is here."""
        self.body_bytes = len(body)
        if self.talk is not None:
            self.talk.asked(body)

    def attempt(
        self,
        provider: str,
        model: str,
        body: bytes,
        url: str = "",
        headers: Mapping[str, str] = _NONE,
    ) -> Attempting:
        """A provider is asked."""
        began, talk = self.clock() - self.began, None
        if self.talk is not None:
            talk = Talk(self.talk.room)
            talk.asked(body)
        attempt = Attempting(provider, model, url, headers, len(body), began, talk)
        self.attempts += (attempt,)
        return attempt

    def attempt_ended(self, failure: UpstreamError | None) -> None:
        """The attempt that goes on is over, if one has begun."""
        if not self.attempts:
            return
        attempt = self.attempts[-1]
        if attempt.ended is None:
            attempt.ended = self.clock() - self.began
            if failure is not None:
                attempt.failed(failure)

    def sent(self, raw: bytes) -> None:
        """Something went out to the client."""
        if self.talk is not None:
            self.talk.more(bytes(raw))

    def finish(self, outcome: Outcome, redactor: Redactor, version: str) -> Trace:
        """The whole, without secrets; it is packed by now."""
        talk = self.talk
        trace = Trace(
            outcome=msgspec.structs.replace(outcome, error=redactor.text(outcome.error)),
            method=self.method,
            path=redactor.text(self.path[:_LONGEST_PATH]),
            version=version,
            headers=redactor.headers(unpacked(self.head), self.hidden),
            body_bytes=self.body_bytes,
            attempts=[one.finish(redactor, self.hidden) for one in self.attempts],
            sent_bytes=self.sent_bytes,
        )
        if talk is not None and talk.room.left:
            trace.bodies = True
            trace.body = talk.body(redactor)
            trace.sent = talk.stream(redactor)
        elif talk is not None:
            trace.left_out = TOO_LARGE
        return trace

    def release(self) -> None:
        """Forget what was said, and give the room back."""
        if self.talk is None:
            return
        for one in (self.talk, *[attempt.talk for attempt in self.attempts]):
            if one is not None:
                one.forget()
        self.talk.room.release()


def _token(name: str, value: str) -> str:
    """What stands in a header of that name, in small letters, for who asks."""
    if name == "authorization":
        scheme, _, bearer = value.partition(" ")
        return bearer or scheme
    return value if name == "x-api-key" else ""
