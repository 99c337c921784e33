"""Which parts of a text are secrets: they are cut to a prefix that tells what they were.

`secrets` gives places, so that the same rules serve a text, a body whose framing must stay, and a
stream whose words are scattered over its events. In no place that is given is there white space,
a quote or a part of an escape: JSON and server-sent events stay what they are.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from fcc.diagnosis.names import named, random_looking
from fcc.diagnosis.pattern import Pattern
from fcc.diagnosis.signs import anchored, signed, unsigned

__all__ = ["MASK", "Secret", "merged", "redact", "replaced", "secrets"]

MASK: Final = "***"

_CREDENTIALS: Final = Pattern(r"://(?!git@)([^\s/?#\"'<>\\`]{1,300})@", re.ASCII)
_SCHEME: Final = Pattern(r"(?i)\b(?:bearer|basic)\s{1,4}([\w.~+/=*-]{6,}+)", re.ASCII)
_AUTHORIZATION: Final = Pattern(
    r"(?i)authorization\\{0,7}[\"']?\s{0,4}[:=]\s{0,4}\\{0,7}[\"']?"
    r"(?:(digest|aws4-hmac-sha256|hawk|hmac|oauth|signature)\s{1,4}([^\r\n]{6,2000})"
    r"|(?:token|apikey|api-key|key|negotiate|ntlm)\s{1,4}([^\s\"'\\]{6,}+))",
    re.ASCII,
)
_PARAMETER: Final = Pattern(r"[\w-]{2,40}+=\\{0,7}[\"']?([^\s,\"'\\=]{6,}+=*)", re.ASCII)
_COOKIES: Final = Pattern(
    r"(?i)cookie\\{0,7}[\"']?(?:\s{0,2}[:=]\s{0,2}|\s{1,2}(?=\\{0,7}[\"']))\\{0,7}[\"']?", re.ASCII
)
_COOKIE: Final = Pattern(
    r"(?i)\s{0,2}(?:(?:path|domain|expires|max-age|samesite|version)=[^;\r\n\"'\\]{0,80}+"
    r"|(?:secure|httponly|partitioned)(?![\w=])"
    r"|[\w.!#$%&*+^|~-]{1,80}+=([^\s;\"'\\]{0,8000}+))(;|)",
    re.ASCII,
)
_COMMAND_LINE: Final = Pattern(
    r"(?i)(?:curl\s[^\r\n]{0,300}?\s?(?:-u|--user)[\s=]{1,2}\\{0,7}[\"']?[^\s:\"'\\]{1,80}:"
    r"|login\s{1,4}[^\s\"'\\]{1,80}\s{1,4}password\s{1,4}|sshpass\s{1,4}-p\s{0,4}\\{0,7}[\"']?)"
    r"([^\s\"'\\$<{`(][^\s\"'\\]{5,200})",
    re.ASCII,
)
_PRIVATE_KEY: Final = Pattern(
    r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----((?:[^-]|-(?!----)){0,16384}+)", re.ASCII
)

"""An RSA key of 16,384 bits has 13,000 characters."""
_LINE_OF_KEY: Final = Pattern(r"[A-Za-z0-9+/=]{4,}+", re.ASCII)
_LONG_LINE_OF_KEY: Final = Pattern(r"[A-Za-z0-9+/]{32,}+", re.ASCII)

_JUDGED: Final = 200
"""Characters of a value that tell whether it is a secret."""

_ESCAPES: Final = ("\\n", "\\t", "\\r", "\\b", "\\f", "\\/")
_UNICODE_ESCAPE: Final = Pattern(r"\\u([0-9a-fA-F]{4})", re.ASCII)


class Secret(NamedTuple):
    """A place in a text: from `start` to `end` is masked."""

    sign: int
    """Where the sign of its issuer begins, which may stay; `start` where it has none."""
    start: int
    end: int


def redact(text: str) -> str:
    """The text without keys, tokens and passwords; of a key at most the issuer's sign is left."""
    found = secrets(text)
    return replaced(text, found) if found else text


def secrets(text: str) -> list[Secret]:
    """Where the secrets are, in order, none upon another. Linear in the text."""
    text = _unescaped(text)
    lower = _lower(text)
    return merged(secret for rule in _RULES for secret in rule(text, lower))


def replaced(text: str, found: Iterable[Secret]) -> str:
    """`text` with a mask in each of these places."""
    parts, at = [], 0
    for _, start, end in found:
        parts += [text[at:start], MASK]
        at = end
    return "".join([*parts, text[at:]])


def merged(found: Iterable[Secret]) -> list[Secret]:
    """In order of place; what lies upon another is one with it."""
    kept: list[Secret] = []
    for secret in sorted(found):
        last = kept[-1] if kept else None
        if last is None or secret.sign >= last.end:
            kept.append(secret)
        elif secret.start > last.end:
            kept.append(Secret(secret.start, secret.start, secret.end))
        else:
            # Of two readings that begin alike the one with a sign says more.
            start = max(last.start, secret.start) if secret.sign == last.sign else last.start
            kept[-1] = Secret(last.sign, start, max(last.end, secret.end))
    return kept


def _unescaped(text: str) -> str:
    """A text of the same length in which a word begins after a JSON escape.

    It serves a text in a JSON string in a JSON string too, as only the last backslash counts.
    """
    if "\\" not in text:
        return text
    for escape in _ESCAPES:
        text = text.replace(escape, " \n" if escape == "\\n" else "  ")
    return _UNICODE_ESCAPE.sub(_character, text) if "\\u" in text else text


def _character(found: "re.Match[str]") -> str:
    """Go writes & < > so, and careful servers all of their punctuation."""
    letter = chr(int(found[1], 16))
    return "     " + (letter if letter in "&<>=;" else " ")


def _lower(text: str) -> str:
    """The text in small letters, letter for letter."""
    lower = text.lower()
    # The one letter that becomes two.
    return lower if len(lower) == len(text) else text.replace("\u0130", "i").lower()


def _signed(text: str, _lower: str) -> Iterator[Secret]:
    return (Secret(*found) for found in signed(text))


def _unsigned(text: str, _lower: str) -> Iterator[Secret]:
    return (_bare(*found) for found in unsigned(text))


def _named(text: str, lower: str) -> Iterator[Secret]:
    return (_bare(*found) for found in named(text, lower))


def _in_urls(text: str, _lower: str) -> Iterator[Secret]:
    return (_bare(*found.span(1)) for found in anchored(_CREDENTIALS, text, ("://",)))


def _schemes(text: str, lower: str) -> Iterator[Secret]:
    for found in anchored(_SCHEME, text, ("bearer", "basic"), lower):
        if random_looking(found[1][:_JUDGED]) and not found[1].endswith(MASK):
            yield _bare(*found.span(1))


def _authorizations(text: str, lower: str) -> Iterator[Secret]:
    for found in anchored(_AUTHORIZATION, text, ("authorization",), lower):
        if found[1]:
            for parameter in _PARAMETER.finditer(text, *found.span(2)):
                yield _bare(*parameter.span(1))
        else:
            yield _bare(*found.span(3))


def _cookies(text: str, lower: str) -> Iterator[Secret]:
    done = 0
    for head in anchored(_COOKIES, text, ("cookie",), lower):
        pair = _COOKIE.match(text, head.end()) if head.end() >= done else None
        while pair:
            done = pair.end()
            if pair[1] and len(pair[1]) >= 4:
                yield _bare(*pair.span(1))
            pair = _COOKIE.match(text, pair.end()) if pair[2] else None


def _command_lines(text: str, lower: str) -> Iterator[Secret]:
    words = ("curl ", "login", "sshpass")
    return (_bare(*found.span(1)) for found in anchored(_COMMAND_LINE, text, words, lower))


def _private_keys(text: str, _lower: str) -> Iterator[Secret]:
    for found in _PRIVATE_KEY.finditer(text):
        if _LONG_LINE_OF_KEY.search(found[1]):
            for line in _LINE_OF_KEY.finditer(text, *found.span(1)):
                yield _bare(*line.span())


def _bare(start: int, end: int) -> Secret:
    return Secret(start, start, end)


_RULES: Final[tuple[Callable[[str, str], Iterator[Secret]], ...]] = (
    _signed,
    _unsigned,
    _named,
    _in_urls,
    _schemes,
    _authorizations,
    _cookies,
    _command_lines,
    _private_keys,
)
