"""A TOML file as a frozen struct; what does not fit is told by file, key and reason."""

import tomllib
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

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
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error


def convert(table: dict[str, Any], type_: type[_T], where: str) -> _T:
    """`table` as a `type_`; `where` begins the message. Raises ConfigError."""
    for key, known in _unknown(table, type_, ""):
        raise ConfigError(f"{where}: unknown key {key!r}{nearest(key.rpartition('.')[2], known)}")
    try:
        return msgspec.convert(table, type_)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$.")
        key = place.removesuffix("`")
        raise ConfigError(f"{where}: {f'{key!r}: ' if key else ''}{reason}") from error


def nearest(word: str, known: Iterable[str]) -> str:
    """`, did you mean 'x'?`, or the known words where none is near and they are few."""
    words = list(known)
    close = get_close_matches(word, words, n=1, cutoff=0.6)
    if close:
        return f", did you mean {close[0]!r}?"
    return f" (known: {', '.join(sorted(words))})" if 0 < len(words) <= 40 else ""


def _unknown(value: Any, type_: Any, path: str) -> Iterator[tuple[str, list[str]]]:
    """The keys of `value` that `type_` has no field for, each with the fields there are."""
    if not isinstance(value, dict):
        return
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
        fields = {field.encode_name: field.type for field in msgspec.structs.fields(type_)}
        for key, item in value.items():
            if key not in fields:
                yield f"{path}{key}", list(fields)
            else:
                yield from _unknown(item, fields[key], f"{path}{key}.")
    elif get_origin(type_) is dict:
        for key, item in value.items():
            yield from _unknown(item, get_args(type_)[1], f"{path}{key}.")


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else "not UTF-8"
