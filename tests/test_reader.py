"""An upstream body in any cut, of any kind, into pieces."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.diagnosis.verdict import Source
from fcc.errors import (
    CutError,
    OverloadedError,
    RateLimitedError,
    StalledError,
    UpstreamServerError,
)
from fcc.settings.profile import Reply
from fcc.translate.context import Context
from fcc.translate.pieces import Failure, Finish, Piece, Reasoning, Text, ToolCall, Usage
from fcc.translate.reply.reader import Reader
from fcc.translate.tools import DeclaredTool
from fcc.wire import sse
from tests.scripted import DONE, call, chunk, data, text, usage


def pieces(*raws: bytes, cut: Any = None, **reply: Any) -> list[Piece]:
    reader = Reader(Source("P", "m"), Reply(**reply), Context(tools=(DeclaredTool("Read"),)))
    found = [piece for raw in raws for piece in reader.feed(raw)] + reader.finish(cut)
    assert reader.done
    assert reader.finished
    assert reader.feed(b"data: more\n\n") == reader.finish() == []
    return found


def said(found: list[Piece]) -> str:
    return "".join(piece.text for piece in found if isinstance(piece, Text))


def failure(*raws: bytes, cut: Any = None) -> Any:
    found = pieces(*raws, cut=cut)
    assert isinstance(found[-1], Failure)
    assert not [piece for piece in found[:-1] if isinstance(piece, Failure | Finish)]
    return found[-1].error


WHOLE = {"choices": [{"message": {"content": "all", "reasoning": "hm"}, "finish_reason": "stop"}],
         "usage": {"prompt_tokens": 3, "completion_tokens": 2}}  # fmt: skip


@pytest.mark.parametrize("lead", [b"", b"\n", b"  \r\n", b"\xef\xbb\xbf", b"\n" * 100])
def test_a_whole_completion_is_read_like_a_stream(lead: bytes) -> None:
    raw = lead + json.dumps(WHOLE).encode()
    for parts in ([raw], [raw[i : i + 1] for i in range(len(raw))]):
        found = pieces(*parts)
        assert said(found) == "all"
        assert Reasoning("hm") in found
        assert Usage(3, 2) in found
        assert found[-1] == Finish()


@pytest.mark.parametrize("lead", [b"", b"\n\n", b": comment\n\n", b"\xef\xbb\xbf"])
def test_a_stream_may_begin_with_white_space_and_comments(lead: bytes) -> None:
    raw = lead + b"".join(text("hi"))
    assert said(pieces(raw)) == said(pieces(*(raw[i : i + 1] for i in range(len(raw))))) == "hi"


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"<!doctype html><h1>Gateway down</h1>", UpstreamServerError),
        (b'{"error":{"message":"slow down","code":429}}', RateLimitedError),
        (b'[{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}]', OverloadedError),
        (b"{}", UpstreamServerError), (b"[]", UpstreamServerError), (b'{"choices":[]}', UpstreamServerError),
        (b"{broken", UpstreamServerError), (b'{"choices":[{"message":{}}]}', UpstreamServerError),
    ],
)  # fmt: skip
def test_a_body_that_is_no_stream_and_no_completion_is_a_failure(raw: bytes, kind: type) -> None:
    error = failure(raw)
    assert type(error) is kind
    assert "P" in error.message
    assert "<" not in error.message


@pytest.mark.parametrize("raws", [[], [b""], [b"\n\n"], [b": only comments\n\n"], [DONE],
                                  [chunk(role="assistant")], [chunk(role="assistant"), DONE]])  # fmt: skip
def test_a_stream_of_nothing_is_a_cut(raws: list[bytes]) -> None:
    error = failure(*raws)
    assert isinstance(error, CutError)
    assert error.retryable


def test_a_stream_that_ends_before_its_answer_does_is_a_cut() -> None:
    error = failure(chunk(content="half"))
    assert isinstance(error, CutError)
    assert "no finish_reason" in error.message


def test_the_transports_own_reason_is_told() -> None:
    stalled = StalledError("silent")
    assert failure(chunk(content="half"), cut=stalled) is stalled
    assert failure(b'{"choices":[', cut=stalled) is stalled


@pytest.mark.parametrize("end", [[chunk("stop")], [chunk("stop"), DONE], [DONE], [usage(3, 2)],
                                 [chunk("stop"), usage(3, 2)]])  # fmt: skip
def test_any_sign_of_an_end_is_one(end: list[bytes]) -> None:
    assert isinstance(pieces(chunk(content="x"), *end)[-1], Finish)


def test_a_break_after_the_finish_loses_nothing() -> None:
    found = pieces(*text("hi")[:-1], cut=CutError("cut"))
    assert said(found) == "hi"
    assert isinstance(found[-1], Finish)


def test_what_follows_the_end_does_not_matter() -> None:
    assert said(pieces(*text("hi"), chunk(content="more"), b"junk")) == "hi"


def test_an_error_in_the_stream_is_told_once_with_the_providers_words() -> None:
    for event in (data({"error": {"message": "their words", "code": 503}}),
                  b'event: error\ndata: {"message":"their words","code":503}\n\n',
                  data([{"error": {"message": "their words", "code": 503}}]),
                  data({"type": "error", "error": {"type": "overloaded_error", "message": "their words"}})):  # fmt: skip
        error = failure(chunk(content="x"), event, chunk(content="y"), DONE)
        assert isinstance(error, OverloadedError)
        assert "their words" in error.message


@pytest.mark.parametrize("junk", [b"data: not json\n\n", b"data: [1]\n\n", b"data: <b>\n\n"])
def test_data_that_is_no_chunk_is_a_failure(junk: bytes) -> None:
    assert isinstance(failure(chunk(content="x"), junk, *text("y")), UpstreamServerError)


def test_a_last_line_that_the_end_cuts_is_left_out_where_the_answer_is_whole() -> None:
    found = pieces(*text("hi")[:-1], b'data: {"choices":[{"del')
    assert said(found) == "hi"
    assert isinstance(found[-1], Finish)


def test_a_last_line_that_the_end_cuts_is_a_cut_where_it_is_not() -> None:
    assert isinstance(failure(chunk(content="hi"), b'data: {"choices":[{"del'), CutError)


def test_a_finish_that_says_error_is_one() -> None:
    assert isinstance(failure(chunk(content="x"), chunk("error"), DONE), UpstreamServerError)


def test_what_was_repaired_is_counted() -> None:
    reader = Reader(Source("P", "m"), Reply(), Context(tools=(DeclaredTool("Read"),)))
    for raw in (call("{'a': 1}", name="Read"), chunk("tool_calls"), DONE):
        reader.feed(raw)
    assert reader.repairs == {"python": 1}


def test_a_body_without_an_end_is_refused() -> None:
    reader = Reader(Source("P", "m"), Reply())
    reader.feed(b"{")
    found: list[Piece] = []
    for _ in range(40):
        found += reader.feed(b" " * (sse.MAX_EVENT_BYTES // 32))
    assert isinstance(found[-1], Failure)
    found = []
    reader = Reader(Source("P", "m"), Reply())
    for _ in range(40):
        found += reader.feed(b"data: " + b"x" * (sse.MAX_EVENT_BYTES // 32))
    assert isinstance(found[-1], Failure)


_CHUNKS = st.lists(
    st.sampled_from(
        [chunk(content="a"), chunk(content="\n"), chunk(content="é\u2028🙂"), chunk(reasoning="r"), chunk(content="<think>"),
         chunk(content="</think>"), call('{"a"', name="Read"), call(":1}"), chunk("stop"), chunk("length"), DONE,
         usage(3, 2), b": c\n\n", b"\r\n", chunk(content=None), data({"error": {"message": "x"}}),
         data(WHOLE), b"data: junk\n\n", b"data: {}\r\r"]
    ),
    max_size=8,
)  # fmt: skip


def joined(found: list[Piece]) -> list[Any]:
    out: list[Any] = []
    for piece in found:
        if isinstance(piece, Text | Reasoning) and out and type(out[-1]) is type(piece):
            out[-1] = type(piece)(out[-1].text + piece.text)
        elif isinstance(piece, Failure):
            out.append((type(piece.error), piece.error.message))
        elif isinstance(piece, ToolCall):
            out.append(piece.name)
        else:
            out.append(piece)
    return out


@given(_CHUNKS, st.data(), st.booleans())
def test_any_cut_of_any_body_says_the_same(
    chunks: list[bytes], dice: st.DataObject, broke: bool
) -> None:
    raw = b"".join(chunks)
    cuts = sorted(dice.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    parts = [raw[a:b] for a, b in pairwise([0, *cuts, len(raw)])]
    cut = CutError("broke") if broke else None
    assert joined(pieces(*parts, cut=cut)) == joined(pieces(raw, cut=cut))
