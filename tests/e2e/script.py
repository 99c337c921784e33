"""What the scripted model knows of the conversation that reached it, and what it can say.

A cue in the newest user text that bears one picks the script, `[play NAME option=value ...]`, so
that nothing but the conversation itself has to survive the way through a gateway. The step is
counted from the conversation too: how many answers with tool calls follow the cue. A request
without a cue is a side request (a title, a classifier) and gets a plain "OK".

Options are the business of whoever reads them: scripts (`tests/e2e/plays.py`), the wire and the
server (`tests/e2e/wire.py`, `tests/e2e/upstream.py`). `run` names the test.
"""

import re
from dataclasses import dataclass, field
from typing import Any

_CUE = re.compile(r"\[play ([a-z_]+)((?: [a-z_]+=[^\s\]]+)*)\]")
SECRET = re.compile(r"secret-[0-9a-f]+")

REASONING = "The question is easy, so a plain answer will do."
COMPACTED = "continued from a previous conversation"
THOUGHTS = ("Look before changing.", "One line has to change.", "See what it prints.")
"""What is thought before each call of `work`."""
TRICKY = "tab\t quote\" apostrophe' back\\slash ü 中 🎉 <tag> &amp; {}"
"""What JSON, shells and tokenizers trip over."""


def cue(name: str, **options: object) -> str:
    """The words that make the model play `name`."""
    return "[play " + " ".join([name, *(f"{k}={v}" for k, v in options.items())]) + "]"


@dataclass(frozen=True)
class Cue:
    name: str = ""
    options: dict[str, str] = field(default_factory=dict)

    def get(self, option: str, default: str = "") -> str:
        return self.options.get(option, default)


@dataclass(frozen=True)
class Call:
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Reply:
    text: str = ""
    calls: tuple[Call, ...] = ()
    reasoning: str = ""


@dataclass(frozen=True)
class Scene:
    """What a script may look at."""

    cue: Cue = field(default_factory=Cue)
    step: int = 0
    """Answers with tool calls since the cue. Half an answer that a client kept does not count."""
    results: tuple[str, ...] = ()
    """Tool results since the last answer, in the order in which they stand."""
    tools: tuple[str, ...] = ()
    images: int = 0
    said: str = ""
    """Every text of the conversation."""
    compacting: bool = False

    def secret(self) -> str:
        found = SECRET.search("\n".join(self.results))
        return found.group() if found else "nothing"


def text_of(content: Any) -> str:
    """The text of a message's content, be it a string, parts or null."""
    if isinstance(content, list):
        return "\n".join(part.get("text", "") for part in content)
    return content or ""


def scene(body: dict[str, Any]) -> Scene:
    """The conversation of a Chat Completions request as a script sees it."""
    messages = body["messages"]
    asked, place = _cue(messages)
    answers = [i for i, message in enumerate(messages) if message["role"] == "assistant"]
    fresh = messages[answers[-1] + 1 :] if answers else messages
    return Scene(
        cue=asked,
        step=sum(i > place and bool(messages[i].get("tool_calls")) for i in answers),
        results=tuple(text_of(m["content"]) for m in fresh if m["role"] == "tool"),
        tools=tuple(tool["function"]["name"] for tool in body.get("tools", ())),
        images=sum(
            part["type"] == "image_url"
            for message in messages
            if isinstance(message.get("content"), list)
            for part in message["content"]
        ),
        said="\n".join(text_of(message.get("content")) for message in messages),
        compacting=_asks_for_summary(messages),
    )


def overflows(seen: Scene) -> bool:
    """Whether the model of this scene finds its context window full."""
    grown = seen.step >= int(seen.cue.get("overflow", "1000"))
    return grown and COMPACTED not in seen.said and not seen.compacting


def _cue(messages: list[dict[str, Any]]) -> tuple[Cue, int]:
    for place in range(len(messages) - 1, -1, -1):
        if messages[place]["role"] != "user":
            continue
        found = _CUE.findall(text_of(messages[place]["content"]))
        if found:
            name, options = found[-1]
            return Cue(name, dict(option.split("=", 1) for option in options.split())), place
    return Cue(), -1


def _asks_for_summary(messages: list[dict[str, Any]]) -> bool:
    last = messages[-1]
    asked = text_of(last.get("content"))
    # Claude Code's compaction prompt is about 7 KB and asks for <summary> tags.
    return last["role"] == "user" and "<summary>" in asked and len(asked) > 2000
