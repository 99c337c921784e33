"""Calls whose arguments are a tree with marks of its own: MiniMax M3 and the Gemmas.

    TagTree:  P<tool_call> { P<invoke name="N"> { P<K> V P</K> } P</invoke> } P</tool_call>
    MarkTree: open "call:" NAME "{" K ":" V { "," K ":" V } "}" close

where V is text, or the same again: nested tags, `[...]` or `{...}`.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from fcc.translate.dialects.calls import Calls
from fcc.translate.dialects.tape import MAX_DEPTH, MismatchError, Reading, Tape
from fcc.translate.dialects.values import strip_newline, typed
from fcc.translate.dialects.xml_calls import Tag

__all__ = ["MarkTree", "TagTree"]

_INVOKE = Tag("<invoke", attribute="name")
_SCALAR_END = re.compile(r"[,\]}]")
_MAX_SCALAR = 64
"""Characters of a number or a word."""


class TagTree(msgspec.Struct, frozen=True):
    """Every structural tag carries `prefix`; tags without it are text."""

    prefix: str

    def __call__(self, tape: Tape, calls: Calls) -> Reading[None]:
        """Reads a section of calls, or a call that stands alone."""
        begin, end = f"{self.prefix}{_INVOKE.start}", f"{self.prefix}</tool_call>"
        section = f"{self.prefix}<tool_call>"
        if (yield from tape.literal(section, begin)) == section:
            yield from tape.blanks()
            yield from tape.literal(begin)
        begun = begin
        while begun == begin:
            yield from self._call(tape, calls)
            yield from tape.blanks()
            begun = yield from tape.option(begin, end)
        if begun == end:
            tape.commit()

    def _call(self, tape: Tape, calls: Calls) -> Reading[None]:
        name, _attributes = yield from _INVOKE.read(tape)
        tool = calls.tool(name)
        arguments: dict[str, Any] = {}
        yield from tape.blanks()
        yield from tape.literal(self.prefix)
        while not (yield from tape.option("</invoke>")):
            key = yield from self._name(tape)
            arguments[key] = yield from self._value(tape, key, tool.properties.get(key), 0)
            yield from tape.blanks()
            yield from tape.literal(self.prefix)
        calls.add((tool, arguments))

    def _name(self, tape: Tape) -> Reading[str]:
        yield from tape.literal("<")
        return (yield from tape.header(">"))

    def _value(self, tape: Tape, key: str, schema: object, depth: int) -> Reading[Any]:
        if depth > MAX_DEPTH:
            raise MismatchError
        children: list[tuple[str, Any]] = []
        text, closed = yield from tape.until(self.prefix)
        while not (yield from tape.option(f"</{key}>")):
            if not closed or text.strip():
                raise MismatchError
            name = yield from self._name(tape)
            inner = _inner_schema(schema, name)
            children.append((name, (yield from self._value(tape, name, inner, depth + 1))))
            text, closed = yield from tape.until(self.prefix)
        if not children:
            return typed(strip_newline(text), schema)
        if all(name == "item" for name, _value in children):
            return [value for _name, value in children]
        if len(dict(children)) < len(children):
            raise MismatchError
        return dict(children)


def _inner_schema(schema: object, name: str) -> object:
    if not isinstance(schema, Mapping):
        return None
    if name == "item":
        return schema.get("items")
    properties = schema.get("properties")
    return properties.get(name) if isinstance(properties, Mapping) else None


class MarkTree(msgspec.Struct, frozen=True):
    """Bare keys, and strings between `quote` marks that nothing inside can be mistaken for."""

    opens: str
    closes: tuple[str, ...]
    quote: str

    def __call__(self, tape: Tape, calls: Calls) -> Reading[None]:
        """Reads one call."""
        yield from tape.literal(self.opens)
        yield from tape.blanks()
        yield from tape.literal("call:")
        tool = calls.tool((yield from tape.word()))
        yield from tape.blanks()
        yield from tape.literal("{")
        arguments = yield from self._fields(tape, 0)
        yield from tape.blanks()
        if not (yield from tape.option(*self.closes)) and (yield from tape.peek()):
            raise MismatchError
        calls.add((tool, arguments))

    def _fields(self, tape: Tape, depth: int) -> Reading[dict[str, Any]]:
        fields: dict[str, Any] = {}
        yield from tape.blanks()
        while not (yield from tape.option("}")):
            if (yield from tape.option(self.quote)):
                key, _closed = yield from tape.until(self.quote)
                yield from tape.literal(":")
            else:
                key = (yield from tape.header(":")).strip().strip('"')
            fields[key] = yield from self._value(tape, depth)
            yield from self._comma(tape, "}")
        return fields

    def _items(self, tape: Tape, depth: int) -> Reading[list[Any]]:
        items: list[Any] = []
        yield from tape.blanks()
        while not (yield from tape.option("]")):
            items.append((yield from self._value(tape, depth)))
            yield from self._comma(tape, "]")
        return items

    def _comma(self, tape: Tape, close: str) -> Reading[None]:
        yield from tape.blanks()
        if not (yield from tape.option(",")) and not (yield from tape.ahead(close)):
            raise MismatchError
        yield from tape.blanks()

    def _value(self, tape: Tape, depth: int) -> Reading[Any]:
        if depth > MAX_DEPTH:
            raise MismatchError
        yield from tape.blanks()
        begun = yield from tape.option(self.quote, "{", "[")
        if begun == self.quote:
            return (yield from self._string(tape))
        if begun == "{":
            return (yield from self._fields(tape, depth + 1))
        if begun == "[":
            return (yield from self._items(tape, depth + 1))
        return (yield from self._scalar(tape))

    def _string(self, tape: Tape) -> Reading[str]:
        parts: list[str] = []
        while True:
            part, closed = yield from tape.until(self.quote)
            if not closed:
                raise MismatchError
            parts.append(part)
            blanks = yield from tape.blanks()
            if (yield from tape.ahead(",", "}", "]")):
                return "".join(parts)
            parts += (self.quote, blanks)

    def _scalar(self, tape: Tape) -> Reading[Any]:
        while True:
            window = tape.text[tape.at : tape.at + _MAX_SCALAR]
            end = _SCALAR_END.search(window)
            if end is not None:
                tape.at += end.start()
                return typed(window[: end.start()].strip(), None)
            if tape.ended or len(window) == _MAX_SCALAR:
                raise MismatchError
            yield
