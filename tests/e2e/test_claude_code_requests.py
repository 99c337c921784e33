"""Does what the real Claude Code sends reach a strict provider, with nothing lost?

A provider that refuses a request fails the test, whatever Claude Code makes of that.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import mcp_server
from tests.e2e.claude import Outcome, Room
from tests.e2e.daemon import TOKEN, daemon
from tests.e2e.images import png
from tests.e2e.mcp_server import LONG_NAME
from tests.e2e.script import REASONING, THOUGHTS, TRICKY, cue
from tests.e2e.upstream import MODEL, OTHER_MODEL, Upstream
from tests.pdf_files import pdf

# The first test may have to install Claude Code.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

THINKER = """
api_key_env = "FCC_API_KEY"
[ask]
reasoning = "reasoning_effort"
reasoning_history = "reasoning_content"
"""
"""A provider that wants its reasoning back, as DeepSeek does."""


@pytest.fixture(scope="module")
def thinker_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("thinker")


TIERS = f'[models]\nopus = "{MODEL}"\nsonnet = "{MODEL}"\nhaiku = "{OTHER_MODEL}"\n'


@pytest.fixture(scope="module")
def thinker_url(upstream: Upstream, thinker_home: Path) -> Iterator[str]:
    with daemon(thinker_home, upstream.url, config=TIERS, profile=THINKER) as running:
        yield running


@pytest.fixture
def thinker_room(binary: Path, thinker_url: str, tmp_path: Path) -> Room:
    return Room(binary, thinker_url, TOKEN, tmp_path / "room")


def work(room: Room) -> str:
    return f"Do it. {cue('work', run=room.run, at=room.place, reasoning='reasoning_content')}"


def thought(body: dict[str, Any]) -> list[str]:
    """The reasoning that goes back with each answer of the model's."""
    answers = [message for message in body["messages"] if message["role"] == "assistant"]
    return [answer.get("reasoning_content", "") for answer in answers]


@pytest.mark.parametrize("model", ["sonnet", "claude-sonnet-4-5"], ids=["adaptive", "budget"])
def test_thinking_is_asked_for_and_goes_back_with_every_call(
    thinker_room: Room, upstream: Upstream, model: str
) -> None:
    room = thinker_room
    outcome = room.claude(work(room), "--model", model)
    assert outcome.text == f"It prints changed-{room.secret}."
    blocks = outcome.blocks("thinking")
    assert [block["thinking"] for block in blocks] == list(THOUGHTS)
    assert all(block["signature"] for block in blocks)
    bodies = [asked.body for asked in upstream.asked(room.run)]
    assert [thought(body) for body in bodies] == [list(THOUGHTS[:n]) for n in range(4)]
    assert all(body["reasoning_effort"] in ("low", "medium", "high") for body in bodies)


@pytest.mark.parametrize(
    ("model", "off", "effort"),
    [
        # Nothing is said of thinking.
        ("sonnet", {"CLAUDE_CODE_DISABLE_THINKING": "1"}, None),
        # thinking is of type disabled.
        ("claude-sonnet-4-5", {"MAX_THINKING_TOKENS": "0"}, "none"),
    ],
    ids=["absent", "disabled"],
)
def test_thinking_that_is_turned_off_is_not_asked_for(
    thinker_room: Room, upstream: Upstream, model: str, off: dict[str, str], effort: str | None
) -> None:
    thinker_room.claude(work(thinker_room), "--model", model, **off)
    efforts = [asked.body.get("reasoning_effort") for asked in upstream.asked(thinker_room.run)]
    assert efforts == 4 * [effort]


def test_a_session_that_changes_its_model_keeps_all_but_the_others_thoughts(
    thinker_room: Room, thinker_home: Path, upstream: Upstream, tmp_path: Path
) -> None:
    room = thinker_room
    first = room.claude(work(room), "--model", "opus")
    again = cue("text", run=f"{room.run}-b", reasoning="reasoning_content")
    session = first.result["session_id"]
    second = room.claude(f"Say it. {again}", "--resume", session, "--model", "haiku")
    assert not second.failed
    (asked,) = upstream.asked(f"{room.run}-b")
    assert asked.body["model"] == OTHER_MODEL
    _holds_the_work(asked.body, room)
    assert not any(thought(asked.body))

    # Back to the first model, through a daemon that has seen nothing of this.
    with daemon(tmp_path / "later", upstream.url, config=TIERS, profile=THINKER) as room.url:
        last = room.claude(
            f"Say it. {cue('text', run=f'{room.run}-c')}", "--resume", session, "--model", "opus"
        )
    assert not last.failed
    (asked,) = upstream.asked(f"{room.run}-c")
    assert asked.body["model"] == MODEL
    _holds_the_work(asked.body, room)
    assert thought(asked.body)[:3] == list(THOUGHTS)
    assert REASONING not in json.dumps(asked.body)
    assert f"Said for {room.run}-b." in json.dumps(asked.body)


def _holds_the_work(body: dict[str, Any], room: Room) -> None:
    """Every call of the first turn, its result, and what was said."""
    calls = [call for message in body["messages"] for call in message.get("tool_calls", ())]
    assert [call["function"]["name"] for call in calls] == ["Read", "Edit", "Bash"]
    results = [m["content"] for m in body["messages"] if m["role"] == "tool"]
    assert room.secret in results[0]
    assert f"changed-{room.secret}" in results[2]
    said = json.dumps(body)
    assert "The file first." in said
    assert f"It prints changed-{room.secret}." in said


def test_a_picture_that_the_prompt_mentions_reaches_the_model(
    room: Room, upstream: Upstream
) -> None:
    room.write("screenshot.png", png())
    outcome = room.claude(f"What is on @screenshot.png ? {cue('look', run=room.run)}")
    assert outcome.text == "Pictures seen: 1."
    assert len(upstream.asked(room.run)) == 1


def test_the_text_of_a_pdf_reaches_the_model(room: Room, upstream: Upstream) -> None:
    room.write("paper.pdf", pdf(f"Of greeting\n{room.secret}", "The second page"))
    outcome = room.claude(f"Study it. {cue('study', run=room.run, at=room.place)}")
    assert outcome.text == f"The paper says {room.secret}."
    assert "The second page" in json.dumps(upstream.asked(room.run)[-1].body)


def test_an_mcp_tool_with_a_name_too_long_for_providers_is_used(
    room: Room, upstream: Upstream
) -> None:
    outcome = _borrow(room, ENABLE_TOOL_SEARCH="false")
    assert [block["name"] for block in outcome.blocks("tool_use")] == [LONG_NAME]
    for asked in upstream.asked(room.run):
        names = [tool["function"]["name"] for tool in asked.body["tools"]]
        assert sum(name.startswith("mcp__") for name in names) == 1
        assert max(map(len, names)) <= 64


def test_an_mcp_tool_that_has_to_be_looked_up_is_used(room: Room, upstream: Upstream) -> None:
    outcome = _borrow(room, ENABLE_TOOL_SEARCH="true")
    uses = outcome.blocks("tool_use")
    assert [block["name"] for block in uses] == ["ToolSearch", LONG_NAME]
    assert [asked.step for asked in upstream.asked(room.run)] == [0, 1, 2]


def _borrow(room: Room, **environment: str) -> Outcome:
    """A run in which the model uses the tool of an MCP server."""
    assert len(LONG_NAME) > 64
    server = {"command": sys.executable, "args": [mcp_server.__file__]}
    servers = {"mcpServers": {mcp_server.SERVER: server}}
    room.write("mcp.json", json.dumps(servers))
    outcome = room.claude(
        f"Use it. {cue('borrow', run=room.run)}",
        *("--mcp-config", str(room.place / "mcp.json"), "--strict-mcp-config"),
        **environment,
    )
    assert outcome.text == f"It said: Echo: {TRICKY}"
    return outcome
