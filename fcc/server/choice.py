"""Which routes may answer a request, for what it is and not only for the model that it names?"""

import msgspec

from fcc.server.gateway import Gateway
from fcc.settings.routing import Route
from fcc.translate.request.body import Body, translate
from fcc.translate.request.media import carries_image
from fcc.translate.request.size import counted
from fcc.wire.messages import MessagesRequest

__all__ = ["Choice", "choose"]


class Choice(msgspec.Struct):
    """What comes of it."""

    routes: list[Route]
    """The first, and its fallbacks in their order."""
    body: Body | None = None
    """The first route's body, where it had to be made to choose."""
    tokens: int = 0
    """Of that body, as count_tokens counts."""


def choose(gateway: Gateway, asked: MessagesRequest, session: str = "") -> Choice:
    """The route of the model's name, unless the request is long or shows what it can't see.

    Raises NotFoundError, and what `translate` raises.
    """
    router = gateway.router
    choice = _by_length(gateway, asked, session)
    route = choice.routes[0]
    seeing = None if route.model.ask.images else router.image(asked.model)
    if seeing is not None and carries_image(asked.messages):
        choice = Choice([_because(seeing, f"{route.target} has no vision")])
    choice.routes = router.chain(asked.model, choice.routes[0])
    return choice


def _by_length(gateway: Gateway, asked: MessagesRequest, session: str) -> Choice:
    router = gateway.router
    route, far = router.route(asked.model), router.long_context(asked.model)
    if far is None:
        return Choice([route])
    body = translate(asked, route.model)
    tokens = gateway.ratio(route).tokens(counted(asked, body), session)
    if tokens <= router.above:
        return Choice([route], body, tokens)
    return Choice([_because(far, f"about {tokens} tokens, above {router.above}")])


def _because(route: Route, reason: str) -> Route:
    return msgspec.structs.replace(route, why=f"{route.why}: {reason}")
