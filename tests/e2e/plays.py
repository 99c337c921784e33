"""What the scripted model says next.

Options of the cue that are read here:

| option | values |
|---|---|
| at | the directory to work in |
| cities | those to ask the weather of |
| overflow | how often to fill the context window |
"""

import json
import re
from collections.abc import Callable
from typing import Any

from tests.e2e.script import (
    REASONING,
    SECRET,
    THOUGHTS,
    TRICKY,
    Call,
    Reply,
    Scene,
    cue,
)

__all__ = ["reply"]

_MCP = re.compile(r"\bmcp__\w+")


def reply(seen: Scene) -> Reply:
    """The model's next answer."""
    if seen.compacting:
        again = cue("text", run=seen.cue.get("run"))
        return Reply(f"<analysis>brief</analysis>\n<summary>\nGo on. {again}\n</summary>")
    return SCRIPTS[seen.cue.name](seen) if seen.cue.name else Reply("OK")


def _text(seen: Scene) -> Reply:
    return Reply(f"Said for {seen.cue.get('run')}. {TRICKY} The end.", reasoning=REASONING)


def _work(seen: Scene) -> Reply:
    """Read a script, change what it prints, run it, and tell what it printed."""
    path = f"{seen.cue.get('at')}/greet.sh"
    if seen.step == 0:
        return Reply("The file first.", (Call("Read", {"file_path": path}),), THOUGHTS[0])
    if seen.step == 1:
        new = f"changed-{seen.secret()} {TRICKY}"
        change = {"file_path": path, "old_string": seen.secret(), "new_string": new}
        return Reply("", (Call("Edit", change),), THOUGHTS[1])
    if seen.step == 2:
        command = f"cd {seen.cue.get('at')} && sh greet.sh | tee printed.txt"
        call = Call("Bash", {"command": command, "description": "Run"})
        return Reply("And run it.", (call,), THOUGHTS[2])
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
    """Read a picture, unless the prompt brings it."""
    if seen.step == 0 and not seen.images:
        return Reply(calls=(Call("Read", _file(seen.cue.get("at"), "picture.png")),))
    return Reply(f"Pictures seen: {seen.images}.")


def _study(seen: Scene) -> Reply:
    if seen.step == 0:
        return Reply(calls=(Call("Read", _file(seen.cue.get("at"), "paper.pdf")),))
    found = SECRET.search(seen.said)
    return Reply(f"The paper says {found.group() if found else 'nothing'}.")


def _borrow(seen: Scene) -> Reply:
    """Use the one tool of an MCP server, under the name by which it is declared, if it is."""
    name = next((name for name in seen.tools if name.startswith("mcp__")), "")
    if not name and seen.step == 0:
        told = max(_MCP.findall(seen.said), key=len, default="")
        return Reply(calls=(Call("ToolSearch", {"query": f"select:{told}", "max_results": 1}),))
    if seen.step <= 1 and "Echo: " not in "\n".join(seen.results):
        return Reply(calls=(Call(name, {"word": TRICKY}),))
    return Reply("It said: " + "\n".join(seen.results))


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


def _form(seen: Scene) -> Reply:
    """JSON, as a schema for the answer may ask for it."""
    return Reply(json.dumps({"city": TRICKY, "rain": seen.cue.get("run")}))


def _words(_: Scene) -> Reply:
    return Reply(" ".join(f"word{i}" for i in range(120)))


SCRIPTS: dict[str, Callable[[Scene], Reply]] = {
    "text": _text,
    "work": _work,
    "parallel": _parallel,
    "delegate": _delegate,
    "errand": _errand,
    "look": _look,
    "study": _study,
    "borrow": _borrow,
    "grow": _grow,
    "weather": _weather,
    "form": _form,
    "words": _words,
}
