"""Calls whose arguments are tags: one machine for all of them, told by data what the tags are.

    [section] { call NAME { parameter K [attributes] V parameter end } call end } [section end]

A value is raw text. Its end counts only where the grammar can go on after it, so a value may hold
the closing tag itself, or a whole call.
"""

import re
from itertools import product
from typing import Any

import msgspec

from fcc.translate.dialects.calls import Calls
from fcc.translate.dialects.named_calls import arguments_value
from fcc.translate.dialects.tape import MismatchError, Reading, Tape, begins
from fcc.translate.dialects.values import strip_newline, typed
from fcc.translate.fits import allowed_types
from fcc.translate.tools import DeclaredTool

__all__ = ["Tag", "XmlCalls"]

_ATTRIBUTE = re.compile(r"""\s*([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_CDATA = "<![CDATA["
_QUOTES = frozenset("'\"`")
_ARGUMENT_TYPES = frozenset(("string", "number", "integer", "boolean", "object", "array", "null"))


class Tag(msgspec.Struct, frozen=True):
    """An opening tag: what it begins and ends with, and how it says its name between."""

    start: str
    end: str = ">"
    """"" where the name ends by itself."""
    attribute: str = ""
    """The attribute that holds the name; "" where the name stands alone."""

    def read(self, tape: Tape) -> Reading[tuple[str, dict[str, str]]]:
        """The name and the other attributes; `start` is read already."""
        if not self.end:
            yield from tape.blanks()
            return (yield from tape.word()), {}
        inside = yield from tape.header(self.end)
        if not self.attribute:
            if re.search(r"[<>={}()]", inside):
                raise MismatchError
            return inside.strip().strip("\"'"), {}
        attributes = {
            match[1]: match[2] or match[3] or match[4] or ""
            for match in _ATTRIBUTE.finditer(inside)
        }
        if not attributes.get(self.attribute):
            raise MismatchError
        return attributes[self.attribute], attributes


class XmlCalls(msgspec.Struct, frozen=True):
    """One dialect's tags."""

    call: Tag
    call_ends: tuple[str, ...]
    parameter: Tag
    parameter_end: str
    sections: tuple[str, ...] = ()
    section_ends: tuple[str, ...] = ()
    fillers: tuple[str, ...] = ()
    """Tokens without meaning that may stand before and after a call."""
    after_name: str = ""
    type_tag: Tag | None = None
    """The tag that may say a value's type, where it has one of its own."""
    before_value: str = ""
    cdata: bool = False
    json_body: bool = False
    """Instead of parameters there may be a JSON object."""
    open_end: bool = False
    """No call end is needed, and the last value may be open at the end of the answer."""
    value_end_missing: bool = False
    """A last value may end with its call only."""
    nested: bool = True
    """A value that holds the beginning of a call goes on to that call's end."""

    def __call__(self, tape: Tape, calls: Calls) -> Reading[None]:
        """Reads a section of calls, or a call that stands alone."""
        begun = yield from tape.literal(*self.sections, *self.fillers, self.call.start)
        made = False
        while True:
            if begun == self.call.start:
                yield from self._call(tape, calls)
                made = True
            elif made:
                tape.commit()
                if begun in self.section_ends:
                    return
            yield from tape.blanks()
            begun = yield from tape.option(self.call.start, *self.fillers, *self.section_ends)
            if not begun or (begun in self.section_ends and not made):
                if not made:
                    raise MismatchError
                return

    def _call(self, tape: Tape, calls: Calls) -> Reading[None]:
        name, _attributes = yield from self.call.read(tape)
        tool = calls.tool(name)
        if self.after_name:
            yield from tape.option(self.after_name)
        arguments: dict[str, Any] = {}
        blanks = yield from tape.blanks()
        while True:
            begun = yield from tape.option(
                self.parameter.start, *self.call_ends, *self.section_ends
            )
            if begun == self.parameter.start:
                blanks, over = yield from self._parameter(tape, tool, arguments)
                if over:
                    calls.add((tool, arguments))
                    tape.unread(blanks)
                    return
            elif begun:
                calls.add((tool, arguments))
                return
            elif self.json_body and not arguments and (yield from tape.peek()) == "{":
                arguments = yield from arguments_value(tape, calls)
                blanks = yield from tape.blanks()
            else:
                yield from self._without_end(tape, arguments)
                calls.add((tool, arguments))
                tape.unread(blanks)
                return

    def _without_end(self, tape: Tape, arguments: dict[str, Any]) -> Reading[None]:
        """Lets a call pass that has no end of its own, where one may be missing."""
        at_end = not (yield from tape.peek())
        if at_end and (arguments or self.open_end):
            return
        if not self.open_end:
            raise MismatchError
        if not arguments and not (yield from tape.ahead(*self.sections, self.call.start)):
            raise MismatchError

    def _parameter(
        self, tape: Tape, tool: DeclaredTool, arguments: dict[str, Any]
    ) -> Reading[tuple[str, bool]]:
        """Reads one parameter; the white space after it, and whether its call ended with it."""
        key, attributes = yield from self.parameter.read(tape)
        if self.before_value:
            yield from tape.blanks()
            if self.type_tag and (yield from tape.option(self.type_tag.start)):
                attributes["type"] = (yield from tape.header(self.type_tag.end)).strip()
                yield from tape.blanks()
            yield from tape.literal(self.before_value)
        if self.cdata and (yield from tape.option(_CDATA)):
            raw, closed = yield from tape.until("]]>" + self.parameter_end)
            if not closed:
                raise MismatchError
            blanks, over = (yield from tape.blanks()), False
        else:
            raw, blanks, over = yield from self._value(tape)
        value = typed(raw, _schema(tool, key, attributes))
        if arguments.setdefault(key, value) != value:
            raise MismatchError
        return blanks, over

    def _value(self, tape: Tape) -> Reading[tuple[str, str, bool]]:
        """A value, the white space after its end, and whether the call's end came with it."""
        parts: list[str] = []
        depth = 0
        while True:
            part, mark = yield from tape.until(self.parameter_end, self.call.start, *self.call_ends)
            parts.append(part)
            if not mark and not self.open_end:
                raise MismatchError
            if not mark:
                return strip_newline(self._cut("".join(parts)), trailing=False), "", False
            blanks = ""
            if mark == self.call.start:
                depth += self.nested
            elif depth and mark in self.call_ends:
                depth -= 1
            elif not depth:
                blanks = yield from tape.blanks()
                if mark == self.parameter_end and (yield from self._goes_on(tape, blanks)):
                    return self._plausible("".join(parts)), blanks, False
                if mark in self.call_ends and (yield from self._is_over(tape)):
                    return self._plausible("".join(parts)), blanks, True
            parts += (mark, blanks)

    def _is_over(self, tape: Tape) -> Reading[bool]:
        """Whether a call's end may stand for a value's, too."""
        if not self.value_end_missing:
            return False
        return not (yield from tape.peek()) or (yield from tape.ahead(*self.section_ends))

    def _plausible(self, value: str) -> str:
        """The value, unless it has swallowed the end of its own call and the next one."""
        if not self.nested:
            for call_end, section_end in product(self.call_ends, self.section_ends):
                if re.search(rf"{re.escape(call_end)}\s*+{re.escape(section_end)}", value):
                    raise MismatchError
        return strip_newline(value)

    def _goes_on(self, tape: Tape, blanks: str) -> Reading[bool]:
        following = yield from tape.peek()
        if self.open_end:
            return bool(blanks) or following not in _QUOTES
        if not following:
            return True
        return (yield from tape.ahead(self.parameter.start, *self.call_ends, *self.section_ends))

    def _cut(self, value: str) -> str:
        """An open last value without a half-written end: what is left of it must be an end."""
        at = begins(value, 0, self.parameter_end)
        return value[:at] if len(value) - at >= MIN_HALF_END else value


MIN_HALF_END = 3
"""Characters: `</p` ends a value that was cut there, `<` may be part of a command."""


def _schema(tool: DeclaredTool, key: str, attributes: dict[str, str]) -> object:
    """The declared schema of a parameter; where it is silent, what the tag itself says."""
    schema = tool.properties.get(key)
    if allowed_types(schema):
        return schema
    if attributes.get("string") == "true":
        return {"type": "string"}
    if attributes.get("type") in _ARGUMENT_TYPES:
        return {"type": attributes["type"]}
    return schema
