"""One request as one provider is asked it: the body, and how its answer is read."""

from collections.abc import Callable

import msgspec
from loguru import logger

from fcc.diagnosis.verdict import Source
from fcc.server.gateway import Gateway
from fcc.settings.routing import Route
from fcc.translate.context import Context
from fcc.translate.reply.reader import Reader
from fcc.translate.reply.translation import Translation
from fcc.translate.request.body import translate
from fcc.translate.signature import sealer
from fcc.translate.tokens import Ratio, estimate
from fcc.upstream.lane import Lane
from fcc.wire.events import Message, MessageUsage
from fcc.wire.messages import MessagesRequest

__all__ = ["Plan", "new_plan"]


class Plan(msgspec.Struct):
    """All that asking takes."""

    route: Route
    lane: Lane
    source: Source
    body: bytes
    message: Message
    """The message as message_start carries it."""
    fresh: Callable[[], Translation]
    """A new translation for each attempt."""
    estimated: int
    """Tokens of the body, before the ratio."""
    ratio: Ratio
    background: bool
    """Nobody waits for the answer: the client's small, fast model was asked."""

    def learn(self, translation: Translation) -> None:
        """The answer tells what the provider counted."""
        usage = translation.usage
        if usage is not None:
            cached = usage.cache_read_input_tokens + usage.cache_creation_input_tokens
            self.ratio.learn(self.estimated, usage.input_tokens + cached)


def new_plan(gateway: Gateway, route: Route, asked: MessagesRequest, message_id: str) -> Plan:
    """Raises RefusedKeyError for a provider without its key, RequestError for bad tools."""
    lane = gateway.lane(route.profile)
    body = translate(asked, route.model)
    for note in body.declined:
        logger.debug("declined: {}", note)
    context = Context(
        tools=body.tools,
        names=body.names,
        used_ids=body.used_ids,
        stop_sequences=frozenset(asked.stop_sequences or ()),
        prefill=body.prefill,
        foreground=route.profile.foreground_subagents,
    )
    estimated, ratio = estimate(body.data), gateway.ratio(route)
    usage = MessageUsage(max(1, round(estimated * ratio.value)), output_tokens=1)
    message = Message(message_id, route.asked, usage)
    source, reply, sign = lane.source(route.model.name), route.model.reply, sealer(route.model)

    def fresh() -> Translation:
        return Translation(Reader(source, reply, context), message, sign=sign, context=context)

    background = "haiku" in route.asked.lower()
    return Plan(
        route, lane, source, body.data, message, fresh, estimated, ratio, background=background
    )
