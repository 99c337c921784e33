"""Native tool calls: `tool_calls` deltas in any disorder -> calls with a name and arguments.

The rules, and who makes each necessary:

1. An entry is put right first: id "" or "null" is none (DashScope, Mistral, TGI); an index that
   is no int >= 0 is none (Gemini sends none, SGLang -1); arguments given as an object become
   JSON text (MiniMax); tokens that leaked into a name are taken off (LM Studio).
2. Without a name an entry continues a call: that of its index, else that of its id, else the
   latest. LM Studio sends a fresh id with every fragment.
3. With a name it may repeat the current one (minimax-m2.7 on NIM), complete a split one (Gemini
   gateways), or begin a new call under an index in use (ai-dynamo/dynamo#4723).
"""

import re
from collections import defaultdict
from collections.abc import Callable, Container, Iterator, Sequence
from functools import cached_property

from fcc.translate.pieces import Arguments, Piece, ToolCall, ToolCallEnd, ToolCallExtra
from fcc.translate.reply.arguments import ArgumentStream
from fcc.translate.reply.verbatim import VerbatimStream
from fcc.translate.tools import DeclaredTool
from fcc.wire.chat import Function, ToolCallDelta
from fcc.wire.events import encode

__all__ = ["MendCall", "ToolCallAssembler"]

MendCall = Callable[[str, DeclaredTool | None], tuple[str, str] | None]
"""Broken arguments and the tool they are for -> mended JSON object and the repair's name."""

_LEAKED = re.compile(r"^(?:\[[A-Z_]+\]|<\|[^|>]*\|>|functions\.)+")


class _Entry:
    """One delta, put right."""

    __slots__ = ("arguments", "extra", "id", "index", "name")

    def __init__(self, delta: ToolCallDelta, declared: Container[str]) -> None:
        function = delta.function or Function()
        index = delta.index
        self.index = index if type(index) is int and index >= 0 else None
        self.id = delta.id if delta.id not in ("", "null") else None
        self.name = _name(function.name, declared)
        self.arguments = _text(function.arguments)
        extra = delta.extra_content
        self.extra = extra if bytes(extra) not in (b"", b"null") else None


class _Call:
    """A call as it comes together."""

    __slots__ = ("arguments", "ended", "extra", "id", "index", "name", "number", "opened")

    def __init__(
        self, number: int, entry: _Entry, arguments: ArgumentStream | VerbatimStream
    ) -> None:
        self.number = number
        self.index = entry.index
        self.id = entry.id
        self.name = entry.name
        self.extra = entry.extra
        self.arguments = arguments
        self.opened = False
        self.ended = False


class ToolCallAssembler:
    """`feed(tool_calls) -> pieces`, `finish(clean) -> pieces`.

    Without `mend` arguments are passed on exactly as they were written.
    """

    def __init__(
        self,
        tools: Sequence[DeclaredTool],
        numbers: Iterator[int],
        *,
        live: bool = True,
        mend: MendCall | None = lambda _text, _tool: None,
    ) -> None:
        self._declared = tools
        self._numbers = numbers
        self._live = live
        self._mend = mend
        self._calls: list[_Call] = []
        self.repairs: defaultdict[str, int] = defaultdict(int)
        """What had to be done to arguments by the end of the answer, by name."""

    @cached_property
    def _tools(self) -> dict[str, DeclaredTool]:
        """By name; made at the first call, as most answers have none."""
        return {tool.name: tool for tool in self._declared}

    def feed(self, deltas: Sequence[ToolCallDelta]) -> list[Piece]:
        """What the entries of one chunk add."""
        pieces: list[Piece] = []
        for delta in deltas:
            entry = _Entry(delta, self._tools)
            hollow = delta.function is None and entry.id is None
            if hollow and entry.extra is None:
                continue
            call = self._find(entry)
            if call is None and hollow:
                continue
            if call is None:
                call = self._open(entry)
            else:
                self._join(call, entry, pieces)
            self._advance(call, entry.arguments, pieces)
        return pieces

    def finish(self, *, clean: bool) -> list[Piece]:
        """The end of the answer. Not clean: it was cut, and calls that are not whole stay so."""
        pieces: list[Piece] = []
        for call in self._calls:
            if call.name and not call.ended:
                self._end(call, pieces, clean=clean)
            for text in call.arguments.further() if call.name else ():
                pieces += self._whole(call.name or "", text)
            if call.arguments.repair:
                self.repairs[call.arguments.repair] += 1
        return pieces

    def _open(self, entry: _Entry) -> _Call:
        stream = VerbatimStream if self._mend is None else ArgumentStream
        call = _Call(next(self._numbers), entry, stream(live=self._live))
        self._calls.append(call)
        return call

    def _find(self, entry: _Entry) -> _Call | None:
        """The call that the entry continues, or None where it begins one."""
        same_id = self._latest(lambda call: entry.id is not None and call.id == entry.id)
        same_index = self._latest(
            lambda call: entry.index is not None and call.index == entry.index
        )
        if entry.name is None:
            latest = self._calls[-1] if self._calls and entry.index is None else None
            return same_index or same_id or latest
        if same_id is not None:
            return same_id
        if entry.index is None:
            latest = self._calls[-1] if self._calls else None
            return latest if latest is not None and _continues(latest, entry) else None
        if same_index is not None and self._same(same_index, entry):
            return same_index
        return None

    def _same(self, call: _Call, entry: _Entry) -> bool:
        """Whether a named entry under the call's index still means that call."""
        if call.name is None or call.name == entry.name:
            other = call.id is not None and entry.id is not None and call.id != entry.id
            return not (call.name and call.arguments.closed and other)
        return call.name not in self._tools and self._begins(call.name + (entry.name or ""))

    def _begins(self, name: str) -> bool:
        return any(declared.startswith(name) for declared in self._tools)

    def _latest(self, fits: Callable[[_Call], bool]) -> _Call | None:
        return next((call for call in reversed(self._calls) if fits(call)), None)

    def _join(self, call: _Call, entry: _Entry, pieces: list[Piece]) -> None:
        call.id = call.id or entry.id
        if entry.extra is not None and call.extra is None:
            call.extra = entry.extra
            if call.opened:
                pieces.append(ToolCallExtra(call.number, entry.extra))
        if entry.name is None or entry.name == call.name:
            return
        if call.name is None:
            call.name = entry.name
        elif not call.opened:
            call.name += entry.name

    def _advance(self, call: _Call, fragment: str, pieces: list[Piece]) -> None:
        text = call.arguments.feed(fragment)
        if not call.opened and self._settled(call):
            call.opened = True
            pieces.append(ToolCall(call.number, call.name or "", call.id, call.extra))
            text = call.arguments.said()
        if not call.opened or call.ended:
            return
        if text:
            pieces.append(Arguments(call.number, text))
        if call.arguments.whole:
            call.ended = True
            pieces.append(ToolCallEnd(call.number))

    def _settled(self, call: _Call) -> bool:
        """Whether the call's name is certain enough to be told."""
        return call.name in self._tools or (call.name is not None and call.arguments.started)

    def _end(self, call: _Call, pieces: list[Piece], *, clean: bool) -> None:
        if not call.opened:
            call.opened = True
            pieces.append(ToolCall(call.number, call.name or "", call.id, call.extra))
            if said := call.arguments.said():
                pieces.append(Arguments(call.number, said))
        tool, mend = self._tools.get(call.name or ""), self._mend
        rest, valid = call.arguments.finish(
            lambda text: mend(text, tool) if mend else None, clean=clean
        )
        if rest:
            pieces.append(Arguments(call.number, rest))
        if clean or valid:
            call.ended = True
            pieces.append(ToolCallEnd(call.number))

    def _whole(self, name: str, text: str) -> list[Piece]:
        number = next(self._numbers)
        return [ToolCall(number, name), Arguments(number, text), ToolCallEnd(number)]


def _continues(call: _Call, entry: _Entry) -> bool:
    """Whether an entry with a name and no index goes on with the latest call."""
    if call.name is None:
        return True
    return (
        call.name == entry.name
        and entry.id is None
        and call.arguments.started
        and not call.arguments.closed
    )


def _name(name: str | None, declared: Container[str]) -> str | None:
    if not name or name in declared:
        return name or None
    bare = _LEAKED.sub("", name.strip())
    return bare if bare in declared else name


def _text(arguments: object) -> str:
    if isinstance(arguments, str):
        return arguments
    return "" if arguments is None else encode(arguments).decode()
