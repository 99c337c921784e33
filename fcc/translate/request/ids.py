"""Which id does a provider take for a tool call?

A rule keeps an id that is already fit and replaces any other by one made of its hash: the same
id gives the same result in every turn, so calls, results and prompt caches stay together.
"""

import re
from collections.abc import Callable
from hashlib import sha256

from fcc.translate.foreign_ids import original

__all__ = ["RULES", "IdRule"]

IdRule = Callable[[str], str]

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTERS = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_NINE = re.compile(r"[a-zA-Z0-9]{9}")


def _keep(id: str) -> str:
    return id if 0 < len(id) <= 64 else "call_" + _hash(id)[:24]


def _original(id: str) -> str:
    own = original(id)
    return own if own != id else _keep(id)


def _anthropic(id: str) -> str:
    return id if _LETTERS.fullmatch(id) else "call_" + _hash(id)[:24]


def _openai40(id: str) -> str:
    return id if 0 < len(id) <= 40 else "call_" + _hash(id)[:24]


def _mistral9(id: str) -> str:
    if _NINE.fullmatch(id):
        return id
    number = int(_hash(id), 16)
    letters = []
    for _ in range(9):
        number, digit = divmod(number, len(_DIGITS))
        letters.append(_DIGITS[digit])
    return "".join(letters)


def _hash(id: str) -> str:
    return sha256(id.encode()).hexdigest()


RULES: dict[str, IdRule] = {
    "keep": _keep,
    "original": _original,  # Kimi wants its own `functions.NAME:IDX` back
    "anthropic": _anthropic,  # "should match pattern ^[a-zA-Z0-9_-]+$"
    "openai40": _openai40,
    "mistral9": _mistral9,  # "must be a-z, A-Z, 0-9, with a length of 9"
}
