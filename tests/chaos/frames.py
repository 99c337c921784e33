"""Which lengths and chunks are not what they say?"""

import asyncio

from tests.chaos.fault import Loss, answering, fault
from tests.chaos.line import Line
from tests.chaos.recorded import HEAD, HEAD_CHUNKED, framed
from tests.scripted import DONE


@fault(Loss.REST)
async def promises_more_than_it_sends(line: Line) -> None:
    half = line.answer.half
    await line.say(HEAD + b"Content-Length: %d\r\n\r\n" % (len(half) + 10), half)


@fault(Loss.NOTHING)
async def promises_more_than_a_whole_answer(line: Line) -> None:
    body = line.answer.body
    await line.say(HEAD + b"Content-Length: %d\r\n\r\n" % (len(body) + 10), body)


@fault(Loss.REST)
async def promises_less_than_it_sends(line: Line) -> None:
    body, half = line.answer.body, line.answer.half
    await line.say(HEAD + b"Content-Length: %d\r\n\r\n" % len(half), half)
    await asyncio.sleep(0.02)
    await line.say(body.removeprefix(half))


@fault(Loss.REST)
async def names_a_chunk_in_nonsense(line: Line) -> None:
    await line.say(HEAD_CHUNKED, framed(line.answer.half))
    await asyncio.sleep(0.02)
    await line.say(b"zz\r\n" + line.answer.body)
    await line.silence()


@fault(Loss.REST)
async def leaves_a_chunks_end_out(line: Line) -> None:
    await line.say(HEAD_CHUNKED, framed(line.answer.half))
    await asyncio.sleep(0.02)
    await line.say(framed(b": comment\n\n").removesuffix(b"\r\n") + framed(line.answer.body))
    await line.silence()


@fault(Loss.REST)
async def begins_a_chunk_of_terabytes(line: Line) -> None:
    await line.say(HEAD_CHUNKED, b"ffffffffff\r\n", line.answer.half)
    await line.silence()


@fault(Loss.REST)
async def begins_a_chunk_that_no_integer_holds(line: Line) -> None:
    await line.say(HEAD_CHUNKED, framed(line.answer.half))
    await asyncio.sleep(0.02)
    await line.say(b"f" * 40 + b"\r\n", line.answer.half)
    await line.silence()


@fault(Loss.REST, light=False, endless=True)
async def extends_a_chunk_without_end(line: Line) -> None:
    await line.say(HEAD_CHUNKED, framed(line.answer.half))
    await line.say(b"5;")
    await line.repeat(b"x=y;" * 10_000)


@fault(Loss.NOTHING, light=False)
async def ends_with_trailers_without_end(line: Line) -> None:
    await line.say(HEAD_CHUNKED, framed(line.answer.body), b"0\r\n")
    await line.repeat(b"X-Trailer: value\r\n" * 100)


@fault(Loss.REST, light=False, endless=True)
async def breaks_off_into_trailers_without_end(line: Line) -> None:
    await line.say(HEAD_CHUNKED, framed(line.answer.half), b"0\r\n")
    await line.repeat(b"X-Trailer: value\r\n" * 100)


for _name, _length in {
    "less_than_nothing": b"-5",
    "words": b"many",
    "two_numbers": b"5, 6",
    "too_many_digits": b"1" * 400,
}.items():
    _head_of = HEAD + b"Content-Length: %b\r\n\r\n" % _length
    answering(f"promises_{_name}", Loss.ALL, _head_of, DONE)
