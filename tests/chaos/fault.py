"""What is a fault of a provider's connection, and which are known?

An act is what the provider does with one connection after it has heard a request (or before,
where `early` says so). When it returns, the connection is closed, unless the fault `keeps` it.
"""

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Final

import msgspec

from tests.chaos.line import Line

__all__ = ["FAULTS", "Fault", "Loss", "answering", "fault"]

Act = Callable[[Line], Awaitable[None]]


class Loss(Enum):
    """How much of the answer does not reach the client?"""

    NOTHING = "the answer is whole"
    ALL = "nothing has come that could be told"
    REST = "the transport gave out in mid-answer"
    WORDS = "the provider itself broke off in mid-answer"
    UNSURE = "whole, or an error: depends on what the kernel delivers"


class Fault(msgspec.Struct, frozen=True):
    """One way."""

    act: Act
    loss: Loss
    early: bool = False
    """Does not wait for a request."""
    light: bool = True
    """Costs no more than an answer does: the soak mixes these in."""
    keeps: bool = False
    """The connection goes on: it takes a further request."""
    endless: bool = False
    """Gives signs of life, so that only the limit of the whole answer ends it."""


FAULTS: Final[dict[str, Fault]] = {}


def fault(loss: Loss, **more: bool) -> Callable[[Act], Act]:
    """The act is known by its name."""

    def known(act: Act) -> Act:
        FAULTS[act.__name__] = Fault(act, loss, **more)
        return act

    return known


def answering(name: str, loss: Loss, *raws: bytes, light: bool = True) -> None:
    """The answer is these bytes, and a close."""

    async def act(line: Line) -> None:
        await line.say(*raws)

    FAULTS[name] = Fault(act, loss, light=light)
