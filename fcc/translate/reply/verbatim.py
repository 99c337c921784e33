"""One call's arguments exactly as they were written, for those who want nothing mended."""

from fcc.translate.reply.arguments import Mend, is_object
from fcc.translate.reply.extent import Extent

__all__ = ["VerbatimStream"]


class VerbatimStream:
    """Has the verbs of an ArgumentStream; every fragment passes, and the answer's end is theirs."""

    __slots__ = ("_extent", "_live", "_said")

    whole = False
    """They may go on until the answer ends: a second object is part of what was written."""
    repair = ""

    def __init__(self, *, live: bool) -> None:
        self._live = live
        self._extent = Extent()
        self._said: list[str] = []

    @property
    def started(self) -> bool:
        """Whether anything has come."""
        return bool(self._said)

    @property
    def closed(self) -> bool:
        """Whether the text so far closes an object."""
        return self._extent.whole

    def said(self) -> str:
        """All that has been passed on."""
        return "".join(self._said) if self._live else ""

    def feed(self, fragment: str) -> str:
        """What can be passed on by now."""
        if fragment:
            self._extent.feed(fragment)
            self._said.append(fragment)
        return fragment if self._live else ""

    def finish(self, _mend: Mend, *, clean: bool) -> tuple[str, bool]:
        """The rest to pass on, and whether the arguments are one JSON object."""
        text = "".join(self._said)
        rest = "" if self._live else text
        return rest, is_object(text.strip()) or (clean and not text)

    def further(self) -> list[str]:
        """None are taken apart."""
        return []
