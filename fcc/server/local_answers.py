"""Trivial calls of Claude Code that need no model, each behind its own switch.

Only what can't be wrong is answered here; anything that does not look exactly like such a call
goes to the provider. Only the last user turn is looked at: what an earlier one said is history.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from fcc.server.shell_words import command_prefix, shown_files
from fcc.settings.config import LocalAnswers
from fcc.translate.tokens import OutputCount
from fcc.wire.events import (
    BlockDelta,
    BlockStart,
    BlockStop,
    Event,
    Message,
    MessageDelta,
    MessageStart,
    MessageStop,
    MessageUsage,
    StopDelta,
    TextBlock,
)
from fcc.wire.messages import Block, MessagesRequest

__all__ = ["LocalAnswer", "local_answer"]

_REMINDER: Final = re.compile(r"<system-reminder>.*?</system-reminder>", re.DOTALL)
_SESSION: Final = re.compile(r"<session>(.*)</session>", re.DOTALL)
_TITLE_WORDS: Final = 7
_NO_TOOLS: Final = (b"", b"[]", b"null")


class LocalAnswer(msgspec.Struct, frozen=True):
    """A text that answers the call."""

    kind: str
    text: str
    stop_reason: str = "end_turn"

    def events(self, message_id: str, model: str) -> list[Event]:
        """The answer as a stream's events."""
        count = OutputCount()
        count.add(self.text)
        usage = MessageUsage(input_tokens=1, output_tokens=count.tokens)
        said: list[Event] = [
            BlockStart(0, TextBlock("")),
            BlockDelta(0, "text_delta", self.text),
            BlockStop(0),
        ]
        return [
            MessageStart(Message(message_id, model, MessageUsage(1, 1))),
            *(said if self.text else []),
            MessageDelta(StopDelta(self.stop_reason), usage),
            MessageStop(),
        ]


def local_answer(asked: MessagesRequest, switches: LocalAnswers) -> LocalAnswer | None:
    """The answer to a trivial call, or None for anything else."""
    last = asked.messages[-1]
    if last.role != "user":
        return None
    if switches.suggestion and _wants_suggestion(last.content):
        # This one alone carries the session's tools: it is forked off the conversation.
        return LocalAnswer("suggestion", "")
    if bytes(asked.tools) not in _NO_TOOLS:
        return None
    text = _text(last.content)
    return next(filter(None, _answers(asked, text, switches)), None)


def _answers(
    asked: MessagesRequest, text: str, switches: LocalAnswers
) -> Iterator[LocalAnswer | None]:
    table: tuple[tuple[bool, Callable[[MessagesRequest, str], LocalAnswer | None]], ...] = (
        (switches.quota, _quota),
        (switches.title, _title),
        (switches.command_prefix, _command_prefix),
        (switches.file_paths, _file_paths),
    )
    return (answer(asked, text) for on, answer in table if on)


def _wants_suggestion(content: str | list[Block] | None) -> bool:
    texts = [content] if isinstance(content, str) else [block.text for block in content or ()]
    return any((text or "").startswith("[SUGGESTION MODE:") for text in texts)


def _quota(asked: MessagesRequest, text: str) -> LocalAnswer | None:
    """One token for the one word "quota": whether there is any."""
    if asked.max_tokens == 1 and len(asked.messages) == 1 and text.strip().lower() == "quota":
        return LocalAnswer("quota", "ok", "max_tokens")
    return None


def _title(asked: MessagesRequest, text: str) -> LocalAnswer | None:
    """The session's title: a json_schema whose one property is a string named title."""
    config = asked.output_config
    shape = (config.format if config else None) or asked.output_format
    schema = shape.schema if shape else None
    properties = schema.get("properties") if schema else None
    if not isinstance(properties, dict) or set(properties) != {"title"}:
        return None
    session = _SESSION.search(text)
    words = _REMINDER.sub(" ", session.group(1) if session else text).split()
    if not words or "title" not in _system_text(asked).lower():
        return None
    title = " ".join(words[:_TITLE_WORDS])[:60].rstrip(" .,:;")
    title = title[:1].upper() + title[1:]
    return LocalAnswer("title", json.dumps({"title": title}, ensure_ascii=False))


def _command_prefix(_asked: MessagesRequest, text: str) -> LocalAnswer | None:
    """The prefix of a shell command by which a person may allow it."""
    if "<policy_spec>" not in text:
        return None
    _, marker, command = text.rpartition("Command:")
    prefix = command_prefix(command.strip()) if marker else None
    return LocalAnswer("command_prefix", prefix) if prefix else None


def _file_paths(asked: MessagesRequest, text: str) -> LocalAnswer | None:
    """Which files a shell command shows."""
    if "<filepaths>" not in text + _system_text(asked):
        return None
    _, marker, rest = text.rpartition("Command:")
    command, output, _ = rest.partition("Output:")
    paths = shown_files(command.strip()) if marker and output else None
    if paths is None:
        return None
    lines = "\n".join(paths)
    shown = str(bool(paths)).lower()
    return LocalAnswer(
        "file_paths",
        f"<is_displaying_contents>\n{shown}\n</is_displaying_contents>\n\n"
        f"<filepaths>\n{lines}\n</filepaths>",
    )


def _system_text(asked: MessagesRequest) -> str:
    return _text(asked.system)


def _text(content: str | list[Block] | None) -> str:
    if isinstance(content, list):
        return "\n".join(block.text for block in content if block.text)
    return content or ""
