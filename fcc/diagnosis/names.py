"""Is what a name is given to a secret? `api_key = "..."`, `DB_PASSWORD=...`, `--token ...`.

A name alone does not tell: `key=lambda row: ...` is code, `"key": "9e107d9d..."` mostly a hash,
`password: str` a type. So the name says how much a value must look like chance to be a secret.
"""

import re
from collections.abc import Iterator
from typing import Final

from fcc.diagnosis.pattern import Pattern

__all__ = ["named", "random_looking"]

_NAMES: Final = ("key", "token", "secret", "passw", "passphrase", "pwd", "_pass", "authorization",
                 "credential")  # fmt: skip

_NAMED: Final = Pattern(
    r"(?i)(key|token|secret|passw(?:or)?d|passphrase|pwd|_pass|authorization|credentials?)"
    r"(?:[-_]?(?:id|value))?(?:\s(?:provided|supplied|given|used|value))?"
    r"(\\{0,7}[\"'`]?\]?(?:\s{0,2}:\s{0,2}(?:str|string|(?:Optional|Final)\[str\]))?"
    r"\s{0,4}(?::=|=>|[:=>])\s{0,4}"
    r"|\\{0,7}[\"']\s{0,2},\s{0,4}(?=\\{0,7}[\"'])|\s(?:is\s|was\s)?(?=[\"'`(\[])|\s{1,4})"
    r"(?:\\{0,7}([\"'`])|[(\[])?+"
    r"((?(3)[^\s\"'`\\<>]{6,}+|[^\s\"'`\\<>(){}\[\],;&|]{6,}+))",
    re.ASCII,
)
"""Name, what assigns, an opening quote, the value."""

_NESTED: Final = 600
"""Characters that are read of an assignment inside of another's value."""

_JUDGED: Final = 200
"""Characters of a value that tell whether it is a secret."""

_LONGEST_PREFIX: Final = 24

_PREFIX: Final = Pattern(
    r"(?i)(?:api|access|secret|private|account|subscription|signing|encryption|master|auth|service"
    r"|storage|deploy|shared|session|rest|server|webhook|refresh|bearer|security|bot|oauth|personal"
    r"|client|user|admin|github|gitlab|slack|npm|jwt|device)[-_ ]?$|[?&]$",
    re.ASCII,
)

"""What makes a key or a token a secret one; a parameter of a URL is one."""

_VARIABLE: Final = Pattern(r"(?:^|[^A-Za-z0-9_])[A-Z][A-Z0-9_]*_$", re.ASCII)
"""How an environment variable's name begins."""

_FLAG: Final = Pattern(r"(?:^|\s)--?[A-Za-z-]*$", re.ASCII)
"""How an option's name begins: its value may stand behind a space."""

_CODE: Final = Pattern(r"[A-Za-z_$]\w*(?:[.:]{1,2}[A-Za-z_]\w*)+|[$%{<].*|~?/.*", re.ASCII)
"""An expression, a variable or a path that stands where a secret might."""

_FILLED_IN: Final = Pattern(r"=|\$[{(A-Z_a-z]|\{\{|%[({]", re.ASCII)
"""How a place begins where something else puts the secret; `==` compares."""

_PIECE: Final = Pattern(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+", re.ASCII)
_HEX: Final = Pattern(r"(?:sha\d*[-:])?[0-9a-fA-F-]+", re.ASCII)
_NUMBER: Final = Pattern(r"[-+0-9.,:_eE/]+", re.ASCII)


def named(text: str, lower: str) -> Iterator[tuple[int, int]]:
    """From where to where values stand that their names make secrets."""
    for name in _NAMES:
        at, seen = lower.find(name), 0
        while at >= 0:
            # A value may hold the next name: it is read from there anew, but not to its end.
            found = _NAMED.match(text, at, len(text) if at >= seen else at + _NESTED)
            at += len(name)
            if found:
                seen = max(seen, found.end())
                if _is_secret(found, text):
                    yield found.span(4)
                    at = found.end()
            at = lower.find(name, at)


def random_looking(text: str) -> bool:
    """Whether this is no word of a sentence: "missing Bearer authentication" has no secret."""
    bare = text.strip(".-*")
    if "*" in text.strip("*"):
        return True
    if len(bare) >= 20 and not _of_words(bare):
        return True
    if any(letter.isdigit() for letter in bare):
        return not _NUMBER.fullmatch(bare)
    return len(bare) >= 10 and _by_chance(bare)


def _is_secret(found: "re.Match[str]", text: str) -> bool:
    name, assigned, quote, value = found[1].lower(), found[2], found[3], found[4][:_JUDGED]
    before = text[max(0, found.start() - _LONGEST_PREFIX) : found.start()]
    after = text[found.end() : found.end() + 1]
    spaced = assigned.isspace() and not quote and not _FLAG.search(before)
    if spaced or found[4].endswith("***") or _is_code(value, quote, after):
        return False
    if "," in assigned:
        return random_looking(value) and not _of_words(value)
    if name in ("key", "token") and not _PREFIX.search(before):
        return _whichever(name, before, value)
    # As in a URL, a command line or a file of variables.
    tight = assigned == "=" and not quote and after not in (",", ")")
    return (tight and name.strip("_") not in value.lower()) or random_looking(value)


def _is_code(value: str, quote: str | None, after: str) -> bool:
    """Whether it stands for a value that is elsewhere, or is a number."""
    if _FILLED_IN.match(value):
        return True
    if quote:
        return False
    called = after in ("(", "[")
    return called or bool(_CODE.fullmatch(value) or _NUMBER.fullmatch(value))


def _whichever(name: str, before: str, value: str) -> bool:
    """Whether the value of a `key` or `token` that may be anything's is a secret."""
    if _VARIABLE.search(before) or _FLAG.search(before):
        return random_looking(value) and not _of_words(value)
    if name == "key" and (before[-1:].isalpha() or _HEX.fullmatch(value)):
        return False
    chance = _by_chance(value) or _HEX.fullmatch(value) is not None
    return len(value) >= 16 and any(map(str.isdigit, value)) and chance


def _by_chance(text: str) -> bool:
    """Whether letters and digits change places more often than in words."""
    pieces = _PIECE.findall(text)
    return len(pieces) >= 0.4 * sum(map(len, pieces))


def _of_words(text: str) -> bool:
    """Whether it reads as words with something between them."""
    pieces = _PIECE.findall(text)
    chance = _by_chance(text) or _HEX.fullmatch(text)
    return len(pieces) > 1 and not chance and max(map(len, pieces)) <= 16
