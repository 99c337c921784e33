"""The order of messages: calls are answered at once, nothing is lost, nothing is empty."""

import json
import time
from typing import Any

import pytest

from fcc.settings.profile import Ask
from fcc.translate.request.turns import BRIDGE, NO_CONTENT, NO_RESULT
from tests.strict import Rules, assert_legal
from tests.test_request_body import PNG, sent, translated


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def call(id: str, name: str = "Stat", **input: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": id, "name": name, "input": input}


def answer(id: str, content: Any = "ok", **fields: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": id, "content": content, **fields}


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": [text(b) if isinstance(b, str) else b for b in blocks]}


def assistant(*blocks: Any) -> dict[str, Any]:
    return {**user(*blocks), "role": "assistant"}


def system(*blocks: Any) -> dict[str, Any]:
    return {**user(*blocks), "role": "system"}


def shape(messages: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    """Each message as its role and what matters of it."""
    return [
        (
            m["role"],
            m.get("tool_call_id") or [c["id"] for c in m.get("tool_calls", ())] or m["content"],
        )
        for m in messages
    ]


ASK = Ask()
SEPARATE = Ask(merge_turns=False)
ANYWHERE = Ask(system="anywhere")
INTO_RESULT = Ask(after_tools="result")


@pytest.mark.parametrize(
    ("ask", "messages", "expected"),
    [
        # results come first, in the order of the calls, whatever order the client has
        (
            ASK,
            [user("go"), assistant(call("a"), call("b")), user("btw", answer("b"), answer("a"))],
            [
                ("user", "go"),
                ("assistant", ["a", "b"]),
                ("tool", "a"),
                ("tool", "b"),
                ("user", "btw"),
            ],
        ),
        # over several user turns
        (
            ASK,
            [assistant(call("a"), call("b")), user(answer("b")), system("env"), user(answer("a"))],
            [
                ("assistant", ["a", "b"]),
                ("tool", "a"),
                ("tool", "b"),
                ("user", "<system-reminder>\nenv\n</system-reminder>"),
            ],
        ),
        # a missing result is filled in
        (
            ASK,
            [user("go"), assistant(call("a")), user("never mind")],
            [("user", "go"), ("assistant", ["a"]), ("tool", "a"), ("user", "never mind")],
        ),
        (ASK, [assistant(call("a"))], [("assistant", ["a"]), ("tool", "a")]),
        # a result without a call is told
        (
            ASK,
            [user(answer("z", "found"), "and?")],
            [("user", "[result of the unknown call 'z']\nfound\nand?")],
        ),
        # so is a second result for the same call, and one that comes too late
        (
            ASK,
            [assistant(call("a")), user(answer("a"), answer("a", "again"))],
            [
                ("assistant", ["a"]),
                ("tool", "a"),
                ("user", "[result of the unknown call 'a']\nagain"),
            ],
        ),
        (
            ASK,
            [assistant(call("a")), user("x"), assistant("y"), user(answer("a", "late"))],
            [
                ("assistant", ["a"]),
                ("tool", "a"),
                ("user", "x"),
                ("assistant", "y"),
                ("user", "[result of the unknown call 'a']\nlate"),
            ],
        ),
        # neighbours of one role
        (ASK, [user("a"), user("b")], [("user", "a\nb")]),
        (SEPARATE, [user("a"), user("b")], [("user", "a"), ("user", "b")]),
        (ASK, [user("q"), assistant("a"), assistant("b")], [("user", "q"), ("assistant", "a\nb")]),
        (SEPARATE, [assistant("a"), assistant("b")], [("assistant", "a"), ("assistant", "b")]),
        (
            ASK,
            [assistant(call("a")), assistant(call("b")), user(answer("b"), answer("a"))],
            [("assistant", ["a", "b"]), ("tool", "a"), ("tool", "b")],
        ),
        # open calls are merged even where turns are not: their answers must follow at once
        (
            SEPARATE,
            [assistant(call("a")), assistant("x", call("b")), user(answer("b"), answer("a"))],
            [("assistant", ["a", "b"]), ("tool", "a"), ("tool", "b")],
        ),
        # empty turns vanish, unless two user turns would become one
        (ASK, [user("a"), {"role": "system", "content": []}], [("user", "a")]),
        (ASK, [user("a"), assistant()], [("user", "a")]),
        (ASK, [assistant(), user("a")], [("user", "a")]),
        (
            ASK,
            [user("a"), assistant(""), user("b")],
            [("user", "a"), ("assistant", NO_CONTENT), ("user", "b")],
        ),
        (ASK, [user("a"), assistant(" "), assistant("b")], [("user", "a"), ("assistant", "b")]),
        (
            ASK,
            [assistant(call("a")), user(answer("a")), assistant(), user("b")],
            [("assistant", ["a"]), ("tool", "a"), ("assistant", NO_CONTENT), ("user", "b")],
        ),
        (
            ASK,
            [assistant(call("a")), user("x"), assistant(), user(answer("a"))],
            [("assistant", ["a"]), ("tool", "a"), ("user", "x")],
        ),
        # there is always something to answer
        (ASK, [user("")], [("user", NO_CONTENT)]),
        (ASK, [{"role": "user", "content": None}], [("user", NO_CONTENT)]),
        (ANYWHERE, [system("only")], [("system", "only"), ("user", NO_CONTENT)]),
        # system messages in mid-conversation
        (
            ASK,
            [user("a"), system("env", "more")],
            [("user", "a\n<system-reminder>\nenv\n\nmore\n</system-reminder>")],
        ),
        (ASK, [user("a"), system("x-anthropic-billing-header: cch=1;")], [("user", "a")]),
        (
            ASK,
            [user("a"), system("<system-reminder>x</system-reminder>")],
            [("user", "a\n<system-reminder>x</system-reminder>")],
        ),
        (
            ANYWHERE,
            [assistant(call("a")), system("env"), user(answer("a"), "b")],
            [("assistant", ["a"]), ("tool", "a"), ("system", "env"), ("user", "b")],
        ),
        # what ends with the assistant
        (ASK, [user("a"), assistant("{")], [("user", "a"), ("assistant", "{")]),
        (
            Ask(prefill="continue"),
            [user("a"), assistant("{")],
            [("user", "a"), ("assistant", "{"), ("user", "Continue.")],
        ),
        (
            Ask(prefill="continue"),
            [user("a"), assistant(call("a"))],
            [("user", "a"), ("assistant", ["a"]), ("tool", "a")],
        ),
    ],
)
def test_the_order_of_messages(ask: Ask, messages: list[Any], expected: list[Any]) -> None:
    body = sent(messages, ask)
    assert shape(body["messages"]) == expected
    assert_legal(body, Rules(alternate=ask.merge_turns, system_anywhere=ask.system == "anywhere"))


def test_a_result_that_never_came_is_said_so() -> None:
    messages = sent([assistant(call("a"), call("b")), user(answer("b"))])["messages"]
    assert [m["content"] for m in messages] == [None, NO_RESULT, "ok"]


def test_text_after_results_can_go_into_the_last_one() -> None:
    turns = [assistant(call("a"), call("b")), user(answer("a"), answer("b"), "btw", "more")]
    messages = sent(turns, INTO_RESULT)["messages"]
    assert [m["content"] for m in messages] == [None, "ok", "ok\n\nbtw\n\nmore"]


def test_images_after_results_can_have_an_assistant_in_between() -> None:
    image = {"type": "image", "source": {"type": "base64", "data": PNG}}
    messages = sent([assistant(call("a")), user(answer("a", [image]), "see")], INTO_RESULT)[
        "messages"
    ]
    assert [m["role"] for m in messages] == ["assistant", "tool", "assistant", "user"]
    assert messages[1]["content"] == "[image attached below]\n\nsee"
    assert messages[2]["content"] == BRIDGE
    assert [part["type"] for part in messages[3]["content"]] == ["image_url"]


@pytest.mark.parametrize(
    ("no_content", "expected"),
    [("null", {"content": None}), ("empty", {"content": ""}), ("omit", {})],
)
def test_the_content_of_a_message_of_calls_only(no_content: Any, expected: dict[str, Any]) -> None:
    message = sent([assistant(call("a"))], Ask(no_content=no_content))["messages"][0]
    assert {key: message[key] for key in message if key == "content"} == expected


@pytest.mark.parametrize(("rule", "mark"), [("prefix", "prefix"), ("partial", "partial")])
def test_a_prefill_can_be_marked(rule: str, mark: str) -> None:
    body = translated([user("a"), assistant("{")], Ask(prefill=rule))
    last = json.loads(body.data)["messages"][-1]
    assert last == {"role": "assistant", "content": "{", mark: True}
    assert body.prefill == "{"
    assert translated([user("a")]).prefill == ""


@pytest.mark.parametrize("rule", ["keep", "mistral9", "openai40"])
@pytest.mark.parametrize("id", ["a", "", "x" * 100, "123456789", "functions.Run:0", "ünï"])
def test_ids_fit_their_rule_and_calls_keep_their_results(rule: str, id: str) -> None:
    turns = [assistant(call(id), call(id)), user(answer(id, "1"), answer(id, "2"))]
    body = sent(turns, Ask(tool_ids=rule))
    assert_legal(body)
    message, *results = body["messages"]
    assert [c["id"] for c in message["tool_calls"]] == [r["tool_call_id"] for r in results]
    assert [r["content"] for r in results] == ["1", "2"]
    longest = {"keep": 64, "mistral9": 9, "openai40": 40}[rule]
    assert all(0 < len(c["id"]) <= longest for c in message["tool_calls"])


def test_an_id_that_is_fit_is_kept() -> None:
    for rule, id in (
        ("keep", "functions.Run:0"),
        ("mistral9", "AbC123xyz"),
        ("openai40", "a" * 40),
    ):
        assert sent([assistant(call(id))], Ask(tool_ids=rule))["messages"][1]["tool_call_id"] == id


def test_a_long_conversation_takes_time_in_proportion() -> None:
    def seconds(count: int) -> float:
        calls = [assistant(call("same")) for _ in range(count)]
        results = [user(answer("same")) for _ in range(count)]
        turns = [*calls, *results, *[user("x")] * count, *[assistant()] * count]
        started = time.process_time()
        translated(turns)
        return time.process_time() - started

    seconds(100)
    assert seconds(8000) < 20 * max(seconds(1000), 0.005)
