"""Calls that are JSON objects `{name, arguments}`, in an envelope or alone.

    JsonCalls: [open] JSON (object or list) { ";" JSON } [close]

A body is read by its brackets and strings, never to a closing tag: arguments may hold that too.
"""

import re
from typing import Any

import msgspec

from fcc.translate.dialects.calls import Calls
from fcc.translate.dialects.python_calls import python_list
from fcc.translate.dialects.tape import MismatchError, Reading, Tape
from fcc.translate.tools import DeclaredTool

__all__ = ["JsonCalls", "end_or", "json_value"]

HEAD_LIMIT = 400
"""Characters in which a call must name its tool, else the rest is read without knowing it."""

_NAMES = ("name", "tool_name", "function")
_ARGUMENTS = ("arguments", "parameters")
_FURTHER = frozenset(("type", "id", "call_id", "tool_call_id", "index"))
_KNOWN = frozenset((*_NAMES, *_ARGUMENTS)) | _FURTHER
_OBJECT = re.compile(r"[\s\[]*\{")
_PAIR = re.compile(
    r"""\s*(?P<quote>["'])(?P<key>\w+)(?P=quote)\s*:\s*"""
    r"""(?:(?P=quote)(?P<text>[^"'\\]*)(?P=quote)|[\w.+-]+)\s*,"""
)
"""A key and a value that is neither object nor list, with the comma after them."""
_KEY = re.compile(
    r"""\s*(?:(?P<quote>["'])(?P<key>\w*)(?:(?P<end>(?P=quote))\s*"""
    r"""(?::\s*(?:(?P<bracket>[{\[])|(?P=quote)(?P<text>[^"'\\]*)(?P<closed>(?P=quote))?)?)?)?)?"""
)
"""As much as there is of a key and the beginning of its value."""


class JsonCalls(msgspec.Struct, frozen=True):
    """`{"name": ..., "arguments": {...}}` in an envelope, or a list of them."""

    opens: tuple[str, ...] = ()
    closes: tuple[str, ...] = ()
    must_close: bool = True
    """After the JSON only `closes`, another `opens` or the end of the answer makes it a call."""
    whole: bool = False
    """No envelope: the answer is nothing else, and the objects have no further keys."""
    keyed: bool = False
    """Objects are `{NAME: arguments}`."""
    python: bool = False
    """The body may be a list of Python calls."""
    after_open: str = ""

    def __call__(self, tape: Tape, calls: Calls) -> Reading[None]:
        """Reads one envelope."""
        if self.opens:
            yield from tape.literal(*self.opens)
        if self.after_open:
            yield from tape.blanks()
            yield from tape.literal(self.after_open)
        found = yield from self._body(tape, calls)
        while True:
            blanks = yield from tape.blanks()
            if not (yield from tape.option(";")):
                break
            found += yield from self._body(tape, calls)
        closed = yield from tape.option(*self.closes)
        if self.whole:
            yield from tape.blanks()
        yield from self._end(tape, closed=closed != "")
        calls.add(*found)
        if not closed:
            tape.unread(blanks)

    def _end(self, tape: Tape, *, closed: bool) -> Reading[None]:
        """Refuses what may not follow."""
        if closed and not self.whole:
            return
        if self.whole and self.must_close and not closed:
            raise MismatchError
        if self.whole:
            yield from end_or(tape)
        elif self.must_close:
            yield from end_or(tape, *self.opens)

    def _body(self, tape: Tape, calls: Calls) -> Reading[list[tuple[DeclaredTool, object]]]:
        yield from tape.blanks()
        if self.python and (yield from _is_python(tape)):
            return (yield from python_list(tape, calls))
        if not self.keyed:
            yield from self._head(tape, calls)
        if not self.whole:
            tape.certain = True
        text, closed = yield from json_value(tape)
        if self.whole and not closed:
            raise MismatchError
        for value in calls.readings(text, ended=not self.whole):
            found = self._calls(value, calls)
            if found:
                return found
        raise MismatchError

    def _head(self, tape: Tape, calls: Calls) -> Reading[None]:
        """Looks at the beginning of the JSON, so that what is none of ours is not waited for."""
        while True:
            window = tape.text[tape.at : tape.at + HEAD_LIMIT]
            head = _OBJECT.match(window)
            if head is None and (window.strip(" \t\r\n[") or tape.ended):
                raise MismatchError
            if head is not None and self._decided(window, head.end(), calls):
                return
            if tape.ended or len(window) == HEAD_LIMIT:
                return
            yield

    def _decided(self, window: str, at: int, calls: Calls) -> bool:
        """Whether the keys from `at` on say enough.

        Raises: MismatchError
        """
        while (pair := _PAIR.match(window, at)) is not None:
            at = pair.end()
            if self._key(pair["key"], pair["text"], calls) and not self.whole:
                return True
        last = _KEY.match(window, at)
        assert last is not None  # an empty match is one
        if last["key"] is None:
            if last.end() < len(window) and window[last.end()] != "}":
                raise MismatchError
            return False
        if not last["end"]:
            if last.end() < len(window):
                raise MismatchError
            return False
        closed = last["text"] if last["closed"] else None
        return self._key(last["key"], closed, calls) or last["bracket"] is not None

    def _key(self, key: str, text: str | None, calls: Calls) -> bool:
        """Refuses a key that a call has not; whether it is the one that names a declared tool."""
        if key not in _KNOWN:
            raise MismatchError
        if key not in _NAMES or text is None:
            return False
        calls.tool(text)
        return not self.whole

    def _calls(self, value: Any, calls: Calls) -> list[tuple[DeclaredTool, object]]:
        entries = value if isinstance(value, list) else [value]
        found = []
        for entry in entries:
            named = self._named(entry)
            if named is None:
                return []
            found.append((calls.tool(named[0]), named[1]))
        return found

    def _named(self, entry: Any) -> tuple[str, object] | None:
        if not isinstance(entry, dict):
            return None
        if self.keyed:
            return next(iter(entry.items())) if len(entry) == 1 else None
        if isinstance(entry.get("function"), dict):
            entry = entry["function"]
        names = [entry[key] for key in _NAMES if key in entry]
        arguments = [entry[key] for key in _ARGUMENTS if key in entry]
        if self.whole and (len(arguments) != 1 or not entry.keys() <= _KNOWN):
            return None
        if len(names) != 1 or not isinstance(names[0], str) or len(arguments) > 1:
            return None
        return names[0], arguments[0] if arguments else None


def json_value(tape: Tape) -> Reading[tuple[str, bool]]:
    """The text of an object or list, and whether all its brackets are closed."""
    if (yield from tape.peek()) not in {"{", "["}:
        raise MismatchError
    return (yield from tape.brackets())


def _is_python(tape: Tape) -> Reading[bool]:
    while re.fullmatch(r"\[\s*", tape.text[tape.at : tape.at + 20]) and not tape.ended:
        yield
    return re.match(r"\[\s*[A-Za-z_]", tape.text[tape.at : tape.at + 20]) is not None


def end_or(tape: Tape, *literals: str) -> Reading[None]:
    """Refuses anything here but one of `literals` or the end of the answer."""
    if (yield from tape.peek()) and not (yield from tape.ahead(*literals)):
        raise MismatchError
