"""What goes wrong before an answer has begun?"""

import asyncio

from tests.chaos.fault import Loss, fault
from tests.chaos.line import Line
from tests.chaos.recorded import HEAD, HEAD_CHUNKED, HEAD_CLOSE, framed
from tests.scripted import chunk

_MB = 1 << 20


@fault(Loss.ALL, early=True)
async def resets_on_accept(line: Line) -> None:
    line.reset()


@fault(Loss.ALL, early=True)
async def closes_on_accept(line: Line) -> None: ...


@fault(Loss.ALL, early=True)
async def half_closes_on_accept(line: Line) -> None:
    line.end()
    await line.silence()


@fault(Loss.ALL, early=True)
async def never_reads(line: Line) -> None:
    await line.deafness()


@fault(Loss.ALL, early=True)
async def speaks_ssh(line: Line) -> None:
    await line.say(b"SSH-2.0-OpenSSH_9.6\r\n")
    await line.silence()


@fault(Loss.ALL, early=True)
async def speaks_tls(line: Line) -> None:
    await line.say(b"\x15\x03\x01\x00\x02\x02\x0a")


@fault(Loss.NOTHING, keeps=True)
async def answers_well(line: Line) -> None:
    await line.say(line.answer.chunked())


@fault(Loss.NOTHING, keeps=True)
async def answers_in_its_time(line: Line) -> None:
    """With `argument` milliseconds between two events."""
    await line.say(HEAD_CHUNKED)
    for event in line.answer.events:
        await line.say(framed(event))
        await asyncio.sleep(line.argument / 1000)
    await line.say(b"0\r\n\r\n")


@fault(Loss.ALL)
async def resets_before_the_head(line: Line) -> None:
    line.reset()


@fault(Loss.ALL)
async def closes_before_the_head(line: Line) -> None: ...


@fault(Loss.ALL)
async def is_silent_before_the_head(line: Line) -> None:
    await line.silence()


@fault(Loss.ALL)
async def half_closes_before_the_head(line: Line) -> None:
    line.end()
    await line.silence()


@fault(Loss.ALL)
async def resets_in_the_head(line: Line) -> None:
    await line.say(HEAD)
    line.reset()


@fault(Loss.ALL)
async def closes_in_the_head(line: Line) -> None:
    await line.say(HEAD)


@fault(Loss.ALL)
async def is_silent_in_the_head(line: Line) -> None:
    await line.say(HEAD)
    await line.silence()


@fault(Loss.ALL)
async def drips_a_head_without_end(line: Line) -> None:
    await line.say(HEAD, b"X-Slow: ")
    await line.repeat_slowly(b"a")


@fault(Loss.ALL, light=False)
async def sends_headers_without_end(line: Line) -> None:
    await line.say(HEAD)
    await line.repeat(b"X-Header: value\r\n" * 100)


@fault(Loss.ALL, light=False)
async def sends_a_header_without_end(line: Line) -> None:
    await line.say(HEAD, b"X-Header: ")
    await line.repeat(b"a" * _MB)


@fault(Loss.ALL)
async def resets_after_the_head(line: Line) -> None:
    await line.say(HEAD_CHUNKED)
    line.reset()


@fault(Loss.ALL)
async def closes_after_the_head(line: Line) -> None:
    await line.say(HEAD_CHUNKED)


@fault(Loss.ALL)
async def is_silent_after_the_head(line: Line) -> None:
    await line.say(HEAD_CHUNKED)
    await line.silence()


@fault(Loss.ALL)
async def half_closes_after_the_head(line: Line) -> None:
    await line.say(HEAD_CLOSE)
    line.end()
    await line.silence()


@fault(Loss.ALL, endless=True)
async def says_nothing_but_comments(line: Line) -> None:
    await line.say(HEAD_CHUNKED)
    await line.repeat_slowly(framed(b": keep-alive\n\n"))


@fault(Loss.ALL, endless=True)
async def says_nothing_but_empty_chunks(line: Line) -> None:
    await line.say(HEAD_CHUNKED)
    await line.repeat_slowly(framed(chunk(content="")))
