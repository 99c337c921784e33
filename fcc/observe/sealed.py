"""Is there a secret inside of what is packed? A thinking block's signature is a deflated text."""

import re
import zlib
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from typing import Final

__all__ = ["sealed_secrets"]

_TOKEN: Final = re.compile(r"(?<![\w.-])fcc1\.([\w-]{8,}+)", re.ASCII)

_MOST: Final = 4 * 1024 * 1024
"""Bytes that a token may unpack to: no more are ever sealed."""


def sealed_secrets(text: str, has_secret: Callable[[bytes], bool]) -> Iterator[tuple[int, int]]:
    """From where to where the tokens stand that hide a secret."""
    for found in _TOKEN.finditer(text):
        if has_secret(_unpacked(found[1])):
            yield found.span(1)


def _unpacked(token: str) -> bytes:
    try:
        packed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        return zlib.decompressobj().decompress(packed, _MOST)
    except (ValueError, zlib.error):
        return b""
