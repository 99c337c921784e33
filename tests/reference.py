"""config/REFERENCE.md: every option and variable, with what the code's own docstrings say of it."""

import ast
import inspect
import json
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import click
import msgspec

from fcc.cli.main import _COMMANDS
from fcc.settings.config import Config
from fcc.settings.files import Providers, shipped_dir
from fcc.settings.profile import Profile

FURTHER = {
    "FCC_AUTH_TOKEN": "What clients must send; takes the place of `auth_token`. Also in fcc.env.",
    "FCC_CLAUDE": "The program that `fcc claude` starts, where it is not `claude` on the PATH.",
    "FCC_CONFIG_DIR": "The folder of config.toml, fcc.env and providers/.",
    "FCC_STATE_DIR": "The folder of the log, of what the doctor found, and of word of daemons.",
    "FCC_SERVICE": "Set by fcc's own units: `user` or `system`.",
    "NO_COLOR": "If set, no output has colour.",
    "HTTPS_PROXY": "The proxy for providers; `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` as usual.",
    "SSL_CERT_FILE": "Certificates that are trusted in the place of the system's.",
}
"""Variables that stand for no option."""


def config_reference() -> str:
    return "\n".join(_tables(Config, ""))


def profile_reference() -> str:
    return "\n".join(_tables(Profile, ""))


def environment_reference() -> str:
    rows = ["| variable | option | meaning |", "|---|---|---|"]
    options = dict(_options())
    for name in sorted({*options, *FURTHER}):
        words, meaning = options.get(name, ("", ""))
        rows.append(f"| `{name}` | {words} | {_cell(FURTHER.get(name, meaning))} |")
    providers = Providers(shipped_dir() / "providers")
    for name in providers.names:
        profile = providers.get(name)
        for variable in filter(None, re.split(r"\s*,\s*", profile.api_key_env)):
            optional = ", if it wants one" if profile.api_key_optional else ""
            rows.append(f"| `{variable}` | | {profile.label}'s key{optional}. Also in fcc.env. |")
    return "\n".join(rows)


def _options() -> Iterator[tuple[str, tuple[str, str]]]:
    """Variable -> the options that it stands for, and their help."""
    found: dict[str, dict[str, str]] = {}
    for command in _COMMANDS:
        module = import_module(f"fcc.cli.{command}")
        for option in _all_options(vars(module)[command]):
            words = ", ".join(f"`{word}`" for word in option.opts if word.startswith("--"))
            found.setdefault(str(option.envvar), {}).setdefault(words, option.help or "")
    for name, options in found.items():
        yield name, (", ".join(options), max(options.values(), key=len))


def _all_options(command: click.Command) -> Iterator[click.Option]:
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.envvar:
            yield parameter
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            yield from _all_options(inner)


def _tables(struct: Any, path: str) -> Iterator[str]:
    """A table of this struct's own keys, then one for each struct inside."""
    fields = msgspec.structs.fields(struct)
    rows = [_row(struct, field) for field in fields if _is_value(field.type)]
    if rows:
        yield from ["| key | type | default | meaning |", "|---|---|---|---|", *rows]
    inside = {_struct_in(field.type): field for field in reversed(fields)}
    for below, field in reversed(inside.items()):
        if below is not None:
            place = f"{path}{field.encode_name}{_PATTERN if get_origin(field.type) is dict else ''}"
            yield from ["", f"### `[{place}]`", "", _first(below), ""]
            yield from _tables(below, f"{place}.")


_PATTERN = '."PATTERN"'


def _row(struct: Any, field: msgspec.structs.FieldInfo) -> str:
    meaning = _cell(_meanings(struct)[field.name])
    return f"| `{field.encode_name}` | {_type(field.type)} | {_default(field)} | {meaning} |"


def _struct_in(type_: Any) -> Any:
    """The struct that `type_` is, or that is in it; None: there is none."""
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
        return type_
    return next(filter(None, map(_struct_in, get_args(type_))), None)


def _is_value(type_: Any) -> bool:
    """Whether something else than a table of its own may stand there."""
    if get_origin(type_) in (Union, UnionType):
        return any(_is_value(one) for one in get_args(type_) if one is not NoneType)
    if get_origin(type_) in (dict, list):
        return _is_value(get_args(type_)[-1])
    return not _struct_in(type_)


_NAMES = {str: "string", int: "whole number", float: "number", bool: "true or false"}


def _type(type_: Any) -> str:
    origin, inner = get_origin(type_), get_args(type_)
    if origin is Literal:
        return ", ".join(f'`"{word}"`' for word in inner)
    if origin in (Union, UnionType):
        return " or ".join(_type(one) for one in inner if one is not NoneType)
    if origin is dict:
        return f"table of {_many(inner[1])}"
    if origin in (tuple, list):
        return f"list of {_many(inner[0])}"
    return _NAMES.get(type_, "table")


def _many(type_: Any) -> str:
    if type_ is Any:
        return "anything"
    if get_origin(type_) in (Union, UnionType):
        return " or ".join(map(_many, get_args(type_)))
    words = _type(type_)
    first, of, rest = words.partition(" of ")
    return f"{first}s{of}{rest}"


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.default is not msgspec.NODEFAULT:
        value = field.default
    elif field.default_factory is not msgspec.NODEFAULT:
        value = field.default_factory()
    else:
        return "required"
    return "" if value is None else f"`{json.dumps(value)}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _first(struct: Any) -> str:
    return _cell((inspect.getdoc(struct) or "").partition("\n\n")[0])


@cache
def _meanings(struct: Any) -> dict[str, str]:
    """Field -> the string that stands below it in the class."""
    meanings: dict[str, str] = {}
    for one in reversed(struct.__mro__):
        if not issubclass(one, msgspec.Struct) or one is msgspec.Struct:
            continue
        source = Path(inspect.getfile(one)).read_text("utf-8")
        body = next(
            node.body
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.ClassDef) and node.name == one.__name__
        )
        for field, text in pairwise(body):
            if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
                continue
            if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
                meanings[field.target.id] = str(text.value.value)
    return meanings
