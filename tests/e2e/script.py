"""What the scripted model says next, given the conversation that reached it.

A cue in the newest user text that bears one picks the script, `[play NAME option=value ...]`, so
that nothing but the conversation itself has to survive the way through a gateway. The step is
counted from the conversation too: how many answers with tool calls follow the cue. A request
without a cue is a side request (a title, a classifier) and gets a plain "OK".

Options are the business of whoever reads them: scripts here (`at`: the directory to work in),
the wire and the server (`tests/e2e/wire.py`, `tests/e2e/upstream.py`). `run` names the test.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_CUE = re.compile(r"\[play ([a-z_]+)((?: [a-z_]+=[^\s\]]+)*)\]")
_SECRET = re.compile(r"secret-[0-9a-f]+")

REASONING = "The question is easy, so a plain answer will do."
COMPACTED = "continued from a previous conversation"
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
    images: int = 0
    said: str = ""
    """Every text of the conversation."""
    compacting: bool = False

    def secret(self) -> str:
        found = _SECRET.search("\n".join(self.results))
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
        images=sum(
            part["type"] == "image_url"
            for message in messages
            if isinstance(message.get("content"), list)
            for part in message["content"]
        ),
        said="\n".join(text_of(message.get("content")) for message in messages),
        compacting=_asks_for_summary(messages),
    )


def reply(seen: Scene) -> Reply:
    """The model's next answer."""
    if seen.compacting:
        again = cue("text", run=seen.cue.get("run"))
        return Reply(f"<analysis>brief</analysis>\n<summary>\nGo on. {again}\n</summary>")
    return SCRIPTS[seen.cue.name](seen) if seen.cue.name else Reply("OK")


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


def _text(seen: Scene) -> Reply:
    return Reply(f"Said for {seen.cue.get('run')}. {TRICKY} The end.", reasoning=REASONING)


def _work(seen: Scene) -> Reply:
    """Read a script, change what it prints, run it, and tell what it printed."""
    path = f"{seen.cue.get('at')}/greet.sh"
    if seen.step == 0:
        call = Call("Read", {"file_path": path})
        return Reply("The file first.", (call,), "Look before changing.")
    if seen.step == 1:
        new = f"changed-{seen.secret()} {TRICKY}"
        change = {"file_path": path, "old_string": seen.secret(), "new_string": new}
        return Reply(calls=(Call("Edit", change),))
    if seen.step == 2:
        command = f"cd {seen.cue.get('at')} && sh greet.sh | tee printed.txt"
        return Reply("And run it.", (Call("Bash", {"command": command, "description": "Run"}),))
    changed = "changed-" in "\n".join(seen.results)
    return Reply(f"It prints {'changed-' if changed else ''}{seen.secret()}.")


def _parallel(seen: Scene) -> Reply:
    at = seen.cue.get("at")
    if seen.step == 0:
        slow = {"command": f"sleep 0.5; cat {at}/one.txt", "description": "the slow one"}
        failing = {"command": f"cat {at}/two.txt; exit 3", "description": "the failing one"}
        calls = (Call("Bash", slow), Call("Bash", failing), Call("Read", _file(at, "three.txt")))
        return Reply("All at once.", calls)
    told = "\n".join(seen.results)
    return Reply("Saw: " + " ".join(word for word in ("alpha", "beta", "gamma") if word in told))


def _file(at: str, name: str) -> dict[str, Any]:
    return {"file_path": f"{at}/{name}"}


def _delegate(seen: Scene) -> Reply:
    if seen.step == 0:
        errand = cue("errand", **seen.cue.options)
        arguments = {
            "description": "an errand",
            "prompt": f"Read the file. {errand}",
            "subagent_type": "general-purpose",
            "run_in_background": False,
        }
        return Reply("Somebody else shall.", (Call("Agent", arguments),))
    return Reply(f"The errand brought {seen.secret()}.")


def _errand(seen: Scene) -> Reply:
    if seen.step == 0:
        return Reply(calls=(Call("Read", _file(seen.cue.get("at"), "greet.sh")),))
    return Reply(f"The file says {seen.secret()}.")


def _look(seen: Scene) -> Reply:
    if seen.step == 0:
        return Reply(calls=(Call("Read", _file(seen.cue.get("at"), "picture.png")),))
    return Reply(f"Pictures seen: {seen.images}.")


def _grow(seen: Scene) -> Reply:
    """Fill the context window with the output of a tool until it overflows."""
    command = f"echo {seen.step}; head -c 2500 /dev/zero | tr '\\0' x"
    if seen.step <= int(seen.cue.get("overflow")):
        return Reply(calls=(Call("Bash", {"command": command, "description": "Fill"}),))
    return Reply("Grown.")


def _weather(seen: Scene) -> Reply:
    """Ask for the weather of each of `cities`, then repeat what the tools said."""
    if seen.step == 0:
        cities = seen.cue.get("cities", "Paris").split(",")
        calls = tuple(Call("get_weather", {"city": city, "note": TRICKY}) for city in cities)
        return Reply("I will ask.", calls, REASONING)
    return Reply("The tools said: " + "; ".join(seen.results))


def _words(_: Scene) -> Reply:
    return Reply(" ".join(f"word{i}" for i in range(120)))


SCRIPTS: dict[str, Callable[[Scene], Reply]] = {
    "text": _text,
    "work": _work,
    "parallel": _parallel,
    "delegate": _delegate,
    "errand": _errand,
    "look": _look,
    "grow": _grow,
    "weather": _weather,
    "words": _words,
}
