"""The flight recorder: a bounded ring in memory, files that outlive the daemon, and no harm done."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import BadHttpMessage
from aiohttp.http_parser import (
    HttpRequestParser,
    HttpRequestParserPy,
    HttpResponseParser,
    HttpResponseParserPy,
)
from multidict import CIMultiDict, CIMultiDictProxy

from fcc.errors import NotFoundError, RateLimitedError, Said, UpstreamError
from fcc.observe.head import packed, unpacked
from fcc.observe.outcome import Outcome
from fcc.observe.recorder import Recorder
from fcc.observe.recording import Recording
from fcc.observe.shelf import Shelf
from fcc.observe.trace import Data, Trace, encoded, found
from fcc.settings.recorder import RecorderOptions

ROOT = Path(__file__).parent.parent


def recorder(shelf: Path | None = None, **options: Any) -> Recorder:
    made = Recorder(
        RecorderOptions(**{"bodies": True, **options}), lambda: frozenset({"the-known-key"})
    )
    made.shelf = Shelf(shelf) if shelf else None
    return made


def begin(made: Recorder, id: str) -> Recording:
    recording = made.begin(id, "POST", "/v1/messages", [("authorization", "Bearer x")])
    assert recording is not None
    return recording


def ended(id: str, at: float = 1.0, **fields: Any) -> Outcome:
    return Outcome(request_id=id, at=at, status=200, **fields)


async def one_request(made: Recorder, id: str, at: float = 1.0, size: int = 100) -> None:
    recording = begin(made, id)
    recording.asked(b"x" * size)
    recording.sent(b"y" * size)
    made.ended(ended(id, at))
    await made.settled()


async def ids(made: Recorder) -> list[str]:
    return [one.id for one in await made.summaries()]


async def test_a_trace_has_what_came_in_went_up_came_back_and_was_sent() -> None:
    made = recorder()
    recording = begin(made, "req_1")
    recording.asked(b'{"a":1}')
    attempt = recording.attempt("p", "m", b'{"b":2}', "http://h/v1")
    attempt.status, attempt.response_headers = 200, [("X-Request-Id", "7")]
    attempt.read(b"data: 1\n\n")
    attempt.read(b"data: the-known-key\n\n")
    recording.attempt_ended(None)
    recording.sent(b"event: x\n\n")
    made.ended(ended("req_1", outcome="end_turn"))
    trace = await made.trace("req_1")
    assert trace.body == Data('{"a":1}')
    assert trace.headers == [("authorization", "Bearer ***")]
    (one,) = trace.attempts
    assert (one.url, one.status, one.body, one.body_bytes) == (
        "http://h/v1",
        200,
        Data('{"b":2}'),
        7,
    )
    assert one.response_headers == [("x-request-id", "7")]
    assert one.received is not None
    assert [raw for _, raw in one.received.parts()] == [b"data: 1\n\n", b"data: ***\n\n"]
    assert trace.sent is not None
    assert trace.sent.data.raw == b"event: x\n\n"


async def test_without_bodies_facts_are_kept_and_nothing_that_was_said() -> None:
    made = recorder(bodies=False)
    recording = begin(made, "req_1")
    recording.asked(b"a prompt")
    attempt = recording.attempt("p", "m", b"a body")
    assert attempt.talk is None
    made.ended(ended("req_1"))
    trace = await made.trace("last")
    assert (trace.body_bytes, trace.attempts[0].body_bytes) == (8, 6)
    assert b"prompt" not in encoded(trace)
    assert (trace.bodies, trace.left_out) == (False, "")


async def test_headers_of_facts_come_back_in_their_order_the_repeated_ones_too() -> None:
    made = recorder(bodies=False)
    headers = CIMultiDict(
        [("Via", "one"), ("X-Empty", ""), ("Via", "other"), ("X-Last", "é \udcff")]
    )
    recording = made.begin("req_1", "POST", "/v1/messages", CIMultiDictProxy(headers).items())
    assert recording is not None
    recording.attempt("p", "m", b"", "http://h/v1", {"Accept": "*/*"})
    said = Said(429, (("Set-Cookie", "a"), ("Set-Cookie", "b"), ("Retry-After", "7")), b"slow down")
    refused = RateLimitedError("slow down")
    refused.said = said
    recording.attempt_ended(refused)
    recording.attempt("p", "m", b"")
    made.ended(ended("req_1"))
    trace = await made.trace("last")
    assert [name for name, _ in trace.headers] == ["via", "x-empty", "via", "x-last"]
    assert [value for _, value in trace.headers][:3] == ["one", "", "other"]
    first, second = trace.attempts
    assert first.headers == [("accept", "*/*")]
    assert (first.status, first.response_headers) == (
        429,
        [("set-cookie", "***"), ("set-cookie", "***"), ("retry-after", "7")],
    )
    assert (second.headers, second.response_headers) == ([], [])


@pytest.mark.parametrize("headers", [[], [("a", "")], [("a", "1"), ("b", "2"), ("a", "3")]])
def test_a_packed_head_is_unpacked_as_it_was(headers: list[tuple[str, str]]) -> None:
    head = packed(headers)
    assert unpacked(head) == headers


@pytest.mark.parametrize("value", [b"a\r\n b", b"a\n b", b"a\rb", b"a\nb", b"\r\n a", b"a\r\r\n b"])
async def test_no_header_that_was_parsed_has_a_line_end(value: bytes) -> None:
    loop, seen = asyncio.get_running_loop(), 0
    for parser, first in (
        (HttpRequestParser, b"GET / HTTP/1.1"), (HttpRequestParserPy, b"GET / HTTP/1.1"),
        (HttpResponseParser, b"HTTP/1.1 200 OK"), (HttpResponseParserPy, b"HTTP/1.1 200 OK"),
    ):  # fmt: skip
        raw = b"%b\r\nHost: h\r\nX-A: %b\r\nContent-Length: 0\r\n\r\n" % (first, value)
        with suppress(BadHttpMessage):
            messages, _, _ = parser(BaseProtocol(loop), loop, 65536).feed_data(raw)
            headers = list(messages[0][0].headers.items())
            assert unpacked(packed(headers)) == headers
            seen += 1
    assert seen or value in (b"a\rb", b"a\nb")


async def test_the_token_that_came_with_a_request_is_masked_wherever_it_stands() -> None:
    token = "kJ8xQ2mZ7vR4tY9wB3nL6pC1"
    for bodies in (False, True):
        for headers in ({"X-Api-Key": token}, {"authorization": f"Bearer {token}"}):
            made = recorder(bodies=bodies)
            recording = made.begin("req_1", "POST", f"/v1/messages?q={token}", headers.items())
            assert recording is not None
            recording.attempt("p", "m", b"")
            recording.attempt_ended(UpstreamError(f"{token} is wrong"))
            made.ended(ended("req_1", error=f"{token} is wrong"))
            trace = await made.trace("last")
            assert token not in encoded(trace).decode()
            assert trace.attempts[0].error == "*** is wrong"


async def test_secrets_of_before_a_change_and_of_behind_it_are_masked() -> None:
    known = {"an-old-secret"}
    made = Recorder(RecorderOptions(), lambda: frozenset(known))
    for id in ("req_before", "req_across"):
        begin(made, id).attempt("p", "m", b"")
    words = "an-old-secret or a-new-secret"
    made.ended(ended("req_before", error=words))
    made.remember()
    known.clear()
    known.add("a-new-secret")
    made.ended(ended("req_across", error=words))
    begin(made, "req_behind")
    made.ended(ended("req_behind", error=words))
    assert (await made.trace("req_before")).outcome.error == "*** or a-new-secret"
    assert (await made.trace("req_across")).outcome.error == "*** or ***"
    assert (await made.trace("req_behind")).outcome.error == "an-old-secret or ***"


async def test_an_attempt_ends_once() -> None:
    made = recorder(bodies=False)
    recording = begin(made, "req_1")
    recording.attempt_ended(None)
    recording.attempt("p", "m", b"")
    recording.attempt_ended(None)
    ends = recording.attempts[0].ended
    assert ends is not None
    recording.attempt_ended(UpstreamError("no attempt was made"))
    made.ended(ended("req_1"))
    (attempt,) = (await made.trace("last")).attempts
    assert (attempt.ended, attempt.error) == (ends, "")


async def test_the_ring_of_facts_is_bounded_in_bytes_too() -> None:
    made = recorder(bodies=False, max_bytes=100_000)
    for n in range(9):
        recording = made.begin(f"req_{n}", "POST", "/", [("x-long", "x" * 10_000)])
        assert recording is not None
        attempt = recording.attempt("p", "m", b"")
        attempt.response_headers = [("x-long", "x" * 10_000)]
        made.ended(ended(f"req_{n}", n))
    assert await ids(made) == ["req_5", "req_6", "req_7", "req_8"]


async def test_the_ring_keeps_the_last_ones() -> None:
    made = recorder(keep=3)
    for n in range(5):
        await one_request(made, f"req_{n}", n)
    assert await ids(made) == ["req_2", "req_3", "req_4"]


async def test_the_ring_is_bounded_in_bytes_too() -> None:
    made = recorder(max_bytes=100_000)
    for n in range(9):
        await one_request(made, f"req_{n}", n, size=10_000)
    assert await ids(made) == ["req_5", "req_6", "req_7", "req_8"]


async def test_nothing_is_kept_where_keep_is_0() -> None:
    made = recorder(keep=0)
    assert made.begin("req_1", "POST", "/", []) is None
    made.ended(ended("req_1"))
    assert await ids(made) == []


async def test_a_request_that_is_larger_than_the_ring_leaves_its_facts() -> None:
    made = recorder(max_bytes=100_000)
    await one_request(made, "req_0", size=1000)
    for size in (40_000, 99_999, 1_000_000):
        await one_request(made, f"req_{size}", size, size=size)
        trace = await made.trace(f"req_{size}")
        assert (trace.body_bytes, trace.body, trace.bodies) == (size, None, False)
        assert "max_bytes" in trace.left_out
    assert (await made.trace("req_0")).bodies


async def test_open_requests_together_hold_no_more_than_the_ring() -> None:
    made = recorder(max_bytes=100_000)
    open_ones = [begin(made, f"req_{n}") for n in range(20)]
    for one in open_ones:
        one.asked(b"x" * 10_000)
    assert sum(one.size for one in open_ones) == 100_000
    for n in range(20):
        made.ended(ended(f"req_{n}", n))
    await made.settled()
    await one_request(made, "req_later", 99, size=20_000)
    assert (await made.trace("req_later")).bodies, "the room was given back"


async def test_requests_at_the_same_time_don_t_mix() -> None:
    made = recorder()

    async def request(n: int) -> None:
        recording = begin(made, f"req_{n}")
        recording.asked(b"in %d" % n)
        for _ in range(5):
            await asyncio.sleep(0)
            recording.sent(b"out %d." % n)
        made.ended(ended(f"req_{n}", n))

    await asyncio.gather(*(request(n) for n in range(50)))
    for n in range(50):
        trace = await made.trace(f"req_{n}")
        assert trace.body is not None
        assert trace.sent is not None
        assert (trace.body.raw, trace.sent.data.raw) == (b"in %d" % n, b"out %d." % n * 5)


async def test_a_trace_outlives_the_daemon(tmp_path: Path) -> None:
    made = recorder(tmp_path / "traces")
    await one_request(made, "req_1", 5.0)
    await made.stop()
    another = recorder(tmp_path / "traces")
    assert await ids(another) == ["req_1"]
    assert (await another.trace("last")).body == Data("x" * 100)
    (file,) = (tmp_path / "traces").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "traces").stat().st_mode & 0o777 == 0o700


async def test_the_files_are_bounded_in_number_and_bytes(tmp_path: Path) -> None:
    made = recorder(tmp_path, keep=4)
    for n in range(8):
        await one_request(made, f"req_{n}", n)
    assert [one.id for one in Shelf(tmp_path).summaries()] == [f"req_{n}" for n in range(4, 8)]
    small = recorder(tmp_path, max_bytes=65536)
    await one_request(small, "req_large", 9, size=14_000)
    await one_request(small, "req_larger", 10, size=14_000)
    files = list(tmp_path.iterdir())
    assert sum(file.stat().st_size for file in files) <= 65536
    assert "req_larger" in await ids(small)


async def test_a_half_file_is_no_trace(tmp_path: Path) -> None:
    made = recorder(tmp_path)
    await one_request(made, "req_1")
    (file,) = tmp_path.iterdir()
    raw = file.read_bytes()
    for cut in (
        0,
        1,
        len(raw.splitlines()[0]),
        len(raw.splitlines()[0]) + 1,
        len(raw) // 2,
        len(raw) - 1,
    ):
        file.write_bytes(raw[:cut])
        assert Shelf(tmp_path).summaries() == [], cut
        assert Shelf(tmp_path).read("req_1") is None or cut == len(raw) - 1
    file.write_bytes(raw)
    assert len(Shelf(tmp_path).summaries()) == 1


async def test_what_nobody_writes_any_more_is_cleared_away(tmp_path: Path) -> None:
    stale, fresh = (tmp_path / f".{n}.trace.json.{n}.part" for n in (1, 2))
    stale.write_bytes(b"x")
    fresh.write_bytes(b"x")
    os.utime(stale, (1, 1))
    await one_request(recorder(tmp_path), "req_1")
    assert (stale.exists(), fresh.exists()) == (False, True)


async def test_a_disk_that_takes_nothing_is_told_once_a_minute(logged: list[str]) -> None:
    made = recorder(Path("/dev/full"))
    for n in range(3):
        await one_request(made, f"req_{n}", n)
    assert await ids(made) == ["req_0", "req_1", "req_2"]
    assert len(logged) == 1
    assert "traces can't be written" in logged[0]


WRITER = """
import asyncio, resource, signal, sys
from pathlib import Path
from fcc.observe.outcome import Outcome
from fcc.observe.recorder import Recorder
from fcc.observe.shelf import Shelf
from fcc.settings.recorder import RecorderOptions

async def main(folder, limit, count):
    if limit:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    made = Recorder(RecorderOptions(bodies=True, keep=1000), frozenset)
    made.shelf = Shelf(Path(folder))
    for n in range(count):
        recording = made.begin(f"req_{n}", "POST", "/", [])
        recording.asked(b"x" * 200_000)
        made.ended(Outcome(request_id=f"req_{n}", at=float(n), status=200))
        await made.settled()
        print(n, flush=True)
    print("traces in memory:", len(await made.summaries()), flush=True)

asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
"""


def writer(folder: Path, limit: int, count: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), str(folder), str(limit), str(count)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip


@pytest.mark.slow  # a process of its own
def test_a_full_disk_leaves_no_half_file_and_the_ring_goes_on(tmp_path: Path) -> None:
    process = writer(tmp_path, 100_000, 3)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "traces in memory: 3" in out
    assert err.count("traces can't be written") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow  # processes of their own
def test_kill_9_in_the_middle_of_a_write_leaves_whole_traces_only(tmp_path: Path) -> None:
    for reads in (1, 5, 9):
        process = writer(tmp_path, 0, 100_000)
        assert process.stdout is not None
        for _ in range(reads):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        summaries = Shelf(tmp_path).summaries()
        assert len(summaries) >= reads
        for one in summaries:
            trace = Shelf(tmp_path).read(one.id)
            assert trace is not None
            assert trace.body == Data("x" * 200_000)


KNOWN = ["req_aa11", "req_ab22", "req_b333"]


@pytest.mark.parametrize(
    ("wanted", "id"),
    [("req_ab22", "req_ab22"), ("req_b", "req_b333"), ("b3", "req_b333"), ("last", "req_b333")],
)
def test_an_id_is_itself_its_beginning_or_last(wanted: str, id: str) -> None:
    assert found(wanted, KNOWN) == id


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("req_a", "'req_a' begins 2 traces: req_aa11, req_ab22"),
        ("req_ab23", "there is no trace 'req_ab23', did you mean 'req_ab22'?"),
        ("nothing like it", "there is no trace 'nothing like it'"),
        ("", "there is no trace ''"),
    ],
)
def test_an_id_that_means_none_or_several_is_told(wanted: str, words: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        found(wanted, KNOWN)
    assert caught.value.message == words


def test_where_nothing_was_asked_there_is_no_last_trace() -> None:
    with pytest.raises(NotFoundError, match="nothing was asked"):
        found("last", [])


def test_bytes_that_are_no_text_come_back_as_they_were() -> None:
    for raw in (b"", b"text", "é".encode()[:1], bytes(range(256))):
        assert json.loads(encoded(Data.of(raw))) is not None
        assert Data.of(raw).raw == raw


def test_a_recorder_with_a_bound_that_makes_no_sense_is_refused() -> None:
    for options in ({"keep": -1}, {"max_bytes": 10}):
        with pytest.raises(ValueError, match=r"keep|max_bytes"):
            RecorderOptions(**options)


def test_facts_of_a_trace_are_without_what_was_said() -> None:
    outcome = ended("req_1")
    trace = Trace(outcome=outcome, method="POST", path="/", body=Data("secret"), bodies=True)
    assert b"secret" not in encoded(trace.facts("too large"))
