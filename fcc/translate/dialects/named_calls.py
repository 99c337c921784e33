"""Calls with a name before their arguments.

NamedCalls: [section] { begin NAME separator [fence] JSON [fence] [end] } [section end]
"""

from typing import Any

import msgspec

from fcc.translate.dialects.calls import Calls
from fcc.translate.dialects.json_calls import end_or, json_value
from fcc.translate.dialects.tape import MismatchError, Reading, Tape

__all__ = ["NamedCalls", "arguments_value"]


class NamedCalls(msgspec.Struct, frozen=True):
    """A name between tokens, then its arguments as JSON."""

    begins: tuple[str, ...]
    separator: str
    """Between name and arguments."""
    ends: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    section_ends: tuple[str, ...] = ()
    wrapped_in: str = ""
    """The key of the JSON that holds the arguments; "" where it is the arguments."""

    def __call__(self, tape: Tape, calls: Calls) -> Reading[None]:
        """Reads a section of calls, or a call that stands alone."""
        if (yield from tape.literal(*self.begins, *self.sections)) in self.sections:
            yield from tape.blanks()
            yield from tape.literal(*self.begins)
        while True:
            yield from self._call(tape, calls)
            yield from tape.blanks()
            begun = yield from tape.option(*self.begins, *self.section_ends)
            if begun in self.section_ends:
                tape.commit()
            if begun not in self.begins:
                return

    def _call(self, tape: Tape, calls: Calls) -> Reading[None]:
        head = yield from tape.header(self.separator)
        yield from tape.blanks()
        if (yield from tape.peek()) not in {"{", "["}:
            # DeepSeek V3 and R1 write "function" first, and the JSON in a code fence.
            head = yield from tape.word()
            yield from tape.blanks()
            yield from tape.option("```json", "```")
            yield from tape.blanks()
        tool = None if head.strip().strip(":").isdigit() else calls.tool(head)
        arguments: Any = yield from arguments_value(tape, calls)
        if self.wrapped_in:
            arguments = arguments.get(self.wrapped_in)
        yield from tape.blanks()
        yield from tape.option("```")
        blanks = yield from tape.blanks()
        ended = yield from tape.option(*self.ends)
        if not ended:
            yield from end_or(tape, *self.begins, *self.section_ends)
        tool = tool or calls.names.fit(arguments)
        if tool is None:
            raise MismatchError
        calls.add((tool, arguments))
        if not ended:
            tape.unread(blanks)


def arguments_value(tape: Tape, calls: Calls) -> Reading[dict[str, Any]]:
    """A call's arguments: a JSON object, mended where that is safe."""
    text, _closed = yield from json_value(tape)
    for value in calls.readings(text):
        if isinstance(value, dict):
            return value
    raise MismatchError
