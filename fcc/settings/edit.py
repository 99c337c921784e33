"""How is a person's TOML file changed without losing their comments, order and layout?

What is there is changed in place by tomlkit. What is not goes where a person would put it: on
the line that shows it behind a #, as the shipped examples do, else behind its like.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from fcc.errors import ConfigError
from fcc.settings.places import replacing

__all__ = ["backup", "edited", "write"]


def edited(text: str, changes: Mapping[str, Any], where: str) -> str:
    """`text` with each dotted key of `changes` set, or taken out where the value is None.

    A part may be quoted: `models."claude-*"` has two. Raises ConfigError.
    """
    try:
        tables = tomllib.loads(text)
        wanted = dict(_flat(changes))
        plain = _changed(text, wanted, where)
        placed = _changed(_with_places(text, tables, wanted), wanted, where)
    except (tomllib.TOMLDecodeError, TOMLKitError) as error:
        raise ConfigError(f"{where}: not TOML: {error}") from error
    # Places are found line by line; a text inside a string can look like one.
    return placed if tomllib.loads(placed) == tomllib.loads(plain) else plain


def _flat(changes: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Dotted keys -> their parts."""
    for key, value in changes.items():
        parts = []
        place: Any = tomllib.loads(f"{key} = 0")
        while isinstance(place, dict):
            ((name, place),) = place.items()
            parts.append(name)
        yield tuple(parts), value


def _changed(text: str, wanted: Mapping[tuple[str, ...], Any], where: str) -> str:
    document = tomlkit.parse(text)
    for (*path, last), value in wanted.items():
        table: Any = document
        for part in path:
            if part not in table:
                table[part] = tomlkit.table()
            table = table[part]
            if not isinstance(table, dict):
                raise ConfigError(f"{where}: {part!r} is no table")
        if value is None:
            table.pop(last, None)
        else:
            table[last] = value
    return tomlkit.dumps(document)


def _with_places(
    text: str, tables: Mapping[str, Any], wanted: Mapping[tuple[str, ...], Any]
) -> str:
    """The text with a line for every new key of the root, and a header for every new table."""
    lines = text.splitlines()
    for (first, *rest), value in wanted.items():
        if first in tables or value is None:
            continue
        if rest:
            lines = [f"[{first}]" if _behind_a_hash(f"[{first}]", line) else line for line in lines]
        else:
            end = next((n for n, line in enumerate(lines) if re.match(r"\s*\[", line)), len(lines))
            lines[:end] = _placed(lines[:end], first, is_all=end == len(lines))
    return "\n".join(lines) + "\n" if lines else ""


def _placed(root: list[str], key: str, *, is_all: bool) -> list[str]:
    """The lines before the first table, with one more for the key; its value comes later."""
    line = f"{key} = 0"
    for number, text in enumerate(root):
        if _behind_a_hash(key, text.split("=")[0].rstrip()) and "=" in text:
            return [*root[:number], line, *root[number + 1 :]]
    last = max(
        (n for n, text in enumerate(root) if "=" in text and text.lstrip()[0] != "#"), default=-1
    )
    if last >= 0:
        return [*root[: last + 1], line, *root[last + 1 :]]
    if is_all:
        return [*root, line]
    # The comment right above the first table belongs to the table.
    end = len(root)
    while end and root[end - 1].startswith("#"):
        end -= 1
    return [*root[:end], line, "", *root[end:]] if end else [line, "", *root]


def _behind_a_hash(words: str, line: str) -> bool:
    return line.startswith("#") and line[1:].removeprefix(" ") == words


def backup(path: Path) -> Path:
    """A copy beside the file, under the first name that is free. Raises ConfigError."""
    copy, number = path.with_name(f"{path.name}.bak"), 1
    while copy.exists():
        number += 1
        copy = path.with_name(f"{path.name}.bak{number}")
    try:
        write(copy, path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: can't be copied: {error}") from error
    return copy


def write(path: Path, text: str) -> None:
    """Write the file at once and whole, for its owner alone. Raises ConfigError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A file that is a link, into a person's dotfiles for example, stays one.
        with replacing(path.resolve()) as file:
            file.write(text.encode())
    except OSError as error:
        raise ConfigError(f"{path}: can't be written: {error.strerror}") from error
