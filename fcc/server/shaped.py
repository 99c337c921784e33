"""How does an answer get the shape that the client asked for, whatever the provider can?

A provider that takes no `response_format` is asked in words. Its answer is held until it is whole,
for it may have to be asked for once more; what goes out is the JSON alone. Meanwhile the client is
kept alive as over any silent provider.
"""

import msgspec
from loguru import logger

from fcc.errors import UpstreamError
from fcc.server.exchange import Exchange, Sink
from fcc.server.plan import Plan
from fcc.server.record import Record
from fcc.translate.reply.alone import Alone, alone
from fcc.translate.request.shape import Shape, corrected, in_words
from fcc.translate.tokens import estimate
from fcc.wire.events import BlockDelta, BlockStart, BlockStop, Event, MessageStart, TextBlock

__all__ = ["answer"]


async def answer(plan: Plan, record: Record, sink: Sink) -> None:
    """Ask, and send the answer. Raises UpstreamError; what went out by then stays out."""
    shape = plan.shape
    if shape is None:
        await Exchange(plan, record).run(sink)
    elif shape.emulated:
        await _in_words(plan, shape, record, sink)
    else:
        await _by_field(plan, shape, record, sink)


async def _by_field(plan: Plan, shape: Shape, record: Record, sink: Sink) -> None:
    body = plan.body
    try:
        await Exchange(plan, record).run(sink)
    except UpstreamError as error:
        fix = error.fix
        if fix is None or sink.content or not plan.is_refused_shape(fix):
            raise
        plan.lane.learned(plan.source.model).learn(fix)
        logger.info("{} asked again in words for the shape", plan.source.who)
        sink.waiting()
        await _in_words(_with_body(plan, in_words(body, shape)), shape, record, sink)


async def _in_words(plan: Plan, shape: Shape, record: Record, sink: Sink) -> None:
    body = plan.body
    held = await _held(plan, record, sink)
    found = held.found(shape)
    if found.text is None and held.may_be_better:
        logger.debug("{}: the answer lacks its shape and is asked for again", plan.source.who)
        again = _with_body(plan, corrected(body, held.text, found.wrong))
        try:
            held = await _held(again, record, sink)
        except UpstreamError as error:
            logger.debug("it is not given again: {}", error)
        else:
            found = held.found(shape)
        if found.text is None and held.may_be_better:
            logger.warning(
                "{} gave no answer of the JSON Schema asked for; its text is passed on as it is",
                plan.source.who,
            )
    await sink.send(held.events if found.text is None else held.with_text(found.text))


def _with_body(plan: Plan, body: bytes) -> Plan:
    return msgspec.structs.replace(plan, body=body, estimated=estimate(body))


async def _held(plan: Plan, record: Record, sink: Sink) -> "_Held":
    """The whole answer, of which nothing has gone out."""
    held = _Held(sink)
    translation = await Exchange(plan, record).run(held)
    held.stop_reason = translation.stop_reason
    return held


class _Held:
    """A sink that keeps the events; what breaks off can be tried again from the beginning."""

    content = False

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.events: list[Event] = []
        self.stop_reason: str | None = None

    @property
    def text(self) -> str:
        """All that the answer says."""
        deltas = (event for event in self.events if isinstance(event, BlockDelta))
        return "".join([delta.value for delta in deltas if delta.type == "text_delta"])

    def found(self, shape: Shape) -> Alone:
        """The JSON of the shape; beside a call, which comes first, there is none yet."""
        called = self.stop_reason == "tool_use"
        return Alone(None) if called else alone(self.text, shape.schema)

    @property
    def may_be_better(self) -> bool:
        """It is the answer, and whole: no tool is called first, and no limit cut it."""
        return self.stop_reason == "end_turn"

    def asking(self, commit_after: float) -> None:
        """The provider is silent as far as the client can see."""
        self._sink.asking(commit_after)

    def waiting(self) -> None:
        """The same."""
        self._sink.waiting()

    async def send(self, events: list[Event], failure: UpstreamError | None = None) -> None:
        """Another attempt begins anew; one that broke off is not sent at all."""
        if failure is not None:
            return
        if isinstance(events[0], MessageStart):
            self.events = []
        self.events += events

    def with_text(self, text: str) -> list[Event]:
        """The events with `text` as the one text block, where the last one is."""
        starts = [event for event in self.events if isinstance(event, BlockStart)]
        *others, last = [one.index for one in starts if isinstance(one.content_block, TextBlock)]
        kept: list[Event] = []
        for event in self.events:
            if not isinstance(event, BlockStart | BlockDelta | BlockStop):
                kept.append(event)
            elif event.index not in others:
                index = event.index - sum(other < event.index for other in others)
                if event.index != last or not isinstance(event, BlockDelta):
                    kept.append(msgspec.structs.replace(event, index=index))
                if event.index == last and isinstance(event, BlockStart):
                    kept.append(BlockDelta(index, "text_delta", text))
        return kept
