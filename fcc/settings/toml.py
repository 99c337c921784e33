"""A TOML file as a frozen struct; what does not fit is told by file, key and reason."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec

from fcc.errors import ConfigError

__all__ = ["convert", "nearest", "read", "read_table", "read_text"]

_T = TypeVar("_T", bound=msgspec.Struct)


def read_table(path: Path) -> dict[str, Any]:
    """The file's tables as they are. Raises ConfigError."""
    return _table(read_text(path), path)


def read_text(path: Path) -> str:
    """The file's text. Raises ConfigError."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: can't be read: {_reason(error)}") from error


def read(path: Path, type_: type[_T], text: str | None = None) -> _T:
    """The file, or the `text` that was read from it, as a `type_`. Raises ConfigError."""
    table = _table(read_text(path) if text is None else text, path)
    return convert(table, type_, str(path))


def _table(text: str, path: Path) -> dict[str, Any]:
    # Imported here: it takes 2 ms, and many a command reads no file.
    import tomllib  # noqa: PLC0415

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error


def convert(table: dict[str, Any], type_: type[_T], where: str) -> _T:
    """`table` as a `type_`; `where` begins the message. Raises ConfigError."""
    try:
        return msgspec.convert(table, type_)
    except msgspec.ValidationError as error:
        for key, known in _unknown(table, type_, ""):
            hint = nearest(key.rpartition(".")[2], known)
            raise ConfigError(f"{where}: unknown key {key!r}{hint}") from error
        key, reason = _misfit(table, type_, "", str(error))
        raise ConfigError(f"{where}: {f'{key!r}: ' if key else ''}{reason}") from error


def nearest(word: str, known: Iterable[str]) -> str:
    """`, did you mean 'x'?`, or the known words where none is near and they are few."""
    # Imported here: it costs every command 2 ms, and few are mistyped.
    from difflib import get_close_matches  # noqa: PLC0415

    words = list(known)
    close = get_close_matches(word, words, n=1, cutoff=0.6)
    if close:
        return f", did you mean {close[0]!r}?"
    return f" (known: {', '.join(sorted(words))})" if 0 < len(words) <= 40 else ""


def _unknown(value: Any, type_: Any, path: str) -> Iterator[tuple[str, list[str]]]:
    """The keys of `value` that `type_` has no field for, each with the fields there are."""
    fields = _fields(type_) if isinstance(value, dict) else {}
    for key in value if fields else ():
        if key not in fields:
            yield f"{path}{key}", list(fields)
    for key, item, type_of_item in _inner(value, type_):
        yield from _unknown(item, type_of_item, f"{path}{key}.")


def _misfit(value: Any, type_: Any, key: str, words: str) -> tuple[str, str]:
    """The innermost key of what is wrong, and the reason; `words` are msgspec's of `value`."""
    for name, item, type_of_item in _inner(value, type_):
        try:
            msgspec.convert(item, type_of_item)
        except msgspec.ValidationError as error:
            return _misfit(item, type_of_item, f"{key}.{name}" if key else name, str(error))
    return key, words.partition(" - at `$")[0]


def _inner(value: Any, type_: Any) -> Iterator[tuple[str, Any, Any]]:
    """Name, value and type of each thing in a table or list that `type_` says something of."""
    if isinstance(value, list):
        inner = [get_args(one)[0] for one in _members(type_) if get_origin(one) is list]
        for number, item in enumerate(value if inner else ()):
            yield str(number), item, inner[0]
    if not isinstance(value, dict):
        return
    fields = _fields(type_)
    tables = [get_args(one)[1] for one in _members(type_) if get_origin(one) is dict]
    for key, item in value.items():
        if key in fields:
            yield key, item, fields[key]
        elif tables and not fields:
            yield key, item, tables[0]


def _fields(type_: Any) -> dict[str, Any]:
    """The fields of the struct that `type_` is, or may be; {} where it is none."""
    for one in _members(type_):
        if isinstance(one, type) and issubclass(one, msgspec.Struct):
            return {field.encode_name: field.type for field in msgspec.structs.fields(one)}
    return {}


def _members(type_: Any) -> tuple[Any, ...]:
    return get_args(type_) if get_origin(type_) in (Union, UnionType) else (type_,)


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else "not UTF-8"
