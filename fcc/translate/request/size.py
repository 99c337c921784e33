"""How many tokens is a request to a provider, before its ratio?"""

from collections.abc import Iterator
from typing import Final

from fcc.translate.request.body import Body
from fcc.translate.tokens import estimate
from fcc.wire.events import encode
from fcc.wire.messages import MessagesRequest

__all__ = ["counted"]

_ENOUGH: Final = 20
"""Thoughts in a row that a body lacks."""


def counted(asked: MessagesRequest, body: Body) -> int:
    """The body that was made of the request, and what of the conversation is not in it.

    The history's thinking counts where the provider does not get it: else a client's count would
    not grow with it.
    """
    return estimate(body.data, *_unsent(asked, body.data), media=body.media)


def _unsent(asked: MessagesRequest, body: bytes) -> Iterator[bytes]:
    at = missing = 0
    for thinking in _thoughts(asked):
        # The body tells the turns in their order. Where it leaves thinking out it leaves out all,
        # and to look for each in a body of megabytes would hold everybody up.
        found = body.find(thinking, at) if missing < _ENOUGH else -1
        if found < 0:
            missing += 1
            yield thinking
        else:
            at, missing = found + len(thinking), 0


def _thoughts(asked: MessagesRequest) -> Iterator[bytes]:
    for message in asked.messages:
        for block in message.content if isinstance(message.content, list) else ():
            if block.thinking:
                yield encode(block.thinking)[1:-1]
