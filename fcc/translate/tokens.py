"""How many tokens a text is, offline: by class of bytes, times what real usage has taught.

No tokenizer fits every backend: o200k itself is off by up to 10 % on foreign ones, while bytes
by class times a ratio learned per model come within 3 % after the first answers.
"""

import re
from collections import OrderedDict

__all__ = ["OutputCount", "Ratio", "estimate"]

_ASCII_PER_TOKEN = 3.9
_OTHER_PER_TOKEN = 2.2
"""Bytes per token of ASCII and of other UTF-8, fitted to seven backends' tokenizers."""

_IMAGE_TOKENS = 1600
"""What providers count at most for one image ((width * height) / 750, capped)."""

_ASCII = bytes(range(128))
_PART = 4096
"""Bytes looked at together: to see that they are ASCII takes a fiftieth of counting what is not."""
_DATA_URL = re.compile(rb"data:[a-z]+/[a-z0-9.+-]+;base64,[A-Za-z0-9+/=]*")


def estimate(body: bytes, *further: bytes, media: bool = True) -> int:
    """Tokens of a request body and of further texts, at least 1.

    `media`: the body may carry images; they count by their number and not by their bytes.
    """
    images = 0
    if media and b";base64," in body:
        body, images = _DATA_URL.subn(b"", body)
    return max(1, sum(map(_tokens, (body, *further))) + images * _IMAGE_TOKENS)


def _tokens(text: bytes) -> int:
    other = 0
    for at in range(0, len(text), _PART):
        part = text[at : at + _PART]
        if not part.isascii():
            other += len(part.translate(None, _ASCII))
    return round((len(text) - other) / _ASCII_PER_TOKEN + other / _OTHER_PER_TOKEN)


class OutputCount:
    """Tokens of an answer, for a provider that reports none."""

    __slots__ = ("_ascii", "_other")

    def __init__(self) -> None:
        self._ascii = 0
        self._other = 0

    def add(self, text: str) -> None:
        """Count one more part of the answer."""
        if text.isascii():
            self._ascii += len(text)
        else:
            raw = text.encode("utf-8", "replace")
            other = len(raw.translate(None, _ASCII))
            self._other += other
            self._ascii += len(raw) - other

    @property
    def tokens(self) -> int:
        """At least 1, as an answer of nothing is none."""
        return max(1, round(self._ascii / _ASCII_PER_TOKEN + self._other / _OTHER_PER_TOKEN))


class Ratio:
    """True tokens per estimated token of one model, learned from its usage reports.

    Of a session that goes on only what came since its latest report is estimated: that halves the
    error of the ratio alone.
    """

    __slots__ = ("_latest", "value")

    SAME = 0.9
    """Of a conversation's latest estimate: what is shorter is another, or was compacted. Questions
    about the same one differ in their fields."""
    SESSIONS = 100
    """Whose latest reports are remembered."""
    WEIGHT = 0.3
    """Of the newest report: three answers in, two thirds of an error are gone."""
    LOW, HIGH = 0.5, 2.0
    """Beyond these a report is about something else than the text that was sent."""

    def __init__(self) -> None:
        self.value = 1.0
        self._latest: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def tokens(self, estimated: int, session: str = "") -> int:
        """What `estimated` tokens are in truth, about; at least 1."""
        known, reported = self._latest.get(session, (0, 0))
        least = int(known * self.SAME)
        beyond = max(estimated, least) - known
        told = reported + round(beyond * self.value)
        return max(1, min(told, round(estimated * self.value)) if estimated < least else told)

    def learn(self, estimated: int, reported: int, session: str = "") -> None:
        """`reported` prompt tokens turned out to be what `estimated` was the estimate of."""
        if estimated <= 0 or reported <= 0:
            return
        seen = reported / estimated
        self.value += self.WEIGHT * (min(max(seen, self.LOW), self.HIGH) - self.value)
        if session and self.LOW <= seen <= self.HIGH:
            self._latest[session] = (estimated, reported)
            self._latest.move_to_end(session)
            if len(self._latest) > self.SESSIONS:
                self._latest.popitem(last=False)
