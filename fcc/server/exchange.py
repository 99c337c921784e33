"""One request to one provider and its answer: attempts until content has gone out."""

import asyncio
from typing import Protocol

from loguru import logger

from fcc.errors import RateLimitedError, StalledError, UpstreamError
from fcc.server.plan import Plan
from fcc.server.record import Record
from fcc.translate.reply.translation import Translation
from fcc.upstream.attempts import backoff
from fcc.upstream.backend import UpstreamStream
from fcc.upstream.lane import Door
from fcc.upstream.learned import amended
from fcc.wire.events import Event

__all__ = ["Exchange", "Sink"]


class Sink(Protocol):
    """Where the events go."""

    @property
    def content(self) -> bool:
        """Whether any content has gone out, so that nothing can be tried again."""

    def asking(self, commit_after: float) -> None:
        """The provider is being asked; it may be silent for `commit_after` seconds."""

    def waiting(self) -> None:
        """It refused; another attempt follows."""

    async def send(self, events: list[Event], failure: UpstreamError | None = None) -> None:
        """More of the answer; `failure` is why it ends with these events, if it broke off."""


class Exchange:
    """`run(sink)` answers the request, or raises the UpstreamError that is to be told."""

    def __init__(self, plan: Plan, record: Record) -> None:
        self._plan = plan
        self._lane = plan.lane
        self._record = record
        self._learned = plan.lane.learned(plan.source.model)
        self._body = self._learned.amend(plan.body)
        plan.body = b""
        self._fixed = False
        self._attempts = 0

    async def run(self, sink: Sink) -> Translation:
        """The finished translation. Raises UpstreamError; what went out by then stays out."""
        while True:
            door = self._lane.door()
            translation = self._plan.fresh()
            failure = await self._failure(door, translation, sink)
            self._record.answered(translation)
            if failure is None:
                self._lane.succeeded()
                self._plan.learn(translation)
                if translation.repairs:
                    logger.debug("recovered from text or mended: {}", dict(translation.repairs))
                return translation
            another = self._lane.failed(door, failure)
            if sink.content:
                raise failure
            if another or self._fix(failure):
                continue
            wait = self._wait_after(failure)
            if wait is None:
                raise failure
            logger.debug("attempt {}: {}; again in {:.1f} s", self._attempts, failure, wait)
            sink.waiting()
            await asyncio.sleep(wait)

    def _wait_after(self, failure: UpstreamError) -> float | None:
        """Seconds until the next attempt; None: there is none."""
        self._attempts += 1
        wait = backoff(self._lane.profile.retry, failure, self._attempts)
        if wait is not None and isinstance(failure, RateLimitedError) and failure.retry_after:
            # The limiter holds everybody's requests: this one waits in the queue like the rest.
            return 0.0
        return wait

    async def _failure(
        self, door: Door, translation: Translation, sink: Sink
    ) -> UpstreamError | None:
        """One attempt: what went wrong, or None."""
        self._record.attempts += 1
        timeouts = self._lane.profile.timeouts
        try:
            async with door.limiter.seat(
                background=self._plan.background, tokens=self._plan.estimated
            ):
                sink.asking(timeouts.commit_after)
                async with asyncio.timeout(timeouts.total):
                    await self._attempt(door, translation, sink)
        except TimeoutError:
            slow = StalledError(f"{self._plan.source.who} took longer than {timeouts.total:.0f} s")
            if sink.content and (events := translation.finish(slow)):
                await sink.send(events, slow)
            return slow
        except UpstreamError as error:
            return error
        return translation.failure

    async def _attempt(self, door: Door, translation: Translation, sink: Sink) -> None:
        async with door.backend.post(self._body, self._plan.source) as stream:
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
                await sink.send(events, translation.failure)
                if sink.content:
                    # Nothing will be tried again.
                    self._body = b""

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
        logger.info("{} asked again {}", self._plan.source.who, change)
        # The refusal's words may quote the request.
        logger.debug("because of: {}", failure)
        return True
