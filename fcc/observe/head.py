"""How are the headers of a head kept, when mostly nobody looks at them again?

As one text: by name they are held by twenty pieces of memory, which the next requests would not get
back while it is warm.
"""

from collections.abc import Iterable
from itertools import chain

__all__ = ["packed", "unpacked"]


def packed(headers: Iterable[tuple[str, str]]) -> str:
    """Each name and each value on a line: no header that was parsed has a line end in it."""
    return "\n".join(chain.from_iterable(headers))


def unpacked(head: str) -> list[tuple[str, str]]:
    """The headers, in their order."""
    lines = head.split("\n") if head else []
    return list(zip(lines[::2], lines[1::2], strict=True))
