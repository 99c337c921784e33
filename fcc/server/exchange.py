"""One request to a provider and its answer: attempts until content has gone out."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from loguru import logger

from fcc.diagnosis.verdict import Source
from fcc.errors import RateLimitedError, UpstreamError
from fcc.server.gateway import Lane
from fcc.server.record import Record
from fcc.translate.reply.translation import Translation
from fcc.upstream.attempts import backoff
from fcc.upstream.backend import UpstreamStream
from fcc.upstream.learned import amended
from fcc.wire.events import Event

__all__ = ["Exchange", "Sink"]


class Sink(Protocol):
    """Where the events go."""

    @property
    def content(self) -> bool:
        """Whether any content has gone out, so that nothing can be tried again."""

    def asking(self) -> None:
        """The provider is being asked."""

    def waiting(self) -> None:
        """It refused; another attempt follows."""

    async def send(self, events: list[Event]) -> None:
        """More of the answer."""


class Exchange:
    """`run(sink)` answers the body, or raises the UpstreamError that is to be told."""

    def __init__(
        self,
        lane: Lane,
        source: Source,
        body: bytes,
        translate: Callable[[], Translation],
        record: Record,
    ) -> None:
        self._lane = lane
        self._source = source
        self._learned = lane.learned(source.model)
        self._body = self._learned.amend(body)
        self._fixed = False
        self._translate = translate
        self._record = record

    async def run(self, sink: Sink) -> Translation:
        """The finished translation. Raises UpstreamError; what went out by then stays out."""
        while True:
            self._record.attempts += 1
            translation = self._translate()
            try:
                await self._attempt(translation, sink)
            except UpstreamError as error:
                failure = error
            else:
                self._record.answered(translation)
                if translation.failure is None:
                    return translation
                failure = translation.failure
            if not sink.content and self._fix(failure):
                continue
            wait = backoff(self._lane.profile.retry, failure, self._record.attempts)
            if sink.content or wait is None:
                raise failure
            logger.debug("attempt {}: {}; again in {:.1f} s", self._record.attempts, failure, wait)
            sink.waiting()
            await self._wait(failure, wait)

    def _fix(self, failure: UpstreamError) -> bool:
        """Change the body as the refusal says, once; whether another attempt is worth it."""
        fix = None if self._fixed else failure.fix
        body = amended(self._body, fix) if fix is not None else None
        if fix is None or body is None:
            return False
        self._fixed = True
        self._body = body
        self._learned.learn(fix)
        change = f"without {fix.drop_field}" if fix.drop_field else f"max_tokens {fix.max_tokens}"
        logger.info("{} asked again {}: {}", self._source.who, change, failure)
        return True

    async def _attempt(self, translation: Translation, sink: Sink) -> None:
        async with self._lane.limiter.seat():
            sink.asking()
            async with self._lane.backend.post(self._body, self._source) as stream:
                await self._pump(stream, translation, sink)

    async def _pump(self, stream: UpstreamStream, translation: Translation, sink: Sink) -> None:
        """Every read becomes at most one write."""
        while not translation.done:
            try:
                raw = await stream.read()
            except UpstreamError as cut:
                events = translation.finish(cut)
            else:
                events = translation.feed(raw) if raw else translation.finish()
            if events:
                self._record.first_byte()
                await sink.send(events)
                if sink.content:
                    # Nothing will be tried again.
                    self._body = b""

    async def _wait(self, failure: UpstreamError, seconds: float) -> None:
        """A provider that names a time means all of its requests; else only this one waits."""
        if isinstance(failure, RateLimitedError) and failure.retry_after is not None:
            self._lane.limiter.hold(seconds)
        else:
            await asyncio.sleep(seconds)
