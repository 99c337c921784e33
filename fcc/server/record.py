"""What is known of one request so far, and its one line in the log."""

import asyncio
import time
from functools import lru_cache
from typing import Final

from aiohttp import web
from loguru import logger

from fcc.diagnosis.redact import redact
from fcc.errors import FccError
from fcc.observe.outcome import CLIENT_LEFT, Outcome
from fcc.observe.recording import Recording
from fcc.overriding import override
from fcc.server.spent import NOTHING, Spent, spent
from fcc.settings.routing import Route
from fcc.translate.pieces import Usage
from fcc.translate.reply.continuation import ContinuedReader
from fcc.translate.reply.translation import Translation

__all__ = ["LEFT", "RECORD", "Record"]

LEFT: Final = 499
"""The status of a client that left, as nginx has it."""

_LONGEST: Final = 200
"""Characters that are kept of a name that a client chose."""

_NONE: Final = Usage()
"""What nobody has told."""


class Record:
    """Filled in as the request goes on; `outcome(status)` is what it amounts to."""

    def __init__(
        self, request_id: str, method: str, path: str, *, client: str = "", session: str = ""
    ) -> None:
        self.request_id = request_id
        self._what = f"{method} {path}"
        self._client = client
        self._session = session
        self._at = time.time()
        # Looked up once: the running loop is asked for at the price of a system call.
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        self._first: float | None = None
        self._queued = 0.0
        self._queued_since: float | None = None
        self._asked_last: Route | None = None
        self._translation: Translation | None = None
        self._open = False
        """Whether the last attempt goes on."""
        self._spent = NOTHING
        """By the attempts at the route asked last that are over."""
        self._error: FccError | None = None
        self._estimated = 0
        self.asked = ""
        """The model that the client wants."""
        self.stream = False
        self.route: Route | None = None
        self.attempts = 0
        self.retries = 0
        self.fallbacks: list[str] = []
        """The routes that failed before the present one, and how."""
        self.local = ""
        """Which kind of local answer it was."""
        self.trace: Recording | None = None
        """What the flight recorder notes of it; None: nothing."""

    def headers(self) -> dict[str, str]:
        """What the response says of its way: the request id, the route, why, and what failed."""
        headers = {"request-id": self.request_id}
        if self.route is not None:
            headers["x-fcc-route"] = _shown(self.route.target)
            headers["x-fcc-route-reason"] = _shown(self.route.why)
        if self.fallbacks:
            headers["x-fcc-fallback"] = "; ".join(map(_shown, self.fallbacks))
        return headers

    def asking(self, translation: Translation, estimated: int) -> None:
        """Another attempt at the present route waits for its turn; its answer becomes `translation`.

        `estimated`: the tokens of the prompt as fcc counts them.
        """
        self._translation = translation
        self._open = True
        self.attempts += 1
        if self._asked_last is self.route:
            self.retries += 1
        else:
            self._spent = NOTHING
        self._asked_last = self.route
        self._estimated = estimated
        self._queued_since = self._clock()

    def seated(self) -> None:
        """It has its turn."""
        self._queued = self._waited()
        self._queued_since = None

    def attempted(self) -> None:
        """The attempt is over, well or not."""
        self._spent = self._tokens()
        self._open = False

    def first_byte(self) -> None:
        """The answer's first content went out."""
        if self._first is None:
            self._first = self._clock() - self._began

    def failed(self, error: FccError) -> None:
        """What the client is told in the place of an answer, or of its rest."""
        self._error = error

    def outcome(self, status: int = 0) -> Outcome:
        """What is known; `status` is 0 as long as the answer is open."""
        route, taken = self.route, self._tokens()
        return Outcome(
            request_id=self.request_id,
            at=self._at,
            session=_shown(self._session),
            client=_shown(self._client.partition(" ")[0]),
            stream=self.stream,
            asked=_shown(self.asked),
            provider=route.profile.name if route else "",
            model=_shown(route.model.name) if route else "",
            local=self.local,
            status=status,
            outcome=self._word(status),
            error=redact(self._error.message) if self._error else "",
            seconds=self._clock() - self._began,
            first=self._first,
            queued=self._waited(),
            waiting=self._queued_since is not None,
            input=taken.input,
            longest=taken.longest,
            output=taken.output,
            cached=taken.cached,
            written=taken.written,
            reasoning=taken.reasoning,
            estimated=taken.estimated,
            attempts=self.attempts,
            retries=self.retries,
            fallbacks=tuple(map(_shown, self.fallbacks)),
            repairs=dict(self._translation.repairs) if self._translation else {},
        )

    def log(self, outcome: Outcome) -> None:
        """The one INFO line."""
        if self.route is None:
            level = "INFO" if outcome.status >= 400 else "DEBUG"
            words = (self._what, outcome.status, outcome.seconds, _end(outcome))
            logger.log(level, "{} {} in {:.3f} s{}", *words)
            return
        logger.info("{}", _Line(outcome), outcome=outcome)

    def _tokens(self) -> Spent:
        """By all attempts at the present route, the open one too."""
        if self._asked_last is not self.route:
            return NOTHING
        return self._spent + self._taken() if self._open else self._spent

    def _taken(self) -> Spent:
        """By the open attempt, as the provider told it; without a bill what has come so far."""
        answer = self._translation
        if answer is not None and isinstance(answer.reader, ContinuedReader):
            usage, output = answer.reader.taken
            return spent(usage, output, self._estimated)
        if answer is None or not (answer.started or answer.usage):
            return NOTHING
        return spent(answer.usage or _NONE, answer.output_tokens, self._estimated)

    def _word(self, status: int) -> str:
        if status == LEFT:
            return CLIENT_LEFT
        if self._error is not None:
            return self._error.error_type
        return (self._translation.stop_reason if self._translation else None) or ""

    def _waited(self) -> float:
        since = self._queued_since
        return self._queued + (self._clock() - since if since is not None else 0.0)


class _Line:
    """An outcome in words, which are looked for only where the log's level lets them in."""

    __slots__ = ("_outcome",)

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    @override
    def __str__(self) -> str:
        one = self._outcome
        first = "-" if one.first is None else f"{one.first:.2f}s"
        return (
            f"{one.asked} -> {one.provider}/{one.model} {one.status} first {first} "
            f"total {one.seconds:.2f}s in {one.input} out {one.output} cached {one.cached} "
            f"retries {one.retries}{_end(one)}"
        )


def _end(outcome: Outcome) -> str:
    fallbacks = f"fallback from {'; '.join(outcome.fallbacks)}" if outcome.fallbacks else ""
    words = (f"local {outcome.local}" if outcome.local else "", fallbacks, outcome.outcome)
    return "".join(f" {word}" for word in words if word)


@lru_cache(maxsize=512)
def _shown(text: str) -> str:
    """A name that a client chose: no secret, no line of its own in a log, not endless."""
    text = redact(text[:_LONGEST])
    return text if text.isprintable() else ascii(text)[1:-1]


RECORD = web.RequestKey("record", Record)
"""Where a request has its record."""
