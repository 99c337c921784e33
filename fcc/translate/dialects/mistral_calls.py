"""Calls of Mistral's newer tokenizers, whole and as LM Studio leaves them.

[TOOL_CALLS] NAME ["[CALL_ID]" ID] ["[ARGS]"] JSON        (token: anywhere)
NAME "[ARGS]" JSON { NAME "[ARGS]" JSON }                 (no token: the whole answer)
<function=NAME (">" | "=" | ...) JSON "</function>"       (Llama 3.1, Groq)
"""

import msgspec

from fcc.translate.dialects.calls import Calls
from fcc.translate.dialects.named_calls import arguments_value
from fcc.translate.dialects.tape import MismatchError, Reading, Tape
from fcc.translate.tools import DeclaredTool

__all__ = ["BareArgs", "FunctionTag", "MistralCall"]


class MistralCall(msgspec.Struct, frozen=True):
    """A token, a name, its arguments."""

    def __call__(self, tape: Tape, calls: Calls) -> Reading[None]:
        """Reads one call."""
        yield from tape.literal("[TOOL_CALLS]")
        yield from tape.blanks()
        calls.add((yield from _call(tape, calls, must_mark=False)))


class BareArgs(msgspec.Struct, frozen=True):
    """Without the token: only the mark between name and arguments tells it from prose."""

    def __call__(self, tape: Tape, calls: Calls) -> Reading[None]:
        """Reads the answer."""
        found: list[tuple[DeclaredTool, object]] = []
        while not found or (yield from tape.peek()):
            found.append((yield from _call(tape, calls, must_mark=True)))
            yield from tape.blanks()
        calls.add(*found)


def _call(tape: Tape, calls: Calls, *, must_mark: bool) -> Reading[tuple[DeclaredTool, object]]:
    name = yield from tape.word()
    tool = calls.tool(name) if not must_mark else calls.names.find(name)
    if (yield from tape.option("[CALL_ID]")):
        yield from tape.word()
    marked = yield from tape.option("[ARGS]")
    if tool is None or (must_mark and not marked):
        raise MismatchError
    tape.certain = True
    yield from tape.blanks()
    return tool, (yield from arguments_value(tape, calls))


class FunctionTag(msgspec.Struct, frozen=True):
    """A tag that holds JSON. Llama varies what stands between name and JSON."""

    def __call__(self, tape: Tape, calls: Calls) -> Reading[None]:
        """Reads one call."""
        yield from tape.literal("<function=")
        tool = calls.tool((yield from tape.word()))
        yield from tape.blanks()
        yield from tape.option(">", "=", "(", ",")
        yield from tape.blanks()
        arguments = yield from arguments_value(tape, calls)
        yield from tape.blanks()
        yield from tape.option(")")
        yield from tape.option(">")
        yield from tape.blanks()
        ended = yield from tape.option("</function>", "<function>", "<|eom_id|>", "<|eot_id|>")
        if not ended and (yield from tape.peek()):
            raise MismatchError
        calls.add((tool, arguments))
