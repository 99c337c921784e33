"""JSON from the outside: strict and fast where it is well formed, forgiving where it is not.

Providers send numbers for strings and nulls anywhere, and clients send lone surrogates
(anthropics/claude-code#44230), which msgspec refuses. Neither may cost an answer.
"""

import json
from typing import Any, TypeVar, get_args, get_origin

import msgspec

__all__ = ["decode", "loads", "salvage"]

_T = TypeVar("_T", bound=msgspec.Struct)
_UNTYPED: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


def loads(data: bytes) -> Any:
    """Any JSON value; lone surrogates become U+FFFD, a byte order mark is dropped.

    Raises ValueError (of which msgspec's and json's errors are kinds) or RecursionError.
    """
    try:
        return _UNTYPED.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _scrub(json.loads(data.decode("utf-8-sig", "replace")))


def decode(data: bytes, decoder: msgspec.json.Decoder[_T], type_: type[_T]) -> _T:
    """`data` as `type_`; a field of the wrong type is left out rather than all of them lost.

    Raises ValueError or RecursionError for what is no JSON at all.
    """
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return salvage(loads(data), type_)


def salvage(value: Any, type_: type[_T]) -> _T:
    """`value` as a struct `type_`, leaving out what does not fit. Raises ValueError."""
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError:
        if not isinstance(value, dict):
            raise
    kept = {}
    for field in msgspec.structs.fields(type_):
        if field.encode_name in value:
            fit = _fit(value[field.encode_name], field.type)
            if fit is not msgspec.UNSET:
                kept[field.name] = fit
    return type_(**kept)


def _fit(value: Any, type_: Any) -> Any:
    """`value` as `type_`, or UNSET. Looks into optional structs and lists of structs."""
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError:
        for part in (type_, *get_args(type_)):
            if part is msgspec.Raw:
                return msgspec.Raw(msgspec.json.encode(value))
            if (
                isinstance(part, type)
                and issubclass(part, msgspec.Struct)
                and isinstance(value, dict)
            ):
                return salvage(value, part)
            if get_origin(part) is list and isinstance(value, list):
                fits = (_fit(item, get_args(part)[0]) for item in value)
                return [fit for fit in fits if fit is not msgspec.UNSET and fit is not None]
    return msgspec.UNSET


def _scrub(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_scrub(item) for item in value]
    if isinstance(value, dict):
        return {_scrub(key): _scrub(item) for key, item in value.items()}
    return value
