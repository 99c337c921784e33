"""Answers in channels: what is thought, what is said and what is called, each under a header.

    Harmony: [<|start|>assistant[ to=NAME]] <|channel|>NAME[ to=NAME][ <|constrain|>json]<|message|>
             BODY (<|end|> | <|call|> | <|return|>)
    Spans:   <|open|>response<|sep|> BODY <|close|>response<|sep|>

A body that is no call is said while it comes.
"""

import re

import msgspec

from fcc.translate.dialects.calls import Calls
from fcc.translate.dialects.named_calls import arguments_value
from fcc.translate.dialects.tape import MismatchError, Reading, Tape, begins
from fcc.translate.pieces import Reasoning, Text

__all__ = ["Harmony", "Spans"]

_CHANNEL = re.compile(r"<\|channel\|>\s*(analysis|commentary|final)\b")
_RECIPIENT = re.compile(r"\bto=\s*([\w.\-:]+)")
_MESSAGE_ENDS = ("<|end|>", "<|call|>", "<|return|>")
_NEXT = ("<|start|>", "<|channel|>")


class Harmony(msgspec.Struct, frozen=True):
    """gpt-oss's own format."""

    def __call__(self, tape: Tape, calls: Calls) -> Reading[None]:
        """Reads messages as long as they follow one another."""
        begun = True
        while begun:
            yield from self._message(tape, calls)
            yield from tape.blanks()
            begun = yield from tape.ahead(*_NEXT)

    def _message(self, tape: Tape, calls: Calls) -> Reading[None]:
        opened = yield from tape.literal(*_NEXT)
        header = opened + (yield from tape.header("<|message|>"))
        channel = _CHANNEL.search(header)
        recipient = _RECIPIENT.search(header)
        if channel is None:
            raise MismatchError
        if recipient is not None and channel[1] != "final":
            tool = calls.tool(recipient[1])
            yield from tape.blanks()
            arguments = yield from arguments_value(tape, calls)
            yield from tape.blanks()
            if not (yield from tape.option(*_MESSAGE_ENDS)) and (yield from tape.peek()):
                raise MismatchError
            calls.add((tool, arguments))
            return
        if not calls.may_speak:
            raise MismatchError
        kind = Reasoning if channel[1] == "analysis" else Text
        yield from say_until(tape, calls, kind, (*_MESSAGE_ENDS, *_NEXT), keep=_NEXT)


class Spans(msgspec.Struct, frozen=True):
    """Kimi K3's response and think spans."""

    def __call__(self, tape: Tape, calls: Calls) -> Reading[None]:
        """Reads one span."""
        yield from tape.literal("<|open|>")
        name = yield from tape.literal("response<|sep|>", "think<|sep|>")
        if not calls.may_speak:
            raise MismatchError
        kind = Reasoning if name.startswith("think") else Text
        close = f"<|close|>{name}"
        yield from say_until(tape, calls, kind, (close, "<|open|>"), keep=("<|open|>",))


def say_until(
    tape: Tape,
    calls: Calls,
    kind: type[Text] | type[Reasoning],
    ends: tuple[str, ...],
    *,
    keep: tuple[str, ...],
) -> Reading[None]:
    """Says text as it comes, up to one of `ends`; those in `keep` stay unread."""
    calls.speaking = calls.in_channels = True
    pattern = re.compile("|".join(map(re.escape, ends)))
    while True:
        match = pattern.search(tape.text, tape.at)
        if match is not None:
            end = match.start()
        elif tape.ended:
            end = len(tape.text)
        else:
            end = min(begins(tape.text, tape.at, literal) for literal in ends)
        said = tape.text[tape.at : end]
        tape.at = end
        calls.say(kind, said)
        if match is not None and match[0] not in keep:
            tape.at = match.end()
            tape.commit()
        if match is not None or tape.ended:
            calls.speaking = False
            return
        yield
