"""Blocks: what each becomes, and what stands in the place of what can't be sent."""

import json
from base64 import b64encode
from typing import Any

import pytest

from fcc.settings.profile import Ask, Model
from fcc.translate.request.body import translate
from fcc.wire.messages import decode_request
from tests.strict import Rules, assert_legal
from tests.test_request_body import HI, PNG, TOOL, sent, translated
from tests.test_request_turns import answer, assistant, call, text, user

IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
IMAGE_PART = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
OMITTED = "[image omitted: this model has no vision]"
EPHEMERAL = {"type": "ephemeral"}


def document(title: str | None = None, **source: Any) -> dict[str, Any]:
    return {"type": "document", "source": source, "title": title}


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        ("Be terse.", "Be terse."),
        ([text("Be terse."), text("Use metric.")], "Be terse.\n\nUse metric."),
        (
            [text("x-anthropic-billing-header: cc_version=1; cch=2;"), text("Be terse.")],
            "Be terse.",
        ),
        ("x-anthropic-billing-header: cch=2;\nBe terse.", "Be terse."),
        ([text("a"), text(""), text("b")], "a\n\nb"),
        ([{**text("a"), "cache_control": EPHEMERAL}], "a"),
    ],
)
def test_the_system_prompt_is_one_leading_message(system: Any, expected: str) -> None:
    assert sent(HI, system=system)["messages"] == [{"role": "system", "content": expected}, *HI]


@pytest.mark.parametrize(
    "system", ["", [], None, "x-anthropic-billing-header: cch=2;", [text(" ")]]
)
def test_a_system_prompt_that_says_nothing_is_no_message(system: Any) -> None:
    assert sent(HI, system=system)["messages"] == HI


@pytest.mark.parametrize(
    ("blocks", "content"),
    [
        (["one", "two"], "one\ntwo"),
        (["one", "", " \n", "two"], "one\ntwo"),
        (["see", IMAGE, "there"], [text("see"), IMAGE_PART, text("there")]),
        ([IMAGE], [IMAGE_PART]),
        (
            [{"type": "image", "source": {"type": "base64", "data": PNG}}],
            [{"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{PNG}"}}],
        ),
        (
            [{"type": "image", "source": {"type": "url", "url": "https://x/y.png"}}],
            [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}],
        ),
        (
            [
                {
                    "type": "image",
                    "source": {"type": "base64", "data": f"data:image/gif;base64,{PNG}"},
                }
            ],
            [{"type": "image_url", "image_url": {"url": f"data:image/gif;base64,{PNG}"}}],
        ),
        (
            [{"type": "image", "source": {"type": "file", "file_id": "f"}}],
            "[image omitted: its source can't be reached through this provider]",
        ),
        ([document(type="text", data="words")], "words"),
        ([document("T", type="content", content=[text("a"), text("b")])], "T\na\nb"),
        ([document(type="content", content="a")], "a"),
        (
            [document(type="base64", media_type="text/plain", data=b64encode(b"hey").decode())],
            "hey",
        ),
        (
            [document("Q", type="base64", media_type="application/pdf", data="JVBERi0=")],
            "Q\n[application/pdf document omitted: this provider takes text only]",
        ),
        (
            [document(type="url", url="https://x/y.pdf")],
            "[document at https://x/y.pdf: not fetched]",
        ),
        (
            [
                {
                    "type": "search_result",
                    "title": "T",
                    "source": "https://x",
                    "content": [text("a")],
                }
            ],
            "T\nhttps://x\na",
        ),
        ([{"type": "compaction", "content": "the story so far"}], "the story so far"),
        ([{"type": "from_the_future", "text": "words"}], "words"),
        (["a", {"type": "from_the_future", "blob": 1}, {"type": "fallback"}], "a"),
        (
            [{"type": "container_upload", "file_id": "f"}],
            "[file f: in a container that can't be reached from here]",
        ),
        (
            [document(type="file", file_id="f")],
            "[document f omitted: files can't be reached through this provider]",
        ),
    ],
)
def test_user_blocks(blocks: list[Any], content: Any) -> None:
    body = sent([user(*blocks)])
    assert body["messages"] == [{"role": "user", "content": content}]
    assert_legal(body)


def test_a_model_without_vision_is_told_what_it_does_not_see() -> None:
    turns = [user("see", IMAGE), assistant(call("a")), user(answer("a", [text("shot"), IMAGE]))]
    body = sent(turns, Ask(images=False))
    assert body["messages"][0]["content"] == f"see\n{OMITTED}"
    assert body["messages"][2]["content"] == f"shot\n{OMITTED}"
    assert len(body["messages"]) == 3


def test_a_pdf_can_be_a_native_file_part() -> None:
    pdf = document("q.pdf", type="base64", media_type="application/pdf", data="JVBERi0=")
    part = {
        "type": "file",
        "file": {"filename": "q.pdf", "file_data": "data:application/pdf;base64,JVBERi0="},
    }
    ask = Ask(documents="file")
    assert sent([user("read", pdf)], ask)["messages"][0]["content"] == [text("read"), part]
    body = sent([assistant(call("a")), user(answer("a", [pdf]))], ask)
    assert body["messages"][1]["content"] == "[document attached below]"
    assert body["messages"][2]["content"] == [part]
    assert_legal(body, Rules(parts=("text", "file")))
    plain = document(type="base64", media_type="text/plain", data=b64encode(b"hey").decode())
    assert sent([user(plain)], ask)["messages"][0]["content"] == "hey"
    broken = document(type="base64", media_type="text/plain", data="A")
    assert "its base64 is broken" in sent([user(broken)])["messages"][0]["content"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("ok", "ok"),
        ("", ""),
        (None, ""),
        ([], ""),
        ([text("size 3"), text("mode 644")], "size 3\nmode 644"),
        ({"k": 1}, '{"k":1}'),
        ([{"type": "tool_reference", "tool_name": "Stat"}], "[the tool Stat can be called]"),
        ([document(type="text", data="words")], "words"),
        ([{"type": "browser_state", "url": "u"}], '{"type":"browser_state","url":"u"}'),
        (["bare", 5, None], "bare\n5\nnull"),
        ([{"type": "text", "text": 5}], '{"type":"text","text":5}'),
    ],
)
def test_the_content_of_a_tool_result(content: Any, expected: str) -> None:
    body = sent([assistant(call("a")), user(answer("a", content))])
    assert body["messages"][1:] == [{"role": "tool", "tool_call_id": "a", "content": expected}]
    assert_legal(body)


def test_a_tool_result_without_content_is_empty() -> None:
    body = sent([assistant(call("a")), user({"type": "tool_result", "tool_use_id": "a"})])
    assert body["messages"][1]["content"] == ""


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("no such file", "Error: no such file"),
        ("Error: no such file", "Error: no such file"),
        ([text("gone")], "Error: gone"),
        ("", "Error: the tool failed and said nothing"),
        (None, "Error: the tool failed and said nothing"),
    ],
)
def test_a_failed_tool_says_so_once(content: Any, expected: str) -> None:
    body = sent([assistant(call("a")), user(answer("a", content, is_error=True))])
    assert body["messages"][1]["content"] == expected


def test_images_of_results_follow_in_a_user_message_before_the_users_own_words() -> None:
    first, second = answer("a", [IMAGE, text("shot")]), answer("b", [IMAGE])
    body = sent([assistant(call("a"), call("b")), user(second, "look", first)])
    assert [m["content"] for m in body["messages"][1:]] == [
        "[image attached below]\nshot",
        "[image attached below]",
        [IMAGE_PART, IMAGE_PART, text("look")],
    ]
    assert_legal(body)


@pytest.mark.parametrize(
    ("input", "arguments"),
    [
        ('{"path": "/x"}', '{"path": "/x"}'),
        ('{"b":1,"a":1.0}', '{"b":1,"a":1.0}'),
        ("{}", "{}"),
        ("null", "{}"),
        ('""', "{}"),
        ('"{\\"a\\": 1}"', '{"a": 1}'),
        ('"ls -la"', '{"input":"ls -la"}'),
        ('"[1]"', '{"input":"[1]"}'),
        ("[1, 2]", '{"input":[1, 2]}'),
        ("5", '{"input":5}'),
        ("false", '{"input":false}'),
        (
            '{"__unparsedToolInput":{"raw":"{","len":1}}',
            '{"__unparsedToolInput":{"raw":"{","len":1}}',
        ),
    ],
)
def test_arguments_are_the_clients_own_bytes_and_always_an_object(
    input: str, arguments: str
) -> None:
    block = f'{{"type":"tool_use","id":"a","name":"Stat","input":{input}}}'
    body = f'{{"model":"m","messages":[{{"role":"assistant","content":[{block}]}}]}}'
    data = translate(decode_request(body.encode()), Model(name="m", provider="p")).data
    made = json.loads(data)["messages"][0]["tool_calls"][0]
    assert made == {
        "id": "a",
        "type": "function",
        "function": {"name": "Stat", "arguments": arguments},
    }


@pytest.mark.parametrize(
    ("rule", "with_calls", "with_text", "without"),
    [
        ("none", {"content": None}, {"content": "yes"}, {"content": None}),
        (
            "think_tags",
            {"content": "<think>\nhmm\nso\n</think>"},
            {"content": "<think>\nhmm\nso\n</think>\n\nyes"},
            {"content": None},
        ),
        (
            "reasoning_content",
            {"content": None, "reasoning_content": "hmm\nso"},
            {"content": "yes", "reasoning_content": "hmm\nso"},
            {"content": None, "reasoning_content": ""},
        ),
        (
            "reasoning",
            {"content": None, "reasoning": "hmm\nso"},
            {"content": "yes", "reasoning": "hmm\nso"},
            {"content": None},
        ),
    ],
)
def test_earlier_reasoning_goes_where_the_provider_wants_it(
    rule: str, with_calls: Any, with_text: Any, without: Any
) -> None:
    thoughts = [
        {"type": "thinking", "thinking": words, "signature": "s"} for words in ("hmm", "so")
    ]
    secret = {"type": "redacted_thinking", "data": "x"}
    ask = Ask(reasoning_history=rule)
    for blocks, expected in (
        ([*thoughts, secret, call("a")], with_calls),
        ([*thoughts, "yes"], with_text),
        ([call("a")], without),
    ):
        message = sent([user("q"), assistant(*blocks)], ask)["messages"][1]
        message.pop("tool_calls", None)
        assert message == {"role": "assistant", **expected}


def test_a_turn_of_thought_alone_keeps_its_place_and_its_thought() -> None:
    thought = {"type": "thinking", "thinking": "hmm"}
    turns = [user("a"), assistant(thought), user("b")]
    assert sent(turns)["messages"][1] == {"role": "assistant", "content": "(no content)"}
    kept = sent(turns, Ask(reasoning_history="reasoning_content"))["messages"][1]
    assert kept["reasoning_content"] == "hmm"
    joined = sent(
        [user("a"), assistant(thought), assistant("b")], Ask(reasoning_history="reasoning")
    )
    assert joined["messages"][1] == {"role": "assistant", "content": "b", "reasoning": "hmm"}


def test_searches_of_anthropics_servers_are_told_without_what_only_they_can_read() -> None:
    search = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}}
    hit = {"type": "web_search_result", "url": "https://x", "encrypted_content": "secret"}
    found = {"type": "web_search_tool_result", "tool_use_id": "s", "content": [hit]}
    body = translated([user("q"), assistant(search, found, "so")])
    content = json.loads(body.data)["messages"][1]["content"]
    assert "https://x" in content
    assert "secret" not in content
    assert content.startswith('[called web_search with {"query": "x"}]')
    assert body.declined == ()
    assert body.used_ids == frozenset()


def test_cache_breakpoints_pass_only_where_they_are_taken() -> None:
    cached = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    turns = [
        user({**text("a"), **cached}),
        assistant(call("a")),
        user(answer("a", "ok", **cached)),
    ]
    system = [text("s"), {**text("t"), **cached}]
    plain = sent(turns, system=system, tools=[{**TOOL, **cached}])
    assert "cache_control" not in json.dumps(plain)
    marked = sent(turns, Ask(cache_control=True), system=system)["messages"]
    part = {"type": "text", "text": "a", "cache_control": cached["cache_control"]}
    assert marked[0]["content"] == [text("s"), {**part, "text": "t"}]
    assert marked[1]["content"] == [part]
    assert marked[3]["content"] == [{**part, "text": "ok"}]
