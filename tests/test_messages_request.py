"""The Messages request: what is taken, what is refused and in which words."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fcc.errors import RequestError
from fcc.wire.messages import MessagesRequest, decode_count_tokens, decode_request


def encoded(*blocks: Any, role: str = "user", **fields: Any) -> bytes:
    body = {"model": "m", "messages": [{"role": role, "content": list(blocks)}], "max_tokens": 9}
    return json.dumps({**body, **fields}).encode()


def decoded(*blocks: Any, **fields: Any) -> MessagesRequest:
    return decode_request(encoded(*blocks, **fields))


TEXT = {"type": "text", "text": "hi"}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "the body is not JSON"),
        (b"{", "the body is not JSON"),
        (b"[]", "expected `object`, got `array`"),
        (b"null", "expected `object`, got `null`"),
        (b'{"model":"m","max_tokens":1}', "messages: field required"),
        (b'{"messages":[{"role":"user","content":"x"}]}', "model: field required"),
        (b'{"model":"m","messages":[]}', "messages: at least one message is required"),
        (b'{"model":"m","messages":{}}', "messages: expected `array`, got `object`"),
        (b'{"model":"m","messages":[{"content":"x"}]}', "messages.0.role: field required"),
        (encoded(TEXT, role="tool"), "messages.0: role must be user, assistant or system"),
        (encoded(TEXT, role="developer"), "messages.0: role must be"),
        (encoded(TEXT, {"type": "text"}), "messages.0.content.1: a block of type 'text' needs"),
        (encoded({"text": "x"}), "messages.0.content.0.type: field required"),
        (encoded("bare"), "messages.0.content.0: expected `object`, got `str`"),
        (
            encoded({"type": "image"}),
            "messages.0.content.0: a block of type 'image' needs 'source'",
        ),
        (encoded({"type": "document"}), "needs 'source'"),
        (encoded({"type": "tool_use", "name": "x", "input": {}}), "needs 'id'"),
        (encoded({"type": "tool_use", "id": "x", "input": {}}), "needs 'name'"),
        (encoded({"type": "tool_use", "id": "x", "name": "y"}), "needs 'input'"),
        (encoded({"type": "tool_result", "content": "x"}), "needs 'tool_use_id'"),
        (
            encoded(
                {"type": "tool_result", "tool_use_id": "x", "content": [TEXT, {"type": "image"}]}
            ),
            "messages.0.content.0: content.1: a block of type 'image' needs 'source'",
        ),
        (encoded({"type": "thinking"}), "needs 'thinking'"),
        (encoded({"type": "redacted_thinking"}), "needs 'data'"),
        (encoded(TEXT, max_tokens=-1), "max_tokens: must be 0 or more, not -1"),
        (encoded(TEXT, max_tokens="many"), "max_tokens: expected `int | null`"),
        (encoded(TEXT, system=5), "system: expected"),
        (encoded(TEXT, system=[{"type": "text"}]), "system.0: a block of type 'text' needs"),
        (encoded(TEXT, tools=5), "tools: expected a list"),
        (encoded(TEXT, tools={}), "tools: expected a list"),
        (encoded(TEXT, tool_choice={"type": "most"}), "tool_choice: type must be auto"),
        (encoded(TEXT, tool_choice={"type": "tool"}), "tool_choice: a choice of type 'tool'"),
        (encoded(TEXT, thinking={}), "thinking.type: field required"),
        (encoded(TEXT, thinking={"type": "enabled"}), "thinking: 'enabled' needs"),
        (b'{"model":"m","messages":' + b"[" * 9000 + b"]" * 9000 + b"}", "nested too deeply"),
    ],
)
def test_a_request_that_means_nothing_is_refused_with_its_place(body: bytes, says: str) -> None:
    with pytest.raises(RequestError) as caught:
        decode_request(body)
    assert says in caught.value.message
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "blocks",
    [
        [{"type": "text", "text": ""}],
        [{"type": "thinking", "thinking": "", "signature": ""}],
        [{"type": "tool_use", "id": "", "name": "x", "input": {}}],
        [{"type": "tool_use", "id": "x", "name": "x", "input": None}],
        [{"type": "tool_use", "id": "x", "name": "x", "input": "text"}],
        [{"type": "tool_use", "id": 5, "name": "x", "input": {}}],
        [{"type": "tool_result", "tool_use_id": "x"}],
        [{"type": "tool_result", "tool_use_id": "x", "content": None, "is_error": None}],
        [{"type": "tool_result", "tool_use_id": "x", "content": {"k": 1}}],
        [{"type": "tool_result", "tool_use_id": "x", "content": ["a", 5, None, {"a": 1}]}],
        [{"type": "tool_result", "id": "x", "content": "SGLang takes it by id"}],
        [{"type": "from_the_future", "text": {"deep": 1}, "content": 5, "source": 7}],
        [{"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}}],
        [{"type": "image", "source": {"type": "url", "url": "https://x/y.png"}}],
        [],
    ],
)
def test_unusual_blocks_are_taken(blocks: list[Any]) -> None:
    assert len(decoded(*blocks).messages) == 1


@pytest.mark.parametrize("content", [None, "", [], "text"])
def test_content_may_be_null_empty_or_absent(content: object) -> None:
    messages = [{"role": "user", "content": content}, {"role": "system"}]
    body = json.dumps({"model": "m", "messages": messages}).encode()
    assert len(decode_request(body).messages) == 2


def test_unknown_fields_are_ignored() -> None:
    request = decoded(
        TEXT,
        extra_body={"model": "x"},
        original_model="y",
        safeguards=[],
        betas=[],
        service_tier="auto",
        mcp_servers=[{}],
        container={},
        context_management={"edits": []},
    )
    assert request.model == "m"


def test_numbers_as_text_are_numbers() -> None:
    request = decoded(TEXT, max_tokens="12", temperature="0.5", stream="true", top_k="3")
    assert (request.max_tokens, request.temperature, request.top_k) == (12, 0.5, 3)
    assert request.stream is True


@pytest.mark.parametrize("max_tokens", [0, 1, 10**30])
def test_max_tokens_may_be_anything_from_zero(max_tokens: int) -> None:
    assert decoded(TEXT, max_tokens=max_tokens).max_tokens == max_tokens


def test_a_byte_order_mark_is_ignored() -> None:
    assert decode_request(b"\xef\xbb\xbf" + encoded(TEXT)).model == "m"


def test_bytes_that_are_no_text_become_replacement_characters() -> None:
    request = decode_request(encoded(TEXT).replace(b"hi", b"h\xff"))
    assert isinstance(request.messages[0].content, list)
    assert request.messages[0].content[0].text == "h\ufffd"


@pytest.mark.parametrize("half", ["\ud83d", "\ude00", "\ude00\ud83d", "\ud83dx"])
def test_half_an_emoji_becomes_a_replacement_character(half: str) -> None:
    call = {"type": "tool_use", "id": "t", "name": "n", "input": {"x": half}}
    request = decoded({"type": "text", "text": half}, call, {"type": "web_x", "content": [half]})
    blocks = request.messages[0].content
    assert isinstance(blocks, list)
    assert "\ufffd" in (blocks[0].text or "")
    assert "\ufffd" in bytes(blocks[1].input).decode()
    assert blocks[2].content is not None, "what is well formed stays as it was"


def test_a_whole_emoji_in_escapes_stays() -> None:
    request = decode_request(encoded({"type": "text", "text": "🙂"}))
    assert isinstance(request.messages[0].content, list)
    assert request.messages[0].content[0].text == "🙂"


def test_a_thread_is_refused_in_the_words_the_sdk_acts_on() -> None:
    with pytest.raises(RequestError) as caught:
        decoded(TEXT, thread={"type": "create"})
    assert caught.value.error_code == "thread_unsupported_request"


def test_count_tokens_takes_a_request_without_a_limit() -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
    assert decode_count_tokens(json.dumps(body).encode()).model == "m"
    assert decode_count_tokens(encoded(TEXT, max_tokens=-1)).model == "m"
    with pytest.raises(RequestError):
        decode_count_tokens(b'{"model":"m","messages":[]}')


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(body=st.binary(max_size=40))
def test_any_bytes_are_a_request_or_a_request_error(body: bytes) -> None:
    with pytest.raises(RequestError):
        decode_request(body)


@settings(max_examples=300)
@given(
    field=st.sampled_from(
        ["system", "tools", "tool_choice", "thinking", "output_config", "stream"]
    ),
    block=st.dictionaries(
        st.sampled_from(["text", "source", "id", "name", "input", "content", "tool_use_id"]), JSON
    ),
    kind=st.sampled_from(["text", "image", "tool_use", "tool_result", "odd"]),
    value=JSON,
)
def test_any_values_are_a_request_or_a_request_error(
    field: str, block: dict[str, Any], kind: str, value: Any
) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": [{"type": kind, **block}]}]}
    try:
        decode_request(json.dumps({**body, field: value}).encode())
    except RequestError as error:
        assert error.message[0].islower() or error.message[0] == "'", error.message
