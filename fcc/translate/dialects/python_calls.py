"""Calls written as Python: `[Read(file_path='/a'), Bash(command="ls")]`.

    PythonCalls: [open] "[" NAME "(" K "=" LITERAL ... ")" ... "]" [close]
    ToolCode:    "```tool_code" line { ["print("] NAME "(" ... ")" [")"] } "```"

They are parsed with ast and never run.
"""

import ast
import re

import msgspec

from fcc.translate.dialects.calls import Calls
from fcc.translate.dialects.tape import MismatchError, Reading, Tape
from fcc.translate.repair import python_value
from fcc.translate.tools import DeclaredTool

__all__ = ["PythonCalls", "ToolCode", "python_list"]

_HEAD = re.compile(r"\[\s*(?:(?P<name>[A-Za-z_][\w.]*)\s*(?P<call>\()?)?")
_HEAD_LIMIT = 300


class PythonCalls(msgspec.Struct, frozen=True):
    """A list of calls that is the whole answer."""

    closes: tuple[str, ...] = ()

    def __call__(self, tape: Tape, calls: Calls) -> Reading[None]:
        """Reads the answer."""
        yield from tape.blanks()
        found = yield from python_list(tape, calls)
        yield from tape.blanks()
        if self.closes:
            yield from tape.option(*self.closes)
            yield from tape.blanks()
        if (yield from tape.peek()):
            raise MismatchError
        calls.add(*found)


def python_list(tape: Tape, calls: Calls) -> Reading[list[tuple[DeclaredTool, object]]]:
    """The calls of a list."""
    yield from _head(tape, calls)
    text, closed = yield from tape.brackets(python=True)
    if not closed:
        raise MismatchError
    tree = _parsed(text)
    if len(tree.body) != 1:
        raise MismatchError
    statement = tree.body[0]
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.List):
        raise MismatchError
    return [_call(node, calls) for node in statement.value.elts]


def _head(tape: Tape, calls: Calls) -> Reading[None]:
    while True:
        window = tape.text[tape.at : tape.at + _HEAD_LIMIT]
        match = _HEAD.match(window)
        if match is not None and match["call"]:
            calls.tool(match["name"])
            return
        whole = match is not None and match.end() == len(window)
        if tape.ended or len(window) == _HEAD_LIMIT or (window and not whole):
            raise MismatchError
        yield


class ToolCode(msgspec.Struct, frozen=True):
    """Gemma's fence with one Python call on each line, as the whole answer."""

    def __call__(self, tape: Tape, calls: Calls) -> Reading[None]:
        """Reads the answer."""
        yield from tape.literal("```tool_code")
        yield from tape.blanks()
        begun = yield from tape.option("print(")
        name = yield from tape.word()
        calls.tool(name)
        rest, closed = yield from tape.until("```")
        yield from tape.blanks()
        if not closed or (yield from tape.peek()):
            raise MismatchError
        found = []
        for statement in _parsed(begun + name + rest).body:
            if not isinstance(statement, ast.Expr):
                raise MismatchError
            found.append(_call(_printed(statement.value), calls))
        if not found:
            raise MismatchError
        calls.add(*found)


def _printed(node: ast.expr) -> ast.expr:
    """What a print() prints, or the node."""
    match node:
        case ast.Call(func=ast.Name(id="print"), args=[inside], keywords=[]):
            return inside
        case _:
            return node


def _parsed(text: str) -> ast.Module:
    try:
        return ast.parse(text.strip())
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise MismatchError from error


def _call(node: ast.expr, calls: Calls) -> tuple[DeclaredTool, object]:
    if not isinstance(node, ast.Call) or node.args:
        raise MismatchError
    tool = calls.tool(ast.unparse(node.func))
    arguments: dict[str, object] = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            raise MismatchError
        try:
            arguments[keyword.arg] = python_value(ast.unparse(keyword.value))
        except ValueError as error:
            raise MismatchError from error
    return tool, arguments
