"""Which name does a provider take for a tool?

A rule keeps a name that is already fit. Any other keeps as much of itself as it may, with a hash
that tells it from its neighbours, so that the request's own list of tools can turn it back.
"""

import re
from functools import lru_cache
from hashlib import sha256

import msgspec

from fcc.translate.request.named import named

__all__ = ["RULES", "NameRule", "provider_name"]

_HASH = 8
"""Hexadecimal digits of a name's hash: enough to tell a few hundred tools apart."""


class NameRule(msgspec.Struct, frozen=True):
    """Names are `fit`, else their `foreign` characters are replaced; `limit` is in characters."""

    fit: re.Pattern[str]
    foreign: re.Pattern[str]
    limit: int
    start: str = ""
    """What is put in front of a name that had to be changed."""


RULES: dict[str, NameRule] = {
    "openai": NameRule(re.compile(r"[a-zA-Z0-9_-]{1,64}"), re.compile(r"[^a-zA-Z0-9_-]"), 64),
    # google-gemini/gemini-cli#6704
    "gemini": NameRule(
        re.compile(r"[a-zA-Z_][a-zA-Z0-9_.-]{0,63}"), re.compile(r"[^a-zA-Z0-9_.-]"), 64, "_"
    ),
    # Alishahryar1/free-claude-code#1307: "exceeds 96 character limit"
    "nim96": NameRule(re.compile(r"[a-zA-Z0-9_-]{1,96}"), re.compile(r"[^a-zA-Z0-9_-]"), 96),
    "any": NameRule(re.compile(r".+", re.DOTALL), re.compile(r"(?!)"), 64),
}


@lru_cache(maxsize=2048)
def provider_name(name: str, rule: str) -> str:
    """The client's tool name as the provider takes it."""
    by = named(RULES, rule, "tool_names")
    if by.fit.fullmatch(name):
        return name
    digest = sha256(name.encode()).hexdigest()[:_HASH]
    stem = by.start + by.foreign.sub("_", name)
    return f"{stem[: by.limit - _HASH - 1] or 'tool'}_{digest}"
