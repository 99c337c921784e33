"""Which bytes of what is recorded are secrets? Headers, bodies and streams keep their framing.

Two kinds are masked: what is known word for word (the keys and the token in force), wherever it
stands; and what looks like a secret. A stream tells its words in pieces, so it is read twice: as
bytes, and as the texts that its events tell together.
"""

import json
import re
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from fcc.diagnosis.redact import MASK, Secret, merged, replaced, secrets
from fcc.observe.sealed import sealed_secrets
from fcc.observe.telling import Edit, moved, retold

__all__ = ["Redactor"]

_SECRET_HEADER: Final = re.compile(
    r"(?i)(?:^|[-_])(?:api-?key|key|keys|token|secret|passw(?:or)?d|auth|authorization|authentication"
    r"|credentials?|cookie2?|signature|sig|jwt|session-token|assertion)(?:[-_](?:id|v\d))?$"
)
_PLAIN_HEADER: Final = re.compile(
    r"(?i)(?:date|server|via|age|etag|cf-ray|retry-after|content-length|traceparent"
    r"|[\w-]*(?:request-id|ratelimit[\w-]*|-ms|-time))$"
)
"""Differ in every answer, and are read for that: in them only what is known is looked for."""

_SCHEME: Final = re.compile(r"(?i)(?:bearer|basic|token|digest|apikey|aws4-hmac-sha256) ")

_SHORTEST: Final = 4
"""Letters of a key that is masked wherever it stands: a shorter one is no secret."""

_WORD: Final = 8
"""Letters of a key that is masked inside of words too."""

_WINDOW: Final = 256 * 1024
_BEFORE: Final = 256
_BEHIND: Final = 20 * 1024
"""Letters that are looked at at once, before them, and behind them."""

_MOST_SEEN: Final = 500
"""Texts that are remembered: most are the same from request to request."""


class _Kind(Enum):
    """What is done with a header's value."""

    SECRET = auto()
    PLAIN = auto()
    OTHER = auto()


@lru_cache(maxsize=512)
def _kind(name: str) -> _Kind:
    if _SECRET_HEADER.search(name):
        return _Kind.SECRET
    return _Kind.PLAIN if _PLAIN_HEADER.match(name) else _Kind.OTHER


class Redactor:
    """`known` are masked wherever they stand, whatever they look like."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        forms = {form for secret in known for form in _forms(secret.strip())}
        self._known = sorted(forms, key=len, reverse=True)
        self._seen: dict[str, str] = {"": ""}

    def text(self, text: str) -> str:
        """A text without secrets, as a header's value, an address or an error."""
        known = self._seen.get(text)
        if known is None:
            known = self._masked(text.encode("utf-8", "replace")).decode("utf-8", "replace")
            if len(self._seen) >= _MOST_SEEN:
                self._seen.clear()
            self._seen[text] = known
        return known

    def headers(
        self, headers: Iterable[tuple[str, str]], hidden: Iterable[str] = ()
    ) -> list[tuple[str, str]]:
        """Headers without secrets, named in small letters; of those in `hidden` and of secret ones
        nothing is left.
        """
        hidden = {name.lower() for name in hidden}
        lower = [(name.lower(), value) for name, value in headers]
        return [(name, self._header(name, value, hidden)) for name, value in lower]

    def body(self, raw: bytes) -> bytes:
        """A body that came or went as a whole."""
        return self._masked(raw)

    def stream(self, reads: list[bytes]) -> list[bytes]:
        """The reads of a stream: a secret that was cut is masked in the read where it begins."""
        raw = b"".join(reads)
        ends, at = [], 0
        for read in reads:
            at += len(read)
            ends.append(at)
        # The pieces first: half a key that is masked would hide the sign of the other half.
        if b'"delta"' in raw:
            raw, edits = retold(raw, self._scattered)
            ends = moved(ends, edits)
        found = self._secrets(raw)
        raw = _latin(replaced(raw.decode("latin-1"), found))
        ends = moved(ends, [Edit(start, end, len(MASK)) for _, start, end in found])
        begins = [0, *ends]
        return [raw[begin:end] for begin, end in zip(begins, ends, strict=False)]

    def _header(self, name: str, value: str, hidden: set[str]) -> str:
        kind = _kind(name)
        if kind is _Kind.SECRET or name in hidden:
            return _cover(value)
        if kind is _Kind.PLAIN:
            found = list(self._places(value, latin=False))
            return replaced(value, merged(found)) if found else value
        return self.text(value)

    def _masked(self, raw: bytes) -> bytes:
        found = self._secrets(raw)
        return _latin(replaced(raw.decode("latin-1"), found)) if found else raw

    def _secrets(self, raw: bytes) -> list[Secret]:
        """In every byte a letter: places in bytes are the same as places in the text."""
        text = raw.decode("latin-1")
        found = [*_looked_for(text), *self._places(text)]
        if "fcc1." in text:
            sealed = sealed_secrets(text, lambda inner: bool(self._secrets(inner)))
            found += [Secret(start, start, end) for start, end in sealed]
        return merged(found)

    def _scattered(self, _path: str, text: str) -> list[tuple[int, int, str]]:
        found = merged([*secrets(text), *self._places(text, latin=False)])
        return [(start, end, MASK) for _, start, end in found if text[start:end] != MASK]

    def _places(self, text: str, *, latin: bool = True) -> Iterator[Secret]:
        for known in self._known:
            word = known.encode().decode("latin-1") if latin else known
            at = text.find(word)
            while at >= 0:
                end = at + len(word)
                if len(word) >= _WORD or not (_joined(text, at - 1) or _joined(text, end)):
                    yield Secret(at, at, end)
                at = text.find(word, end)


def _looked_for(text: str) -> Iterator[Secret]:
    """As of the whole text, a window at a time: a pattern holds the interpreter until it is done.

    A window begins early enough to see what stands before a secret, and ends late enough for the
    longest private key.
    """
    for begin in range(0, len(text), _WINDOW):
        first = max(0, begin - _BEFORE)
        for sign, start, end in secrets(text[first : begin + _WINDOW + _BEHIND]):
            if start + first >= begin:
                yield Secret(sign + first, start + first, end + first)


def _latin(text: str) -> bytes:
    return text.encode("latin-1")


def _joined(text: str, at: int) -> bool:
    return 0 <= at < len(text) and (text[at].isalnum() or text[at] == "_")


def _cover(value: str) -> str:
    scheme = _SCHEME.match(value)
    return (scheme[0] if scheme else "") + MASK


def _forms(secret: str) -> Iterator[str]:
    """As it is, as JSON has it, and as a URL has it; never so that a mask breaks a string."""
    if len(secret) < _SHORTEST or not secret.isprintable():
        return
    as_json = json.dumps(secret, ensure_ascii=False)[1:-1]
    yield as_json
    yield json.dumps(secret)[1:-1]
    yield as_json.replace("/", "\\/")
    yield quote(secret, safe="")
