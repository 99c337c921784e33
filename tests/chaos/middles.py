"""What goes wrong in mid-answer, and about its end?"""

import asyncio

from tests.chaos.fault import Loss, fault
from tests.chaos.line import Line
from tests.chaos.pages import HTML
from tests.chaos.recorded import HEAD_CHUNKED, HEAD_CLOSE, framed
from tests.scripted import DONE, chunk, data, usage

_MB = 1 << 20


@fault(Loss.REST)
async def resets_in_mid_answer(line: Line) -> None:
    await line.say(HEAD_CLOSE, line.answer.half)
    await asyncio.sleep(0.02)
    line.reset()


@fault(Loss.REST)
async def closes_in_mid_answer(line: Line) -> None:
    await line.say(HEAD_CLOSE, line.answer.half)


@fault(Loss.REST)
async def closes_in_mid_chunk(line: Line) -> None:
    await line.say(HEAD_CHUNKED, framed(line.answer.body)[: len(line.answer.half)])


@fault(Loss.REST)
async def half_closes_in_mid_answer(line: Line) -> None:
    await line.say(HEAD_CLOSE, line.answer.half)
    line.end()
    await line.silence()


@fault(Loss.REST)
async def is_silent_in_mid_answer(line: Line) -> None:
    await line.say(HEAD_CHUNKED, framed(line.answer.half))
    await line.silence()


@fault(Loss.REST, endless=True)
async def says_comments_for_ever_in_mid_answer(line: Line) -> None:
    await line.say(HEAD_CHUNKED, framed(line.answer.half))
    await line.repeat_slowly(framed(b": still there\n\n"))


@fault(Loss.WORDS)
async def breaks_off_with_an_error(line: Line) -> None:
    await line.say(HEAD_CHUNKED, framed(line.answer.half))
    await line.say(framed(data({"error": {"message": "the engine died", "code": 500}})))
    await line.say(b"0\r\n\r\n")


@fault(Loss.WORDS)
async def says_a_page_in_mid_answer(line: Line) -> None:
    await line.say(HEAD_CLOSE, line.answer.half, b"data: " + HTML + b"\n\n" + DONE)


@fault(Loss.WORDS, light=False)
async def says_a_line_of_100_mb_in_mid_answer(line: Line) -> None:
    await line.say(HEAD_CLOSE, line.answer.half, b"data: ", *[b"x" * _MB] * 100)


@fault(Loss.NOTHING)
async def drips(line: Line) -> None:
    await line.drip(line.answer.close_delimited())


@fault(Loss.NOTHING)
async def drips_chunks_of_one_byte(line: Line) -> None:
    body = line.answer.body
    await line.say(HEAD_CHUNKED, *(framed(body[at : at + 1]) for at in range(len(body))))
    await line.say(b"0\r\n\r\n")


@fault(Loss.NOTHING)
async def is_silent_after_the_finish_reason(line: Line) -> None:
    await line.say(HEAD_CHUNKED, framed(line.answer.body[: line.answer.finished] + b"\n\n"))
    await line.silence()


@fault(Loss.NOTHING)
async def closes_after_the_finish_reason(line: Line) -> None:
    await line.say(HEAD_CHUNKED, framed(line.answer.body[: line.answer.finished] + b"\n\n"))


@fault(Loss.NOTHING)
async def closes_after_the_bill(line: Line) -> None:
    await line.say(HEAD_CLOSE, line.answer.unfinished, usage(9, 7))


@fault(Loss.NOTHING)
async def is_silent_after_the_end(line: Line) -> None:
    await line.say(HEAD_CHUNKED, framed(line.answer.body))
    await line.silence()


@fault(Loss.NOTHING)
async def talks_on_after_the_end(line: Line) -> None:
    await line.say(HEAD_CHUNKED, framed(line.answer.body))
    await line.repeat(framed(chunk(content="more")))


@fault(Loss.UNSURE)
async def resets_after_the_end(line: Line) -> None:
    await line.say(HEAD_CHUNKED, framed(line.answer.body))
    line.reset()
