"""What changes in mid-conversation: tools, effort, system text, breakpoints, the session's name."""

import json
from typing import Any

import pytest

from fcc.errors import RequestError
from fcc.settings.profile import Ask
from tests.strict import assert_legal
from tests.test_request_body import sent, translated
from tests.test_request_turns import assistant, call, system, text, user

READ = {"name": "Read", "input_schema": {"type": "object"}}
GREP = {"name": "Grep", "input_schema": {"type": "object"}, "description": "old"}


def added(name: str, **definition: Any) -> dict[str, Any]:
    tool: dict[str, Any] = {"type": "tool_reference", "name": name}
    if definition:
        tool = {"type": "tool_definition", "definition": {"name": name, **definition}}
    return {"type": "tool_addition", "tool": tool}


def removed(name: str) -> dict[str, Any]:
    return {"type": "tool_removal", "tool": {"type": "tool_reference", "name": name}}


def names(*changes: dict[str, Any], tools: Any = (READ, GREP)) -> list[str]:
    body = sent([user("q"), system(*changes)], tools=[*tools])
    return [tool["function"]["name"] for tool in body.get("tools", ())]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([removed("Read")], ["Grep"]),
        ([removed("Read"), added("Read")], ["Grep", "Read"]),
        ([added("Read")], ["Read", "Grep"]),
        ([added("Write", input_schema={})], ["Read", "Grep", "Write"]),
        ([added("Write", input_schema={}), removed("Write")], ["Read", "Grep"]),
        ([removed("Nothing"), added("Nothing")], ["Read", "Grep"]),
        ([removed("Read"), removed("Grep")], []),
        ([{"type": "tool_addition"}, {"type": "tool_removal", "tool": {}}], ["Read", "Grep"]),
    ],
)
def test_tools_are_what_the_conversation_has_made_of_them(
    changes: list[dict[str, Any]], expected: list[str]
) -> None:
    assert names(*changes) == expected


def test_a_tool_added_again_has_its_newest_definition() -> None:
    body = sent([user("q"), system(added("Grep", description="new"))], tools=[GREP, READ])
    offered = [tool["function"] for tool in body["tools"]]
    assert [(tool["name"], tool["description"]) for tool in offered] == [
        ("Read", ""),
        ("Grep", "new"),
    ]


def test_a_change_without_any_tools_declares_the_first() -> None:
    assert names(added("Write", input_schema={}), tools=()) == ["Write"]


def test_what_is_no_tool_is_refused_with_changes_as_without() -> None:
    for tools in ([5], [{"description": "x"}]):
        with pytest.raises(RequestError, match=r"^tools\.0: "):
            sent([user("q"), system(removed("Read"))], tools=tools)


def test_the_model_is_told_of_every_change_where_it_happens() -> None:
    turns = [user("q"), system(removed("Read")), assistant("ok"), user("r")]
    said = [message["content"] for message in sent(turns, tools=[READ])["messages"]]
    note = "[from here on the tool Read can't be called]"
    assert said == [f"q\n<system-reminder>\n{note}\n</system-reminder>", "ok", "r"]
    mcp = {"type": "tool_addition", "tool": {"type": "mcp_toolset_reference", "server_name": "s"}}
    assert "the tool s can be called" in json.dumps(sent([user("q"), system(mcp)]))


def test_the_last_effort_counts() -> None:
    turns = [user("q"), {**system("s"), "output_config": {"effort": "low"}}]
    ask = Ask(reasoning="reasoning_effort")
    thinking = {"type": "adaptive"}
    body = sent(turns, ask, thinking=thinking, output_config={"effort": "high"})
    assert body["reasoning_effort"] == "low"
    turns = [user("q"), {**system("s"), "output_config": {}}]
    body = sent(turns, ask, thinking=thinking, output_config={"effort": "high"})
    assert body["reasoning_effort"] == "high"


def test_a_system_message_for_one_turn_is_gone_after_it() -> None:
    once = {**system("only now"), "clear_at": "next_user_message"}
    assert "only now" in json.dumps(sent([user("q"), once]))
    later = [user("q"), once, assistant(call("a")), user("r")]
    assert "only now" not in json.dumps(sent(later))
    assert "only now" in json.dumps(sent([user("q"), {**once, "clear_at": "never"}, user("r")]))


CACHED = Ask(cache_control=True)
MARK = {"type": "ephemeral"}


def marked(body: dict[str, Any]) -> list[str]:
    parts = [p for m in body["messages"] if isinstance(m["content"], list) for p in m["content"]]
    return [part["text"] for part in parts if "cache_control" in part]


def test_a_breakpoint_for_all_stands_at_the_end_of_the_last_user_message() -> None:
    for turns in (
        [user("a", "b")],
        [{"role": "user", "content": "b"}],
        [user("b"), assistant("c")],
    ):
        assert marked(sent(turns, CACHED, cache_control=MARK)) == ["b"]
        assert marked(sent(turns, cache_control=MARK)) == []


def test_at_most_four_breakpoints_are_left_and_they_are_the_last() -> None:
    blocks = [{**text(str(number)), "cache_control": MARK} for number in range(6)]
    assert marked(sent([user(*blocks)], CACHED)) == ["2", "3", "4", "5"]
    body = sent([user(*blocks[:3])], CACHED, system=[blocks[4], blocks[5]])
    assert marked(body) == ["5", "0", "1", "2"]


def test_a_breakpoint_on_an_image_is_no_part_of_it() -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://x"}, "cache_control": MARK}
    assert sent([user("a", image)], CACHED)["messages"][0]["content"][1].keys() == {
        "type",
        "image_url",
    }


USER = json.dumps({"device_id": "d", "account_uuid": "a", "session_id": "s-1"})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (USER, USER.replace('"d"', '"e"'), True),
        (USER, USER.replace("s-1", "s-2"), False),
        ("plain", "plain", True),
        ("plain", '{"session_id": null}', False),
    ],
)
def test_a_session_has_one_name(one: str, other: str, same: bool) -> None:
    ask = Ask(session="prompt_cache_key")
    keys = [
        sent([user("q")], ask, metadata={"user_id": id})["prompt_cache_key"] for id in (one, other)
    ]
    assert (keys[0] == keys[1]) is same
    assert all(len(key) == 32 and key not in (one, other) for key in keys)


@pytest.mark.parametrize("metadata", [None, {}, {"user_id": None}, "x", {"user_id": ""}])
def test_no_session_has_no_name(metadata: Any) -> None:
    body = sent([user("q")], Ask(session="session_id"), metadata=metadata)
    assert "session_id" not in body
    assert_legal(body)
    assert "session_id" not in sent([user("q")], metadata={"user_id": USER})


@pytest.mark.parametrize(
    "field",
    ["mcp_servers", "container", "context_management", "compaction", "fallbacks", "safeguards"],
)
def test_what_only_anthropics_servers_do_is_declined_by_name(field: str) -> None:
    assert translated([user("q")], **{field: [{"name": "x"}]}).declined == (f"field {field}",)
    for nothing in ([], None, {}):
        assert translated([user("q")], **{field: nothing}).declined == ()
