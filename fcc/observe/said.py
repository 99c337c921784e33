"""What was said in one request, as long as there is room for it?"""

from collections.abc import Callable

from fcc.observe.redactor import Redactor
from fcc.observe.trace import Data, Stream

__all__ = ["Budget", "Room", "Talk"]


class Budget:
    """Bytes that recordings of open requests may hold together."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0

    def take(self, size: int) -> bool:
        """Whether there is room for `size` more, which then is taken."""
        if self.held + size > self.limit:
            return False
        self.held += size
        return True


class Room:
    """What a recording and its attempts share, so that they need not know each other.

    A circle of them would wait for the garbage collector, whose round through all of the daemon's
    memory costs more than noting a thousand requests.
    """

    def __init__(self, budget: Budget, clock: Callable[[], float], began: float) -> None:
        self.left = True
        """Whether there was room for all that was said."""
        self.size = 0
        self._budget = budget
        self._clock = clock
        self._began = began

    def seconds(self) -> float:
        """Since the request began."""
        return self._clock() - self._began

    def kept(self, raw: bytes) -> bytes | None:
        """`raw`, if there is room for it."""
        if self.left and self._budget.take(len(raw)):
            self.size += len(raw)
            return raw
        self.left = False
        return None

    def release(self) -> None:
        """Give it back."""
        self._budget.held -= self.size
        self.size = 0


class Talk:
    """A body, and what streamed the other way."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self._body: bytes | None = None
        self._parts: list[tuple[float, bytes]] = []

    def asked(self, body: bytes) -> None:
        """The body is here."""
        self._body = self.room.kept(body)

    def more(self, raw: bytes) -> None:
        """More of the stream, as it came or went."""
        if raw and self.room.kept(raw) is not None:
            self._parts.append((self.room.seconds(), raw))

    def forget(self) -> None:
        """It is of no use any more; the room is given back by itself."""
        self._body, self._parts = None, []

    def body(self, redactor: Redactor) -> Data | None:
        """Without secrets; None: there was none."""
        return None if self._body is None else Data.of(redactor.body(self._body))

    def stream(self, redactor: Redactor) -> Stream:
        """Without secrets."""
        redacted = redactor.stream([raw for _, raw in self._parts])
        data = Data.of(b"".join(redacted))
        times = [
            (round(seconds, 4), len(raw))
            for (seconds, _), raw in zip(self._parts, redacted, strict=True)
        ]
        return Stream(data, times)

    @property
    def streamed(self) -> int:
        """Bytes of the stream."""
        return sum(len(raw) for _, raw in self._parts)
