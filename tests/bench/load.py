"""What is the load client told, and what does it tell?"""

import msgspec

__all__ = ["Load", "Seen"]


class Load(msgspec.Struct, frozen=True):
    """`streams` connections, each with `requests` one after the other."""

    port: int = 0
    size: int = 2000
    """Bytes of a request's body."""
    chunks: int = 5
    pace_ms: int = 0
    streams: int = 1
    requests: int = 1
    stagger_ms: int = 0
    """Between the starts of two streams."""

    @property
    def total(self) -> int:
        """Requests in all."""
        return self.streams * self.requests


class Seen(msgspec.Struct):
    """What came back."""

    failures: list[str]
    """What was no whole answer, in words."""
    first: list[float]
    """Seconds from a request to its first content, one for each."""
    reads: int
    """How often a client's socket had something."""
    seconds: float
    """From the first request to the last answer."""
