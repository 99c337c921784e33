"""Which damage to a call's arguments can be mended without guessing?

Only damage that leaves one reading: nothing is ever added inside a string, and the result must
fit the tool's schema. Seen with Qwen, Llama, GLM and MiniMax models: Python literals, trailing
commas, raw line ends in strings, JSON inside a JSON string, the same object twice, and lost
closing brackets.
"""

import ast
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from fcc.overriding import override
from fcc.translate.fits import fits
from fcc.translate.tools import DeclaredTool

__all__ = ["decode", "encode", "mend", "python_value", "readings"]

_STRING = r'"(?:[^"\\]++|\\.)*+(?:"|\Z)'
"""A JSON string, or what is there of one: to the end, so that none is started twice."""
_TRAILING_COMMA = re.compile(rf"({_STRING})|,(?=\s*+[}}\]])", re.DOTALL)
_STRUCTURE = re.compile(rf"{_STRING}|[{{}}\[\]]", re.DOTALL)
_CLOSER = {"{": "}", "[": "]"}
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_TOLERANT = json.JSONDecoder(strict=False)
"""Takes raw line ends and tabs inside strings."""
_NOT_JSON = (ValueError, RecursionError, msgspec.MsgspecError)


def decode(text: str) -> Any:
    """The JSON value of `text`.

    Raises: ValueError
    """
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeEncodeError):
        # msgspec refuses lone surrogates, which models do write.
        try:
            return json.loads(text)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def encode(value: object) -> str:
    """`value` as JSON text."""
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return json.dumps(value)


def mend(text: str, tool: DeclaredTool | None, *, ended: bool = True) -> tuple[str, str] | None:
    """Arguments that are no JSON object, as one that fits `tool`, and the name of the repair.

    Where characters only have to be added or left out, the others stay as they were written:
    the beginning may have gone out by then.

    `ended`: the provider ended the answer normally, so lost brackets are the model's own.
    None: `text` needs no repair, or none is safe.
    """
    for name, value in readings(text, ended=ended):
        if isinstance(value, dict) and (tool is None or fits(value, tool.schema)):
            return (_edited(text, name) or encode(value), name) if name else None
    return None


def _edited(text: str, name: str) -> str | None:
    """The text that the repair makes of `text`; None where it is no text, or none in JSON."""
    edit = _EDITS.get(name)
    if edit is None:
        return None
    edited = edit(text)
    try:
        decode(edited)
    except ValueError:
        return None
    return edited


def readings(text: str, *, ended: bool) -> Iterator[tuple[str, Any]]:
    """What `text` may mean, the likeliest first, each with the name of the repair.

    The name is "" where `text` is JSON as it stands.
    """
    for name, read in _REPAIRS.items():
        if name == "brackets" and not ended:
            continue
        try:
            yield name, read(text)
        except _NOT_JSON:
            continue


def _wrapped(text: str) -> Any:
    inner = _TOLERANT.decode(text)
    return _TOLERANT.decode(inner) if isinstance(inner, str) else inner


def _repeated(text: str) -> Any:
    first, at = _TOLERANT.raw_decode(text.lstrip())
    rest = text.lstrip()[at:].strip()
    copies = 1
    at = 0
    while at < len(rest):
        again, at = _TOLERANT.raw_decode(rest, at)
        if again != first:
            raise ValueError("different objects")
        copies += 1
        while rest[at : at + 1].isspace():
            at += 1
    if copies == 1:
        raise ValueError("one object")
    return first


def _without_trailing_commas(text: str) -> str:
    return _TRAILING_COMMA.sub(lambda match: match[1] or "", text)


def _with_brackets(text: str) -> str:
    missing: list[str] = []
    for match in _STRUCTURE.finditer(text):
        token = match[0]
        if token in _CLOSER:
            missing.append(_CLOSER[token])
        elif token in {"}", "]"} and (not missing or missing.pop() != token):
            raise ValueError("brackets don't match")
    return text + "".join(reversed(missing))


def python_value(text: str) -> Any:
    """The value of a Python literal, in which JSON's words may stand.

    Raises: ValueError
    """
    try:
        tree = ast.parse(text.strip(), mode="eval")
        value = ast.literal_eval(_Words().visit(tree))
        return decode(json.dumps(value, allow_nan=False))
    except (SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError("no Python literal") from error


class _Words(ast.NodeTransformer):
    """JSON's words as the constants they mean."""

    @override
    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in _WORDS:
            return node
        return ast.copy_location(ast.Constant(_WORDS[node.id]), node)


_EDITS: dict[str, Callable[[str], str]] = {
    "trailing_commas": _without_trailing_commas,
    "brackets": _with_brackets,
}
_REPAIRS: dict[str, Callable[[str], Any]] = {
    "": decode,
    "control_characters": _TOLERANT.decode,
    "wrapped": _wrapped,
    "repeated": _repeated,
    "trailing_commas": lambda text: _TOLERANT.decode(_without_trailing_commas(text)),
    "python": python_value,
    "brackets": lambda text: _TOLERANT.decode(_with_brackets(text)),
}
"""In this order: each changes less of the text than the next."""
