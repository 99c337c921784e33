"""Decoded chunks into pieces: which field says what, and in which order.

Of one chunk the reasoning comes first, then the text, then the calls. A provider that has a
reasoning field means the content to be text: think tags are then something it talks about.
"""

from collections.abc import Iterable
from functools import lru_cache
from itertools import count

import msgspec

from fcc.diagnosis.verdict import Source, finish_error
from fcc.settings.profile import Reply
from fcc.translate.context import Context
from fcc.translate.dialects.scanner import Scanner
from fcc.translate.dialects.table import DEFAULT
from fcc.translate.pieces import Failure, Piece, Reasoning, Text, Usage
from fcc.translate.repair import mend
from fcc.translate.reply.calls import ToolCallAssembler
from fcc.translate.reply.fields import reasoning_of, text_of_items
from fcc.translate.reply.finish import ERRORS, TRUNCATED, finish
from fcc.translate.reply.think import ThinkSplitter
from fcc.translate.reply.usage import find_usage, usage
from fcc.wire.chat import Choice, Chunk, Delta, TokenUsage

__all__ = ["ChunkReader"]

IN_REASONING = frozenset({"kimi_k2", "kimi_k3"})
"""Dialects whose calls are looked for in the reasoning too (vllm-project/vllm#33646)."""


class ChunkReader:
    """`feed(chunk) -> pieces`; `finish()` at a normal end, `abort()` at any other."""

    def __init__(self, source: Source, reply: Reply, context: Context) -> None:
        self._source = source
        self._reply = reply
        self._stop_sequences = context.stop_sequences
        tools = context.known_tools
        numbers = count()
        self._think = ThinkSplitter(
            reply.think_tags,
            implicit_open=reply.implicit_think_open,
            anywhere=reply.think_anywhere,
        )
        dialects = _dialects(reply.dialects) if tools else ()
        self._text = Scanner(
            dialects, tools, numbers, whole_message=not context.begun, repair=reply.repair
        )
        leaks = tuple(name for name in dialects if name in IN_REASONING)
        self._reasoning = (
            Scanner(leaks, tools, numbers, whole_message=False, repair=reply.repair)
            if leaks
            else None
        )
        self._calls = ToolCallAssembler(
            tools, numbers, live=reply.tool_arguments == "live", mend=mend if reply.repair else None
        )
        self._plain = False
        """Whether no tag is looked for in the text any more."""
        self._native_reasoning = False
        self._native_calls = False
        self._end: tuple[str, Choice | None] | None = None
        self._usage: TokenUsage | None = None
        self.said = False
        """Whether any output has been passed on."""
        self.heard = False
        """Whether any has come: it may be held, as it could begin a tag or a call."""

    @property
    def repairs(self) -> dict[str, int]:
        """What was recovered or mended so far, by name."""
        repairs = dict(self._calls.repairs)
        for scanner in (self._text, self._reasoning):
            for name, number in scanner.repairs.items() if scanner is not None else ():
                repairs[name] = repairs.get(name, 0) + number
        return repairs

    @property
    def finished(self) -> bool:
        """Whether a finish_reason has come."""
        return self._end is not None

    def feed(self, chunk: Chunk) -> list[Piece]:
        """The pieces of one chunk; a Failure as the last where its finish_reason is an error."""
        counts = find_usage(chunk)
        if counts is not None:
            self._usage = counts
            if not chunk.choices and self.said and self._end is None:
                # Servers count at the end: an answer with its bill is whole, even without a
                # finish_reason.
                self._end = ("", None)
        pieces: list[Piece] = []
        for choice in chunk.choices or ():
            if choice.index not in (0, None):
                continue
            # MiniMax ends its stream with a frame that repeats the whole message.
            delta = choice.delta or (None if self.said else choice.message)
            if delta is not None:
                self._delta(delta, pieces)
            if choice.finish_reason or choice.native_finish_reason:
                self._finish_reason(choice, pieces)
        return pieces

    def say(self, text: str) -> list[Piece]:
        """The pieces of chunks that say text and nothing else."""
        self.heard = True
        if self._plain:
            pieces = self._text.feed(text)
        else:
            # Once it is, it stays so.
            self._plain = self._think.idle
            pieces = []
            self._reasons(self._think.feed(text), pieces)
        self.said = self.said or bool(pieces)
        return pieces

    def finish(self) -> list[Piece]:
        """What is held, the usage and the end. Call it once, at [DONE] or the body's end."""
        reason, choice = self._end or ("", None)
        end = finish(reason, choice, self._stop_sequences)
        truncated = end.stop_reason in TRUNCATED
        pieces = self._rest(clean=not truncated, truncated=truncated)
        return [*pieces, *self._counts(), end]

    def abort(self) -> list[Piece]:
        """What is held and certain, and the usage, when the answer broke off.

        Where nothing has been said, what is held is not said either: another attempt may follow.
        """
        held = self._rest(clean=False, truncated=False) if self.said else []
        return [*held, *self._counts()]

    def _rest(self, *, clean: bool, truncated: bool) -> list[Piece]:
        pieces: list[Piece] = []
        self._reasons(self._think.finish(truncated=truncated), pieces)
        if self._reasoning is not None:
            pieces += _as_reasoning(self._reasoning.finish(clean=clean, truncated=truncated))
        pieces += self._text.finish(clean=clean, truncated=truncated)
        pieces += self._calls.finish(clean=clean)
        return pieces

    def _counts(self) -> list[Usage]:
        return [] if self._usage is None else [usage(self._usage)]

    def _delta(self, delta: Delta, pieces: list[Piece]) -> None:
        said = len(pieces)
        reasoning, details = reasoning_of(delta, self._reply.reasoning)
        if reasoning or details:
            self._reason(reasoning, details, pieces)
        content = delta.content
        self.heard = self.heard or bool(
            content or reasoning or details or delta.refusal or delta.tool_calls
        )
        if content:
            if isinstance(content, str):
                self._say(content, pieces)
            else:
                self._parts(content, pieces)
        if delta.refusal:
            self._say(delta.refusal, pieces)
        if delta.tool_calls:
            self._call(delta, pieces)
        self.said = self.said or len(pieces) > said

    def _say(self, text: str, pieces: list[Piece]) -> None:
        """Answer text: through the think tags, then through the dialects."""
        if self._think.idle:
            pieces += self._text.feed(text)
        else:
            self._reasons(self._think.feed(text), pieces)

    def _reasons(self, split: Iterable[Piece], pieces: list[Piece]) -> None:
        for piece in split:
            if isinstance(piece, Text):
                pieces += self._text.feed(piece.text)
            elif isinstance(piece, Reasoning):
                self._reason(piece.text, (), pieces, native=False)

    def _reason(
        self,
        text: str,
        details: tuple[msgspec.Raw, ...],
        pieces: list[Piece],
        *,
        native: bool = True,
    ) -> None:
        if native and text and not self._native_reasoning:
            self._native_reasoning = True
            self._reasons(self._think.release(), pieces)
        if text and self._reasoning is not None:
            pieces += _as_reasoning(self._reasoning.feed(text))
            text = ""
        if text or details:
            pieces.append(Reasoning(text, details))

    def _parts(self, content: object, pieces: list[Piece]) -> None:
        """Content as a list of parts: Mistral's thinking, Azure's text."""
        for part in content if isinstance(content, list) else ():
            if not isinstance(part, dict):
                continue
            if isinstance(part.get("text"), str):
                self._say(part["text"], pieces)
            thinking = part.get("thinking")
            if isinstance(thinking, list):
                entry = msgspec.Raw(msgspec.json.encode(part))
                self._reason(text_of_items(thinking), (entry,), pieces)
            elif isinstance(thinking, str):
                self._reason(thinking, (), pieces)

    def _call(self, delta: Delta, pieces: list[Piece]) -> None:
        called = self._calls.feed(delta.tool_calls or ())
        if called and not self._native_calls:
            # A server that parses calls may leak a copy of them as text: native wins.
            self._native_calls = True
            pieces += self._text.release()
            if self._reasoning is not None:
                pieces += _as_reasoning(self._reasoning.release())
        pieces += called

    def _finish_reason(self, choice: Choice, pieces: list[Piece]) -> None:
        reason = choice.finish_reason or ""
        native = (choice.native_finish_reason or "").lower()
        if native in ERRORS and not self.heard:
            reason = native
        if reason.lower() in ERRORS:
            pieces += self.abort()
            pieces.append(Failure(finish_error(self._source, reason)))
        elif reason:
            self._end = (reason, choice)


@lru_cache(maxsize=64)
def _dialects(names: tuple[str, ...]) -> tuple[str, ...]:
    """`names` with "default" spelled out, each once."""
    spelled = (part for name in names for part in (DEFAULT if name == "default" else (name,)))
    return tuple(dict.fromkeys(spelled))


def _as_reasoning(pieces: Iterable[Piece]) -> list[Piece]:
    """Text that a scanner of reasoning gives back is reasoning."""
    return [Reasoning(piece.text) if isinstance(piece, Text) else piece for piece in pieces]
