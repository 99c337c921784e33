"""Which JSON value is a structured answer, without the prose or the fence around it?"""

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from fcc.translate.valid import misfit

__all__ = ["Alone", "alone"]

_FENCED = re.compile(r"```[\w+-]*[ \t]*\r?\n(.*?)```", re.DOTALL)
_OPENING = re.compile(r'\{(?=\s*["}])|\[(?=\s*[\[{"\-0-9tfn\]])')
"""What a JSON object or array can begin with; most brackets in prose are others."""

_LEAST_WORK = 10_000
"""Characters that are read in vain in any case, before an answer is given up."""


class Alone(msgspec.Struct, frozen=True):
    """The JSON text, as it was written; or None, and in `wrong` why there is none."""

    text: str | None
    wrong: str = ""


def alone(said: str, schema: dict[str, Any]) -> Alone:
    """The one JSON value in `said` that satisfies the schema."""
    said = said.strip().removeprefix("\ufeff").strip()
    fenced = _FENCED.fullmatch(said)
    wrong = ""
    for whole in (said, *([fenced[1].strip()] if fenced else ())):
        try:
            value = _DECODER.decode(whole)
        except (ValueError, RecursionError):
            continue
        wrong = misfit(value, schema)
        if not wrong:
            return Alone(whole)
    return Alone(None, wrong) if wrong else _among(said, schema)


def _among(said: str, schema: dict[str, Any]) -> Alone:
    """The one that fits, among the objects and arrays that stand in prose."""
    fitting: dict[bytes, str] = {}
    wrong = "there is no whole JSON value in it"
    for text, value in _values(said):
        misfits = misfit(value, schema)
        wrong = misfits or wrong
        if not misfits:
            # Said twice, it is still one answer.
            fitting[json.dumps(value, sort_keys=True).encode()] = text
    if len(fitting) > 1:
        return Alone(None, "there are several JSON values in it")
    return Alone(next(iter(fitting.values()))) if fitting else Alone(None, wrong)


def _values(said: str) -> Iterator[tuple[str, object]]:
    """The outermost values, in order, each with its text; none that is a part of a broken one."""
    at, broken, work = 0, 0, _LEAST_WORK + 8 * len(said)
    while work > 0 and (opening := _OPENING.search(said, at)):
        start = opening.start()
        try:
            value, at = _DECODER.raw_decode(said, start)
        except (ValueError, RecursionError) as error:
            end = _read_to(error, said)
            # An error counts the lines before it, which is quick but not free.
            at, broken, work = start + 1, max(broken, end), work - (end - start) - len(said) // 64
        else:
            if start >= broken:
                yield said[start:at], value


def _read_to(error: Exception, said: str) -> int:
    """How far it was read, or may have been: a string without an end is told by its beginning."""
    if isinstance(error, json.JSONDecodeError) and not error.msg.startswith("Unterminated"):
        return error.pos
    return len(said)


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_number)
