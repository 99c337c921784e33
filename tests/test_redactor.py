"""What is recorded has no secret in it, and is framed as it was."""

import json
import random
import zlib
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.observe.redactor import Redactor
from tests.planted import planted
from tests.scripted import DONE, chunk, data

WORDY = "correct-horse-battery-staple"
"""A key that only who knows it recognizes."""

REDACTOR = Redactor([WORDY, "fcc!", 'quo"te\\d-secret', "ab"])


def told(raw: bytes) -> str:
    """What the deltas of a stream say together."""
    parts = []
    for line in raw.splitlines():
        if line.startswith(b"data: {"):
            delta = json.loads(line[6:])["choices"][0]["delta"]
            calls = delta.get("tool_calls") or [{"function": {"arguments": ""}}]
            parts.append(delta.get("content") or calls[0]["function"]["arguments"])
    return "".join(parts)


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        (("Authorization", "Bearer abc"), "Bearer ***"),
        (("Authorization", WORDY), "***"),
        (("X-Api-Key", "x"), "***"),
        (("api-key", "x"), "***"),
        (("Cookie", "a=b"), "***"),
        (("Set-Cookie", "a=b; Path=/"), "***"),
        (("X-Auth-Token", "x"), "***"),
        (("CF-Access-Client-Secret", "x"), "***"),
        (("Ocp-Apim-Subscription-Key", "x"), "***"),
        (("X-Gateway", "anything"), "***"),
        (("X-Note", f"with {WORDY} in it"), "with *** in it"),
        (("x-request-id", f"of-{WORDY}"), "of-***"),
        (("X-RateLimit-Remaining-Tokens", "123456"), "123456"),
        (("anthropic-version", "2023-06-01"), "2023-06-01"),
        (("User-Agent", "claude-cli/2.1.330 (external, sdk-cli)"), None),
        (("Content-Type", "text/event-stream; charset=utf-8"), None),
        (("X-Stainless-Arch", "x64"), None),
    ],
)
def test_of_a_secret_header_only_its_name_is_left(header, shown) -> None:
    expected = (header[0].lower(), header[1] if shown is None else shown)
    for _ in range(2):
        assert REDACTOR.headers([header], ["x-gateway"]) == [expected]


def test_what_is_known_word_for_word_is_masked_as_it_is_and_as_json_and_urls_have_it() -> None:
    odd = 'quo"te\\d-secret'
    raw = json.dumps({"a": odd, "b": f"key {WORDY}.", "c": "x?k=quo%22te%5Cd-secret"}).encode()
    assert json.loads(REDACTOR.body(raw)) == {"a": "***", "b": "key ***.", "c": "x?k=***"}


def test_a_short_key_is_masked_as_a_word_and_a_very_short_one_not_at_all() -> None:
    assert REDACTOR.text("(fcc!) afcc! ab") == "(***) afcc! ab"
    assert REDACTOR.body(b'{"ab": "ab", "x": "fcc!"}') == b'{"ab": "ab", "x": "***"}'


def test_a_body_without_a_secret_keeps_its_bytes() -> None:
    raw = b'{ "a":1.50, "u": "\\u00e9\xc3\xa9",\n "big": 12345678901234567890123 }\xff'
    assert REDACTOR.body(raw) == raw


@given(st.data())
def test_a_secret_that_is_told_in_pieces_is_masked_whatever_the_cut(draw) -> None:
    one = planted(1)[draw.draw(st.integers(0, 100))]
    text = f"see: {one.text}\nend"
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    parts = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    raw = b"".join([*(chunk(content=part) for part in parts), chunk("stop", content=""), DONE])
    at = sorted(draw.draw(st.lists(st.integers(0, len(raw)), max_size=5)))
    reads = [raw[a:b] for a, b in zip([0, *at], [*at, len(raw)], strict=True)]
    redacted = REDACTOR.stream(reads)
    assert len(redacted) == len(reads)
    whole = b"".join(redacted)
    assert not one.shown(told(whole))
    assert not one.shown(whole.decode())
    assert told(whole).startswith("see: ")
    assert told(whole).endswith("end")
    assert whole.endswith(DONE)


def test_arguments_of_two_calls_that_come_mixed_are_read_one_by_one() -> None:
    def call(index: int, arguments: str) -> bytes:
        return chunk(tool_calls=[{"index": index, "function": {"arguments": arguments}}])

    key = "gsk_" + planted(3)[0].secrets[0]
    reads = [call(0, '{"k":"' + key[:9]), call(1, '{"n":1'), call(0, key[9:] + '"}'), call(1, "}")]
    whole = b"".join(REDACTOR.stream(reads))
    assert told(whole) == '{"k":"gsk_***{"n":1"}}'
    assert whole.count(b"\n\n") == 4


def test_events_that_nothing_changes_in_keep_their_bytes() -> None:
    reads = [b": ping\r\n\r\n", b'data:  {"choices":[{"delta":{"content":"a"}}], "x":1.0}\n\n']
    assert REDACTOR.stream(reads) == reads


def test_a_stream_that_was_cut_and_one_that_is_no_stream_are_redacted_too() -> None:
    key = "sk-proj-" + planted(4)[0].secrets[0]
    for raw in (
        data({"choices": [{"delta": {"content": key}}]})[:-9],
        json.dumps({"error": {"message": f"bad key {key}"}}).encode(),
        f"<html><body>Incorrect key: {key}</body></html>".encode(),
        f": a comment with {key}\n\n".encode(),
        f"event: error\ndata: no JSON {key}\n\n".encode(),
    ):
        cut = len(raw) // 2
        whole = b"".join(REDACTOR.stream([raw[:cut], raw[cut:]]))
        assert key[8:16].encode() not in whole
        assert whole[:8] == raw[:8]


def test_a_secret_in_a_packed_signature_takes_the_signature_with_it() -> None:
    def sealed(text: str) -> str:
        return "fcc1." + urlsafe_b64encode(zlib.compress(text.encode())).rstrip(b"=").decode()

    clean, dirty = sealed('["m",[{"x":"nothing"}]]'), sealed(f'["m",[{{"x":"{WORDY}"}}]]')
    raw = json.dumps({"a": clean, "b": dirty, "c": "fcc1.not-base64-at-all"}).encode()
    redacted = json.loads(REDACTOR.body(raw))
    assert redacted == {"a": clean, "b": "fcc1.***", "c": "fcc1.not-base64-at-all"}


@given(st.binary(max_size=300))
def test_any_bytes_can_be_recorded(raw) -> None:
    assert isinstance(REDACTOR.body(raw), bytes)
    cut = len(raw) // 3
    parts = REDACTOR.stream([raw[:cut], raw[cut:]])
    assert b"".join(parts).count(b"\n") == raw.count(b"\n")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["api_key", "token", "delta", "index", "x"]), inner)
    ),
    max_leaves=12,
)


@given(JSON, st.integers(0, 100))
def test_json_stays_json_with_a_secret_anywhere(value: Any, which: int) -> None:
    secret = planted(2)[which]
    raw = json.dumps({"a": value, "choices": [{"delta": {"content": secret.text}}]}).encode()
    for redacted in (REDACTOR.body(raw), b"".join(REDACTOR.stream([b"data: " + raw + b"\n\n"]))):
        text = redacted.removeprefix(b"data: ").decode()
        assert not secret.shown(text)
        shape = json.loads(text)
        assert shape.keys() == {"a", "choices"}


def test_a_secret_on_the_border_of_two_windows_is_masked_whole() -> None:
    dice = random.Random(31)
    for one in planted(31)[::2]:
        before = 256 * 1024 - dice.randrange(len(one.text) + 2)
        raw = b"." * (before - 1) + b"\n" + one.text.encode() + b"\n" + b"." * 1000
        redacted = REDACTOR.body(raw).decode()
        assert not one.shown(redacted), before
        assert redacted.endswith("\n" + "." * 1000)


def test_megabytes_without_a_secret_stay_as_they_are() -> None:
    dice = random.Random(5)
    parts = ["def f(x):", "return x", "key=1", "\\n", '"', "token", "é"]
    words = [dice.choice(parts) for _ in range(200_000)]
    raw = json.dumps({"content": " ".join(words)}).encode()
    assert REDACTOR.body(raw) == raw


def test_json_that_is_nested_beyond_reason_is_redacted_as_bytes() -> None:
    key = "gsk_" + planted(41)[0].secrets[0]
    for deep in (300, 5000):
        raw = b'data: {"delta":' + b"[" * deep + f'"{key}"'.encode() + b"]" * deep + b"}\n\n"
        (whole,) = REDACTOR.stream([raw])
        assert key[4:16].encode() not in whole
        assert whole.count(b"[") == deep
