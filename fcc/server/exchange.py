"""One request to one provider and its answer: attempts until content has gone out."""

import asyncio
from functools import partial
from typing import Final, Protocol

from loguru import logger

from fcc.errors import RateLimitedError, StalledError, UpstreamError, UpstreamServerError
from fcc.server.plan import Plan
from fcc.server.record import Record
from fcc.server.recorded import asking, heard
from fcc.translate.reply.continuation import ContinuedReader
from fcc.translate.reply.translation import Translation
from fcc.translate.request.continuation import continued_body
from fcc.upstream.attempts import backoff
from fcc.upstream.backend import UpstreamStream
from fcc.upstream.lane import Door
from fcc.upstream.learned import amended
from fcc.upstream.limiter import Seat
from fcc.wire.events import Event

__all__ = ["Exchange", "Sink"]

MAX_ANSWER_BYTES: Final = 256 * 1024 * 1024
"""Of one stream: 128,000 tokens, each in a chunk of 300 bytes, are 40 MB."""

CONTINUATIONS: Final = 2
"""Requests for the rest of one answer: a provider that cuts three times is not well."""


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
        self._another_key = False
        """Whether the last attempt failed by its key, and another one may do better."""
        self._keys_left = len(self._lane.doors) - 1
        """How many others are asked before their failures count as an attempt: one that rests for
        a few milliseconds is soon another again."""

    async def run(self, sink: Sink) -> Translation:
        """The finished translation. Raises UpstreamError; what went out by then stays out."""
        while True:
            translation = self._plan.fresh()
            failure = await self._attempt(translation, sink)
            if failure is not None and sink.content:
                failure = await self._continued(failure, translation, sink)
            self._plan.count(translation)
            if failure is None:
                self._lane.succeeded()
                self._plan.learn(translation)
                return translation
            if sink.content:
                raise failure
            if self._another_key or self._fix(failure):
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
        self._keys_left = len(self._lane.doors) - 1
        wait = backoff(self._lane.profile.retry, failure, self._attempts)
        if wait is not None and isinstance(failure, RateLimitedError) and failure.retry_after:
            # The limiter holds everybody's requests: this one waits in the queue like the rest.
            return 0.0
        return wait

    async def _continued(
        self, failure: UpstreamError, translation: Translation, sink: Sink
    ) -> UpstreamError | None:
        """The rest of an answer that was cut, if the profile wants that, and the provider gives it.

        Else the answer ends as if nothing had been tried, with `failure`.
        """
        reader = translation.reader
        if not isinstance(reader, ContinuedReader) or reader.cut is None:
            return failure
        body, model = self._body, self._plan.route.model
        for _ in range(CONTINUATIONS):
            logger.info("{} was cut and is asked to go on", self._plan.source.who)
            self._body = continued_body(body, reader.said, reader.output_tokens, model.ask)
            reader.go_on()
            latest = await self._attempt(translation, sink)
            if latest is None or translation.failure is not None:
                return latest
            at_once = reader.begun or self._another_key
            wait = 0.0 if at_once else self._wait_after(latest)
            if reader.another or wait is None:
                break
            await asyncio.sleep(wait)
        await self._end(translation, failure, sink)
        return failure

    async def _end(self, translation: Translation, failure: UpstreamError, sink: Sink) -> None:
        """What is told of an answer that nothing goes on with."""
        if isinstance(translation.reader, ContinuedReader):
            translation.reader.give_up()
        if events := translation.finish(failure):
            await sink.send(events, failure)

    async def _attempt(self, translation: Translation, sink: Sink) -> UpstreamError | None:
        """One request with the key whose turn it is: what went wrong, or None."""
        door = self._lane.door(self._plan.source.model)
        failure = await self._failure(door, translation, sink)
        self._record.attempted()
        if self._record.trace is not None:
            self._record.trace.attempt_ended(failure)
        another = failure is not None and self._lane.failed(door, failure)
        self._another_key = another and self._keys_left > 0
        self._keys_left -= self._another_key
        return failure

    async def _failure(
        self, door: Door, translation: Translation, sink: Sink
    ) -> UpstreamError | None:
        reader = translation.reader
        said = reader.output_tokens if isinstance(reader, ContinuedReader) else 0
        self._record.asking(translation, self._plan.message.usage.input_tokens + said)
        timeouts = self._lane.profile.timeouts
        try:
            async with door.limiter.seat(
                model=self._plan.source.model,
                background=self._plan.background,
                tokens=self._plan.estimated,
            ) as seat:
                self._record.seated()
                sink.asking(timeouts.commit_after)
                async with asyncio.timeout(timeouts.total):
                    await self._ask(door, seat, translation, sink)
        except TimeoutError:
            slow = StalledError(f"{self._plan.source.who} took longer than {timeouts.total:.0f} s")
            if sink.content:
                await self._end(translation, slow, sink)
            return slow
        except UpstreamError as error:
            return error
        untold = reader.cut if isinstance(reader, ContinuedReader) else None
        return translation.failure or untold

    async def _ask(self, door: Door, seat: Seat, translation: Translation, sink: Sink) -> None:
        told = partial(door.limiter.tighten, seat)
        noting = asking(self._record, door.backend, self._plan.route, self._body)
        async with door.backend.post(self._body, self._plan.source, told) as stream:
            noted = stream if noting is None else heard(noting, stream)
            # A read wakes all that wait for it: here two coroutines, and not twenty.
            await asyncio.create_task(self._pump(noted, translation, sink))

    async def _pump(self, stream: UpstreamStream, translation: Translation, sink: Sink) -> None:
        """Every read becomes at most one write."""
        size, begun, reader = 0, False, translation.reader
        while not reader.done:
            try:
                raw = await stream.read()
            except UpstreamError as cut:
                events = translation.finish(cut)
            else:
                size += len(raw)
                events = translation.feed(raw) if raw else translation.finish()
                if size > MAX_ANSWER_BYTES:
                    events += translation.finish(self._endless())
            if not events:
                continue
            if not begun:
                self._record.first_byte()
            await sink.send(events, translation.failure)
            if not begun and sink.content:
                begun = True
                if not self._plan.route.model.reply.continue_after_cut:
                    # Nothing will be tried again.
                    self._body = b""

    def _endless(self) -> UpstreamError:
        who = self._plan.source.who
        return UpstreamServerError(f"{who} sent more than {MAX_ANSWER_BYTES} bytes as one answer")

    def _fix(self, failure: UpstreamError) -> bool:
        """Change the body as the refusal says, once; whether another attempt is worth it."""
        fix = None if self._fixed or self._plan.is_refused_shape(failure.fix) else failure.fix
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
