"""What comes in the place of an answer: other bodies, other statuses, other protocols?"""

import asyncio
import gzip

from tests.chaos.fault import Loss, answering, fault
from tests.chaos.line import Line
from tests.chaos.pages import HTML
from tests.chaos.recorded import HEAD_CLOSE, framed
from tests.scripted import DONE

_JSON = b"Content-Type: application/json\r\n"
_MB = 1 << 20

for _name, _body in {
    "an_empty_body": b"",
    "nothing_but_the_end": DONE,
    "a_page": HTML,
    "json_that_is_no_completion": b'{"ok":true}',
    "an_error_in_json": b'{"error":{"message":"no such engine","code":503}}',
    "an_array": b'[{"error":{"message":"quota","code":429}}]',
    "half_of_json": b'{"choices":[{"message":{"content":"One',
    "zeros": bytes(5000),
    "what_is_no_utf8": b"data: \xff\xfe\xfa\n\n",
    "what_was_compressed": gzip.compress(b"data: {}\n\n"),
    "words": b"Service temporarily unavailable, try later.\n",
    "an_error_event": b'event: error\ndata: {"message":"overloaded"}\n\n',
    "braces": b"{" * 200_000,
}.items():
    answering(f"answers_{_name}", Loss.ALL, HEAD_CLOSE, _body)


@fault(Loss.ALL, light=False)
async def says_a_line_of_100_mb(line: Line) -> None:
    await line.say(HEAD_CLOSE, b"data: ", *[b"x" * _MB] * 100)


@fault(Loss.ALL, light=False)
async def says_json_of_100_mb(line: Line) -> None:
    await line.say(HEAD_CLOSE, b'{"a":"', *[b"x" * _MB] * 100)


@fault(Loss.ALL, light=False)
async def says_nothing_but_blank_lines(line: Line) -> None:
    await line.say(HEAD_CLOSE, *[b"\r\n" * (_MB // 2)] * 10)


def _head(status: bytes, *headers: bytes) -> bytes:
    return b"HTTP/1.1 " + status + b"\r\n" + b"".join(header + b"\r\n" for header in headers)


for _status in (b"204 No Content", b"205 Reset", b"304 Not Modified", b"206 Partial Content"):
    answering(f"answers_{_status[:3].decode()}", Loss.ALL, _head(_status), b"\r\n")
for _status in (b"301 Moved", b"302 Found", b"307 Temporary Redirect", b"308 Permanent Redirect"):
    answering(
        f"answers_{_status[:3].decode()}",
        Loss.ALL,
        _head(_status, b"Location: /v1/chat/completions", b"Content-Length: 0"),
        b"\r\n",
    )
answering("answers_999", Loss.ALL, _head(b"999 Request denied"), b"\r\n", HTML)
answering("answers_600_without_words", Loss.ALL, b"HTTP/1.1 600\r\n\r\n")
answering("answers_http_0_9", Loss.ALL, HTML)
answering("answers_http_2", Loss.ALL, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
answering("answers_noise", Loss.ALL, bytes(range(256)) * 40)


@fault(Loss.NOTHING)
async def answers_after_100(line: Line) -> None:
    await line.say(b"HTTP/1.1 100 Continue\r\n\r\n" * 2, line.answer.chunked())


@fault(Loss.NOTHING)
async def answers_after_103(line: Line) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n"
    await line.say(hints, line.answer.chunked())


@fault(Loss.ALL)
async def says_100_for_ever(line: Line) -> None:
    await line.repeat_slowly(b"HTTP/1.1 100 Continue\r\n\r\n")


@fault(Loss.ALL)
async def switches_protocols(line: Line) -> None:
    await line.say(b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
    await line.silence()


_500 = b"HTTP/1.1 500 Internal Server Error\r\n"


@fault(Loss.ALL)
async def refuses_in_broken_chunks(line: Line) -> None:
    await line.say(_500 + b"Transfer-Encoding: chunked\r\n\r\n" + framed(b"it"))
    await asyncio.sleep(0.02)
    await line.say(b"zz\r\n")
    await line.silence()


@fault(Loss.ALL)
async def refuses_and_is_silent(line: Line) -> None:
    await line.say(_500 + _JSON + b"Content-Length: 50\r\n\r\n", b'{"error":{"message":"it')
    await line.silence()


@fault(Loss.ALL)
async def refuses_and_closes(line: Line) -> None:
    await line.say(_500 + _JSON + b"Content-Length: 50\r\n\r\n", b'{"error":{"message":"it')


@fault(Loss.ALL)
async def refuses_and_resets(line: Line) -> None:
    await line.say(_500 + _JSON + b"Content-Length: 50\r\n\r\n", b'{"error":{"message":"it')
    line.reset()


@fault(Loss.ALL)
async def refuses_in_words_that_drip_without_end(line: Line) -> None:
    await line.say(_500 + b"\r\n")
    await line.repeat_slowly(b"a")


@fault(Loss.ALL, light=False)
async def refuses_in_words_without_end(line: Line) -> None:
    await line.say(_500 + b"\r\n")
    await line.repeat(b"no, " * 10_000)
