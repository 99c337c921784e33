"""Server-sent events, by the rules of the WHATWG and in any cut."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.errors import UpstreamServerError
from fcc.wire.sse import MAX_EVENT_BYTES, ServerSentEvent, SSEDecoder


def events(*raws: bytes) -> list[tuple[bytes, bytes]]:
    decoder = SSEDecoder()
    found = [event for raw in raws for event in decoder.feed(raw)]
    return [(event.event, event.data) for event in found + decoder.finish()]


def datas(*raws: bytes) -> list[bytes]:
    return [data for _, data in events(*raws)]


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_every_line_end_of_the_standard_ends_a_line(end: bytes) -> None:
    raw = b"event: a" + end + b"data: x" + end + end + b"data: y" + end + end
    assert events(raw) == [(b"a", b"x"), (b"", b"y")]


def test_line_ends_may_be_mixed() -> None:
    assert datas(b"data: a\r\n\ndata: b\r\r\ndata: c\n\r\n") == [b"a", b"b", b"c"]


def test_a_crlf_that_is_split_between_reads_is_one_line_end() -> None:
    assert datas(b"data: a\r", b"\ndata: b\r", b"\n\r", b"\n") == [b"a\nb"]


def test_a_lone_return_at_the_end_of_a_read_is_a_line_end_too() -> None:
    assert datas(b"data: a\r", b"\r", b"data: b\r", b"\r") == [b"a", b"b"]


@pytest.mark.parametrize("cut", range(4))
def test_a_byte_order_mark_is_dropped_in_any_cut(cut: int) -> None:
    raw = b"\xef\xbb\xbfdata: x\n\n"
    assert datas(raw[:cut], raw[cut:]) == [b"x"]


def test_a_byte_order_mark_is_dropped_from_a_stream_without_a_line_end() -> None:
    assert datas(b"\xef\xbb\xbfdata: x") == [b"x"]


def test_a_second_byte_order_mark_is_part_of_the_field_name() -> None:
    assert datas(b"data: x\n\n\xef\xbb\xbfdata: y\n\n") == [b"x"]


@pytest.mark.parametrize(
    ("raw", "want"),
    [
        (b": comment\n\n", []),
        (b":\n:\n\n", []),
        (b": keep-alive\ndata: x\n\n", [b"x"]),
        (b"data:x\n\n", [b"x"]),
        (b"data:  x\n\n", [b" x"]),
        (b"data: a\ndata: b\n\n", [b"a\nb"]),
        (b"data:\ndata:\n\n", [b"\n"]),
        (b"data\n\n", [b""]),
        (b"data: a:b: c\n\n", [b"a:b: c"]),
        (b"id: 7\nretry: 100\ndata: x\n\n", [b"x"]),
        (b"\n\n\ndata: x\n\n\n\n", [b"x"]),
        (b"event: a\n\ndata: x\n\n", [b"x"]),
        (b"datax: y\nDATA: z\n\n", []),
        (b" data: y\n\n", []),
    ],
)
def test_fields_are_read_as_the_standard_says(raw: bytes, want: list[bytes]) -> None:
    assert datas(raw) == want
    assert datas(*(raw[i : i + 1] for i in range(len(raw)))) == want


def test_an_event_without_data_gives_nothing_and_its_name_does_not_carry_over() -> None:
    assert events(b"event: ping\n\ndata: x\n\n") == [(b"", b"x")]


@pytest.mark.parametrize("text", ["\u2028", "\u2029", "\u0085", "\x0b", "\x0c", "\x1c", "\x1e"])
def test_only_returns_and_newlines_end_a_line(text: str) -> None:
    data = f'{{"a":"x{text}y"}}'.encode()
    assert datas(b"data: " + data + b"\n\n") == [data]
    assert datas(b"data: " + data + b"\r\n\r\n") == [data]


@pytest.mark.parametrize("tail", [b"", b"\n", b"\r", b"\r\n"])
def test_an_event_that_the_end_cuts_before_its_blank_line_is_given(tail: bytes) -> None:
    assert datas(b"data: a\n\ndata: [DONE]" + tail) == [b"a", b"[DONE]"]


def test_many_events_of_one_read_come_in_order() -> None:
    raw = b"".join(b"data: %d\n\n" % n for n in range(100))
    assert datas(raw) == [b"%d" % n for n in range(100)]


def test_events_are_given_as_soon_as_their_blank_line_is_there() -> None:
    decoder = SSEDecoder()
    assert decoder.feed(b"data: a\n") == []
    assert decoder.feed(b"\ndata: b") == [ServerSentEvent(b"a")]
    assert decoder.feed(b"\n\n") == [ServerSentEvent(b"b")]
    assert decoder.feed(b"data: c\n\n") == [ServerSentEvent(b"c")]


_LINES = st.sampled_from(
    [b"data: x", b"data:y", b"data", b"event: e", b"event:", b": c", b"id: 1", b"", b"", b"junk",
     b"data: \xe2\x80\xa8z", b"\xef\xbb\xbfdata: b", b'data: {"a":1}']
)  # fmt: skip


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    ends = st.sampled_from([b"\n", b"\n", b"\r", b"\r\n"])
    lines = draw(st.lists(st.tuples(_LINES, ends), max_size=12))
    raw = b"".join(line + end for line, end in lines)
    return raw[: len(raw) - draw(st.integers(0, 3))] if raw else raw


@given(streams(), st.data())
def test_any_cut_gives_the_same_events(raw: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    parts = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    assert events(*parts) == events(raw) == events(*(raw[i : i + 1] for i in range(len(raw))))


@given(st.lists(streams(), max_size=3), streams())
def test_an_event_that_is_known_to_be_single_is_what_feeding_gives(
    before: list[bytes], raw: bytes
) -> None:
    decoder = SSEDecoder()
    for part in before:
        decoder.feed(part)
    data = decoder.single(raw)
    if data is not None:
        assert decoder.feed(raw) == [ServerSentEvent(data)]


def test_one_event_in_one_read_is_single_and_anything_else_is_not() -> None:
    decoder = SSEDecoder()
    assert decoder.single(b"data: x\n\n") is None, "a byte order mark may stand before the first"
    decoder.feed(b"data: x\n\n")
    assert decoder.single(b"data: y\n\n") == b"y"
    for raw in (
        b"data: x\n",
        b"data: x\n\ndata: y\n\n",
        b"data: x\r\n\n",
        b"id: 1\n\n",
        b"\n\n",
        b"",
    ):
        assert decoder.single(raw) is None
    decoder.feed(b"data: x\n")
    assert decoder.single(b"data: y\n\n") is None


def seconds(size: int) -> float:
    decoder, raw = SSEDecoder(), b"x"
    began = time.process_time()
    for _ in range(size):
        decoder.feed(raw)
    return time.process_time() - began


def test_one_byte_reads_of_a_long_line_take_linear_time() -> None:
    seconds(1000)
    short = min(seconds(10_000) for _ in range(3))
    assert min(seconds(80_000) for _ in range(2)) < 8 * short * 4


def test_a_line_without_an_end_is_refused_at_the_limit() -> None:
    decoder = SSEDecoder()
    with pytest.raises(UpstreamServerError, match="more than"):
        for _ in range(40):
            decoder.feed(b"x" * (MAX_EVENT_BYTES // 32))


def test_an_event_of_many_lines_is_refused_at_the_limit() -> None:
    decoder = SSEDecoder()
    line = b"data: " + b"x" * (MAX_EVENT_BYTES // 32) + b"\n"
    with pytest.raises(UpstreamServerError, match="more than"):
        for _ in range(40):
            decoder.feed(line)


def test_many_events_that_are_together_over_the_limit_are_fine() -> None:
    decoder = SSEDecoder()
    event = b"event: e\ndata: " + b"x" * (MAX_EVENT_BYTES // 4) + b"\n\n"
    assert sum(len(decoder.feed(event)) for _ in range(6)) == 6
