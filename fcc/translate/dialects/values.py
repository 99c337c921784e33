"""What does a value mean that a model wrote as text, given the schema declared for it?"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from fcc.translate.fits import allowed_types, type_of
from fcc.translate.repair import decode, encode, python_value
from fcc.translate.tools import DeclaredTool

__all__ = ["arguments_object", "coerced", "strip_newline", "typed"]

_LEADING = re.compile(r"\A\r?\n")
_TRAILING = re.compile(r"\r?\n\Z")
_INTEGER = re.compile(r"[+-]?\d+(?:\.0+)?")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_BOOLEANS = {"true": True, "false": False}
_NULLS = frozenset(("null", "none"))


def strip_newline(raw: str, *, trailing: bool = True) -> str:
    """`raw` without the one newline that a tag may be followed and preceded by."""
    raw = _LEADING.sub("", raw, count=1)
    return _TRAILING.sub("", raw, count=1) if trailing else raw


def typed(raw: str, schema: object) -> Any:
    """`raw` as the first type its schema allows and its text can mean; else as the string it is.

    A schema that names no type allows all of them.
    """
    types = allowed_types(schema)
    if types == {"string"}:
        return raw
    for name, read in _READERS.items():
        if types and name not in types:
            continue
        try:
            return read(raw.strip())
        except ValueError:
            continue
    return raw


def _null(text: str) -> None:
    if text.lower() not in _NULLS:
        raise ValueError(text)


def _integer(text: str) -> int:
    if len(text) > 40 or not _INTEGER.fullmatch(text):
        raise ValueError(text)
    return int(text.partition(".")[0])


def _number(text: str) -> float | int:
    if len(text) > 40 or not _NUMBER.fullmatch(text):
        raise ValueError(text)
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise ValueError(text)
    return int(text) if text.lstrip("+-").isdigit() else number


def _boolean(text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise ValueError(text)
    return _BOOLEANS[text.lower()]


def _container(kind: type, brackets: str) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        if text[:1] + text[-1:] != brackets:
            raise ValueError(text)
        try:
            value = decode(text)
        except ValueError:
            value = python_value(text)
        if isinstance(value, kind):
            return value
        raise ValueError(text)

    return read


_READERS: dict[str, Callable[[str], Any]] = {
    "null": _null,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "object": _container(dict, "{}"),
    "array": _container(list, "[]"),
}


def coerced(arguments: Mapping[str, Any], tool: DeclaredTool) -> dict[str, Any]:
    """`arguments` with values of the wrong type turned into the declared one where both mean the
    same: "20" for an integer, 404 for a string; a null that is optional and not allowed goes.
    """
    result: dict[str, Any] = {}
    for name, value in arguments.items():
        schema = tool.properties.get(name)
        types = allowed_types(schema)
        if value is None and types and "null" not in types and not _required(name, tool):
            continue
        result[name] = _coerce(value, schema, types)
    return result


def _required(name: str, tool: DeclaredTool) -> bool:
    required = tool.schema.get("required")
    return isinstance(required, list) and name in required


def _coerce(value: Any, schema: object, types: frozenset[str]) -> Any:
    if not types or type_of(value) in types:
        return value
    if isinstance(value, str):
        return typed(value, schema)
    if type(value) in {int, float} and types == {"string"}:
        return encode(value)
    return value


def arguments_object(value: Any) -> dict[str, Any] | None:
    """The object that a call's arguments are, if it is one: as such, as JSON text, or left out."""
    if isinstance(value, str) and value.strip():
        try:
            value = decode(value)
        except ValueError:
            return None
    if value is None or value == "":
        return {}
    return value if isinstance(value, dict) else None
