"""What has a page to be told, so that it shows what there is? Pure: the caller reads the clock.

Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): first
`snapshot` with all parts, then `change` with those that are different, whole; of the ended
requests, only those that are further.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from fcc.server.page.history import History
from fcc.server.page.shown import ended

__all__ = ["KEEP_ALIVE", "Changes"]

KEEP_ALIVE: Final = 15.0
"""Seconds of silence before a comment: the page takes 40 for a broken connection."""

_COMMENT: Final = b":\n\n"


class Changes:
    """`feed(now, parts, history) -> bytes` for one page; nothing where nothing is different."""

    def __init__(self) -> None:
        self._sent: Mapping[str, bytes] = {}
        self._number = 0
        self._said = 0.0

    def feed(self, now: float, parts: Mapping[str, bytes], history: History) -> bytes:
        """The event that brings the page up to date."""
        changed: dict[str, object] = {
            name: msgspec.Raw(part) for name, part in parts.items() if self._sent.get(name) != part
        }
        further = [ended(number, outcome) for number, outcome in history.after(self._number)]
        if not (changed or further):
            return self._sign_of_life(now)
        name = b"change" if self._sent else b"snapshot"
        self._sent, self._number, self._said = dict(parts), history.count, now
        told = {"now": round(now, 2), **changed, "ended": further}
        return b"event: %b\ndata: %b\n\n" % (name, msgspec.json.encode(told))

    def _sign_of_life(self, now: float) -> bytes:
        if now - self._said < KEEP_ALIVE:
            return b""
        self._said = now
        return _COMMENT
