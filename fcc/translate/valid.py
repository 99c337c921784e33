"""Where does a JSON value not satisfy a JSON Schema, if anywhere?

Judged is what structured outputs may ask for and what costs no more than a look:
https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs. Other keywords are taken as
satisfied, among them `format`, which is an annotation by the standard, and `pattern`, as a regular
expression that a client chose may take for ever.
"""

import operator
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

import msgspec

from fcc.translate.fits import type_of

__all__ = ["misfit"]

_MOST_LOOKS = 20_000
"""At a part of the value beside a part of the schema: references can double with every step."""


def misfit(value: object, schema: object) -> str:
    """The first place that does not fit, and why, as `$.items[2].price: must be ...`; "": it fits."""
    try:
        return next(_Judge(schema).problems(value, schema, "$"), "")
    except RecursionError:
        return ""


class _Judge:
    """`problems(value, schema, at)`: what is wrong, told one by one."""

    def __init__(self, root: object) -> None:
        self._root = root
        self._looks = 0

    @property
    def tired(self) -> bool:
        """Whether it has stopped looking: that a schema fits tells nothing from here on."""
        return self._looks > _MOST_LOOKS

    def problems(self, value: object, schema: object, at: str) -> Iterator[str]:
        """`at` is where the value stands."""
        self._looks += 1
        if self.tired:
            return
        if schema is False:
            yield f"{at}: must not be there"
        if not isinstance(schema, dict):
            return
        for keyword, wanted in schema.items():
            rule = _RULES.get(keyword)
            if rule is not None:
                yield from rule(value, wanted, schema, at)
            elif keyword in _PARTS:
                yield from _PARTS[keyword](self, value, wanted, schema, at)

    def fits(self, value: object, schema: object) -> bool:
        """Whether nothing is wrong."""
        return next(self.problems(value, schema, ""), None) is None

    def referred(self, reference: object) -> object:
        """The schema that a `$ref` into the same document means; True, which all fits, for others."""
        if not isinstance(reference, str) or f"{reference}/"[:2] != "#/":
            return True
        place: object = self._root
        for part in reference[1:].split("/")[1:]:
            name = unquote(part).replace("~1", "/").replace("~0", "~")
            if not isinstance(place, dict) or name not in place:
                return True
            place = place[name]
        return place


# What a keyword asks of the value itself


def _type(value: object, wanted: Any, _: dict[str, Any], at: str) -> Iterator[str]:
    names = [wanted] if isinstance(wanted, str) else wanted
    if isinstance(names, list) and names and not any(_is_of(value, name) for name in names):
        yield f"{at}: must be {' or '.join(map(str, names))}, not {type_of(value)}"


def _is_of(value: object, name: object) -> bool:
    if name == "number":
        return type(value) in (int, float)
    if name == "integer" and type(value) is float:
        return value.is_integer()
    return type_of(value) == name


def _enum(value: object, wanted: Any, _: dict[str, Any], at: str) -> Iterator[str]:
    if isinstance(wanted, list) and not any(_same(value, one) for one in wanted):
        yield f"{at}: must be one of {_shown(wanted)}"


def _const(value: object, wanted: Any, _: dict[str, Any], at: str) -> Iterator[str]:
    if not _same(value, wanted):
        yield f"{at}: must be {_shown(wanted)}"


def _same(one: object, other: object) -> bool:
    """Equal as JSON: true is not 1, and 1 is 1.0."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return one == other


def _shown(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _required(value: object, wanted: Any, _: dict[str, Any], at: str) -> Iterator[str]:
    if isinstance(value, dict) and isinstance(wanted, list):
        names = (name for name in wanted if isinstance(name, str) and name not in value)
        yield from (f"{at}: {name!r} is missing" for name in names)


_Measure = Callable[[object], float | None]


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _size(kind: type[str] | type[list[Any]] | type[dict[str, Any]]) -> _Measure:
    return lambda value: len(value) if isinstance(value, kind) else None


def _bound(measure: _Measure, fits: Callable[[float, float], bool], words: str) -> "_Rule":
    def rule(value: object, wanted: Any, _: dict[str, Any], at: str) -> Iterator[str]:
        measured, limit = measure(value), _number(wanted)
        if measured is not None and limit is not None and not fits(measured, limit):
            yield f"{at}: {words.format(wanted)}"

    return rule


_Rule = Callable[[object, Any, dict[str, Any], str], Iterator[str]]

_RULES: dict[str, _Rule] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "required": _required,
    "minimum": _bound(_number, operator.ge, "must be at least {}"),
    "maximum": _bound(_number, operator.le, "must be at most {}"),
    "exclusiveMinimum": _bound(_number, operator.gt, "must be more than {}"),
    "exclusiveMaximum": _bound(_number, operator.lt, "must be less than {}"),
    "minLength": _bound(_size(str), operator.ge, "must have at least {} characters"),
    "maxLength": _bound(_size(str), operator.le, "must have at most {} characters"),
    "minItems": _bound(_size(list), operator.ge, "must have at least {} items"),
    "maxItems": _bound(_size(list), operator.le, "must have at most {} items"),
    "minProperties": _bound(_size(dict), operator.ge, "must have at least {} properties"),
    "maxProperties": _bound(_size(dict), operator.le, "must have at most {} properties"),
}


# What a keyword asks of parts of the value, or by way of other schemas


def _properties(
    judge: _Judge, value: object, wanted: Any, _: dict[str, Any], at: str
) -> Iterator[str]:
    if isinstance(value, dict) and isinstance(wanted, dict):
        for name, item in value.items():
            if name in wanted:
                yield from judge.problems(item, wanted[name], f"{at}.{name}")


def _additional(
    judge: _Judge, value: object, wanted: Any, schema: dict[str, Any], at: str
) -> Iterator[str]:
    named = schema.get("properties")
    if not isinstance(value, dict) or "patternProperties" in schema:
        return
    for name, item in value.items():
        if not isinstance(named, dict) or name not in named:
            yield from judge.problems(item, wanted, f"{at}.{name}")


def _items(
    judge: _Judge, value: object, wanted: Any, schema: dict[str, Any], at: str
) -> Iterator[str]:
    if isinstance(wanted, list):
        # The older way to write prefixItems.
        yield from _prefix_items(judge, value, wanted, schema, at)
        return
    first = schema.get("prefixItems")
    begin = len(first) if isinstance(first, list) else 0
    for number, item in enumerate(value if isinstance(value, list) else ()):
        if number >= begin:
            yield from judge.problems(item, wanted, f"{at}[{number}]")


def _prefix_items(
    judge: _Judge, value: object, wanted: Any, _: dict[str, Any], at: str
) -> Iterator[str]:
    if isinstance(value, list) and isinstance(wanted, list):
        for number, (item, schema) in enumerate(zip(value, wanted, strict=False)):
            yield from judge.problems(item, schema, f"{at}[{number}]")


def _all_of(judge: _Judge, value: object, wanted: Any, _: dict[str, Any], at: str) -> Iterator[str]:
    for schema in wanted if isinstance(wanted, list) else ():
        yield from judge.problems(value, schema, at)


def _any_of(judge: _Judge, value: object, wanted: Any, _: dict[str, Any], at: str) -> Iterator[str]:
    if isinstance(wanted, list) and wanted and not any(judge.fits(value, one) for one in wanted):
        firsts = (next(judge.problems(value, one, at), "") for one in wanted)
        yield f"{at}: fits none of anyOf ({'; or '.join(filter(None, firsts))})"


def _one_of(judge: _Judge, value: object, wanted: Any, _: dict[str, Any], at: str) -> Iterator[str]:
    if isinstance(wanted, list) and wanted:
        fitting = sum(judge.fits(value, one) for one in wanted)
        if fitting != 1 and not judge.tired:
            yield f"{at}: must fit exactly one schema of oneOf, and fits {fitting}"


def _not(judge: _Judge, value: object, wanted: Any, _: dict[str, Any], at: str) -> Iterator[str]:
    if judge.fits(value, wanted) and not judge.tired:
        yield f"{at}: must not fit the schema of not"


def _ref(judge: _Judge, value: object, wanted: Any, _: dict[str, Any], at: str) -> Iterator[str]:
    yield from judge.problems(value, judge.referred(wanted), at)


_Part = Callable[[_Judge, object, Any, dict[str, Any], str], Iterator[str]]

_PARTS: dict[str, _Part] = {
    "properties": _properties,
    "additionalProperties": _additional,
    "items": _items,
    "prefixItems": _prefix_items,
    "allOf": _all_of,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "not": _not,
    "$ref": _ref,
}
