"""A session stays with the provider that answered it last: switching costs its prefix cache."""

from collections import OrderedDict
from typing import Final

__all__ = ["Sticky"]


class Sticky:
    """Which of its routes a session stays with: the one that answered last."""

    MOST: Final = 1000
    """Sessions remembered: more than a dev box has in a year."""

    def __init__(self) -> None:
        self._chosen: OrderedDict[tuple[str, str], int] = OrderedDict()

    def first(self, session: str, asked: str) -> int:
        """Where to begin."""
        return self._chosen.get((session, asked), 0)

    def remember(self, session: str, asked: str, place: int) -> None:
        """The session's next request begins there."""
        if not session:
            return
        self._chosen[session, asked] = place
        self._chosen.move_to_end((session, asked))
        if len(self._chosen) > self.MOST:
            self._chosen.popitem(last=False)
