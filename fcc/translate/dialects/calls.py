"""What becomes of a call that a grammar has read?"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fcc.translate.dialects.names import Names
from fcc.translate.dialects.tape import MismatchError, Tape
from fcc.translate.dialects.values import arguments_object, coerced
from fcc.translate.fits import fits
from fcc.translate.pieces import Arguments, Piece, Reasoning, Text, ToolCall, ToolCallEnd
from fcc.translate.repair import encode, readings
from fcc.translate.tools import DeclaredTool

__all__ = ["Calls"]


class Calls:
    """Pieces of the calls that grammars find, for tools that were declared and take them."""

    def __init__(
        self,
        tools: Sequence[DeclaredTool],
        numbers: Iterator[int],
        tape: Tape,
        *,
        repair: bool = True,
    ) -> None:
        self.names = Names(tools)
        self.dialect = ""
        """Whose grammar is reading."""
        self.recovered: defaultdict[str, int] = defaultdict(int)
        self.committed = False
        """Whether the reading at work has said anything."""
        self.speaking = False
        """A channel's text is being read: all of it is to be said."""
        self.in_channels = False
        """The answer is written in channels."""
        self.may_speak = True
        """Nothing but white space, or channels, came before."""
        self._pieces: list[Piece] = []
        self._numbers = numbers
        self._tape = tape
        self._repair = repair
        self._mended: list[str] = []
        """The repairs of what the reading at work has read, by name."""

    def begin(self, dialect: str) -> None:
        """A grammar of `dialect` is about to read."""
        self.dialect = dialect
        self.committed = self.speaking = False
        self._mended.clear()

    def take(self) -> list[Piece]:
        """What was said since it was last asked."""
        pieces, self._pieces = self._pieces, []
        return pieces

    def tool(self, name: str) -> DeclaredTool:
        """The declared tool of that name; from here on what is read counts as a call.

        Raises: MismatchError
        """
        tool = self.names.find(name)
        if tool is None:
            raise MismatchError
        self._tape.certain = True
        return tool

    def readings(self, text: str, *, ended: bool = True) -> Iterator[Any]:
        """What JSON `text` may mean, the likeliest first; where nothing is mended, as it stands."""
        for repair, value in readings(text, ended=ended):
            if repair and not self._repair:
                return
            names = [repair] if repair else []
            self._mended += names
            yield value
            # The grammar wants another reading.
            del self._mended[len(self._mended) - len(names) :]

    def add(self, *calls: tuple[DeclaredTool, object]) -> None:
        """Says the calls, all or none, and uses up what was read.

        Raises: MismatchError
        """
        checked = [(tool, self._checked(tool, arguments)) for tool, arguments in calls]
        for tool, arguments in checked:
            number = next(self._numbers)
            self._pieces += (
                ToolCall(call=number, name=tool.name),
                Arguments(call=number, text=encode(arguments)),
                ToolCallEnd(call=number),
            )
        self.recovered[self.dialect] += len(checked)
        for repair in self._mended:
            self.recovered[repair] += 1
        self._mended.clear()
        self.committed = True
        self._tape.commit()

    def say(self, kind: type[Text] | type[Reasoning], text: str) -> None:
        """Says text, and uses up what was read."""
        if text:
            self._pieces.append(kind(text))
        self.committed = True
        self._tape.commit()

    @staticmethod
    def _checked(tool: DeclaredTool, arguments: object) -> Mapping[str, Any]:
        found = arguments_object(arguments)
        if found is None:
            raise MismatchError
        result = coerced(found, tool)
        if not fits(result, tool.schema):
            raise MismatchError
        return result
