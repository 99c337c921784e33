"""How does a provider get back what only it can read, through a client that knows signatures?

A client returns a thinking block with its `signature`, and a redacted_thinking block with its
`data`, as they were. So a token in them carries the provider's own entries: OpenRouter's
reasoning_details, Mistral's thinking chunks, Gemini's thought signatures. It says which model it
is for, so that no other ever gets it, and nothing has to be remembered between two requests.

    fcc1. base64url(deflate([model, entries, calls]))

The reasoning text stands in the block already: an entry has the number of its characters instead.
"""

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from fcc.settings.profile import Model
from fcc.translate.entries import merged, restored, text_of, without_text

__all__ = ["RETURNED", "Kept", "Sealed", "seal", "sealer", "tag", "unseal"]

PREFIX = "fcc1."
RETURNED = frozenset(
    {"reasoning_details", "mistral", "thought_signature", "thought_signature_or_skip"}
)
"""The rules of `ask.reasoning_history` that return what the provider sent, and not its text."""
MAX_BYTES = 4 * 1024 * 1024
"""Of a token's content; encrypted reasoning is some kilobytes. More is not carried."""


class Kept(msgspec.Struct):
    """What of an answer has to come back."""

    entries: list[msgspec.Raw] = []
    """The provider's entries as it streamed them, in order."""
    calls: dict[str, msgspec.Raw] = {}
    """Id of a tool_use block -> the `extra_content` of the call."""
    texts: list[str] = []
    """The reasoning that the block itself shows, in any cut."""

    def __bool__(self) -> bool:
        return bool(self.entries or self.calls)


class Sealed(msgspec.Struct, array_like=True, frozen=True):
    """What a token carries."""

    model: str
    entries: tuple[msgspec.Raw, ...] = ()
    calls: dict[str, msgspec.Raw] = {}


_SEALED = msgspec.json.Decoder(Sealed)
_BROKEN = (ValueError, RecursionError, zlib.error)
"""msgspec's errors and base64's are ValueErrors."""


def tag(model: Model) -> str:
    """Whom a token is for. Signatures of one model mean nothing to another."""
    return f"{model.provider}/{model.name}"


def sealer(model: Model) -> Callable[[Kept], str]:
    """Seals answers of `model`; "" where the model gets nothing but text back, and there is none."""
    whom = tag(model)
    if model.ask.reasoning_history in RETURNED:
        return lambda kept: seal(whom, kept)
    return lambda kept: _plain(whom) if kept.texts else ""


@lru_cache(maxsize=256)
def _plain(model: str) -> str:
    """The token that carries nothing but whose it is."""
    return seal(model, Kept())


def seal(model: str, kept: Kept) -> str:
    """The token for `kept`; `model` names provider and model."""
    entries = merged(kept.entries)
    text = "".join(kept.texts)
    if text and text_of(entries) == text:
        without_text(entries)
    content = msgspec.json.encode(Sealed(model, tuple(map(_raw, entries)), kept.calls))
    if len(content) > MAX_BYTES:
        content = msgspec.json.encode(Sealed(model))
    return PREFIX + urlsafe_b64encode(zlib.compress(content)).rstrip(b"=").decode()


def unseal(token: str | None, text: str = "") -> Sealed | None:
    """What `token` carries; `text` is the reasoning of its block.

    None for what is not ours, or damaged. Entries whose text has been changed are left out.
    """
    if not token or not token.startswith(PREFIX) or len(token) > 2 * MAX_BYTES:
        return None
    try:
        data = token[len(PREFIX) :]
        packed = urlsafe_b64decode(data + "=" * (-len(data) % 4))
        inflate = zlib.decompressobj()
        content = inflate.decompress(packed, MAX_BYTES)
        if not inflate.eof:
            return None
        sealed = _SEALED.decode(content)
        entries = tuple(map(_raw, restored(sealed.entries, text)))
    except _BROKEN:
        return None
    return Sealed(sealed.model, entries, sealed.calls)


def _raw(entry: msgspec.Raw | dict[str, Any]) -> msgspec.Raw:
    return entry if isinstance(entry, msgspec.Raw) else msgspec.Raw(msgspec.json.encode(entry))
