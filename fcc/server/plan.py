"""One request as one provider is asked it: the body, and how its answer is read."""

from collections.abc import Callable

import msgspec
from loguru import logger

from fcc.diagnosis.verdict import Source
from fcc.errors import Fix
from fcc.server.gateway import Gateway
from fcc.server.repairs import Repairs
from fcc.settings.profile import Reply
from fcc.settings.routing import Route
from fcc.translate.context import Context
from fcc.translate.reply.continuation import ContinuedReader
from fcc.translate.reply.reader import Reader
from fcc.translate.reply.translation import PieceReader, Translation
from fcc.translate.request.body import Body, translate
from fcc.translate.request.continuation import goes_on_by_itself
from fcc.translate.request.shape import Shape, in_words
from fcc.translate.signature import sealer
from fcc.translate.tokens import Ratio, estimate
from fcc.upstream.lane import Lane
from fcc.upstream.learned import Learned
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
    session: str
    """The client's, of which its next request is a continuation; empty: not known."""
    repairs: Repairs
    shape: Shape | None
    """What the answer must be like, if the client asks for that."""
    background: bool
    """Nobody waits for the answer: the client's small, fast model was asked."""

    def learn(self, translation: Translation) -> None:
        """The answer tells what the provider counted."""
        usage = translation.usage
        if usage is not None:
            cached = usage.cache_read_input_tokens + usage.cache_creation_input_tokens
            self.ratio.learn(self.estimated, usage.input_tokens + cached, self.session)

    def count(self, translation: Translation) -> None:
        """What reading the answer took, whether it came to its end or not."""
        if repairs := translation.repairs:
            logger.debug("recovered from text or mended: {}", dict(repairs))
            self.repairs.count(self.route.profile.name, self.route.model.name, repairs)

    def is_refused_shape(self, fix: Fix | None) -> bool:
        """Whether the fix would leave out the field that the answer's shape hangs on."""
        return fix is not None and self.shape is not None and fix.drop_field == "response_format"


def new_plan(
    gateway: Gateway,
    route: Route,
    asked: MessagesRequest,
    message_id: str,
    body: Body | None = None,
    session: str = "",
) -> Plan:
    """`body` is the route's, where it has been made.

    Raises RefusedKeyError for a provider without its key, BudgetError, RequestError for bad tools.
    """
    gateway.accounts.check(route)
    lane = gateway.lane(route.profile)
    body = _for_its_shape(asked, body or translate(asked, route.model), lane, route)
    for note in body.declined:
        logger.debug("declined: {}", note)
    estimated, ratio = estimate(body.data, media=body.media), gateway.ratio(route)
    usage = MessageUsage(ratio.tokens(estimated, session), output_tokens=1)
    message = Message(message_id, route.asked, usage)
    source = lane.source(route.model.name)
    reply = gateway.config.tool_calls.applied(route.model.reply)
    return Plan(
        route=route,
        lane=lane,
        source=source,
        body=body.data,
        message=message,
        fresh=_translations(asked, route, source, reply, body, message),
        estimated=estimated,
        ratio=ratio,
        session=session,
        repairs=gateway.repairs,
        shape=body.shape,
        background="haiku" in route.asked.lower(),
    )


def _translations(
    asked: MessagesRequest, route: Route, source: Source, reply: Reply, body: Body, message: Message
) -> Callable[[], Translation]:
    """What makes a new translation for each attempt; it keeps nothing of the request's texts."""
    context = Context(
        tools=body.tools,
        names=body.names,
        used_ids=body.used_ids,
        stop_sequences=frozenset(asked.stop_sequences or ()),
        prefill=body.prefill,
        foreground=route.profile.foreground_subagents,
    )
    sign, by_itself = sealer(route.model), goes_on_by_itself(route.model.ask)
    # Held to a schema, a model can only begin again: what it says is whole JSON each time.
    continues = reply.continue_after_cut and body.shape is None

    def fresh() -> Translation:
        reader: PieceReader = (
            ContinuedReader(source, reply, context, by_itself=by_itself)
            if continues
            else Reader(source, reply, context)
        )
        return Translation(reader, message, sign=sign, context=context)

    return fresh


def _for_its_shape(asked: MessagesRequest, body: Body, lane: Lane, route: Route) -> Body:
    if body.shape is None:
        return body
    if _goes_on(asked, body):
        return msgspec.structs.replace(body, shape=None)
    return _shaped(body, body.shape, lane.learned(route.model.name))


def _goes_on(asked: MessagesRequest, body: Body) -> bool:
    """Whether the answer goes on with the client's own words, and so has no shape of its own.

    A provider that needs to be told to go on has no such beginning at the end of its body.
    """
    return bool(body.prefill) or asked.messages[-1].role == "assistant"


def _shaped(body: Body, shape: Shape, learned: Learned) -> Body:
    """`body` with its shape in words, where the provider has refused the field for it."""
    if shape.emulated or "response_format" not in learned.dropped:
        return body
    words = Shape(shape.schema, emulated=True)
    return msgspec.structs.replace(body, data=in_words(body.data, words), shape=words)
