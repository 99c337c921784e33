"""What does each stage of the pure core cost by itself? CPU time in this process, no sockets.

    python -m tests.bench.micro [--only WORD] [--profile NAME]

A reply's figures are microseconds per chunk, one chunk a read and 16 a read; a request's are
microseconds for the whole body. Each is the least and the median of several runs. `--profile`
takes the name of one row and prints where its time goes.
"""

import argparse
import cProfile
import json
import pstats
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from typing import Final

import msgspec

from fcc.diagnosis.verdict import Source
from fcc.settings.profile import Profile
from fcc.translate.context import Context
from fcc.translate.reply.reader import Reader
from fcc.translate.reply.translation import Translation
from fcc.translate.request import tools as request_tools
from fcc.translate.request.body import Body, translate
from fcc.translate.tokens import estimate
from fcc.wire.chat import Chunk
from fcc.wire.events import Message, MessageUsage, frame
from fcc.wire.messages import decode_request
from fcc.wire.sse import SSEDecoder
from tests.bench import bodies, upstream

__all__: list[str] = []

_CHUNKS: Final = 1000
_RUNS: Final = 15
_PER_READ: Final = 16
_SIZES: Final = {"2k": 2_000, "150k": 150_000, "1m": 1_000_000, "3m": 3_000_000}
_MODEL: Final = Profile(name="custom", base_url="http://127.0.0.1/v1").model("bench-model")
_SOURCE: Final = Source("custom endpoint", "bench-model", "", "http://127.0.0.1/v1")
_CHUNK: Final = msgspec.json.Decoder(Chunk)

_PROSE = "It reads the file , and then the next one ; that is how far it got . So I looked .\n"
_MARKDOWN = (
    "Here is `code` :\n\n```python\ndef f ( x : list [ int ] ) -> dict [ str , int ] :\n"
    '    if x < 3 and "<b>" in y : return { "a" : [ 1 , 2 ] }\n```\n\n- one `x`\n- **two**\n'
)
_HTML = '<div class="a">\n<p>some <b>text</b> here</p>\n<tool>\n<br>\n</div>\n'


def main() -> None:
    """Print every row, or where the time of one goes."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.micro")
    parser.add_argument("--only", default="", metavar="WORD", help="rows that have it in the name")
    parser.add_argument("--profile", default="", metavar="NAME", help="one row's functions")
    options = parser.parse_args()
    if options.profile:
        name, run, _ = next(row for row in _rows() if row[0] == options.profile)
        _profile(name, run)
        return
    for name, run, per in _rows():
        if options.only in name:
            spent = sorted(_spent(run) / per * 1e6 for _ in range(_RUNS))
            sys.stdout.write(f"{name:32} {spent[0]:10.2f} {median(spent):10.2f} us\n")
            sys.stdout.flush()


def _spent(run: Callable[[], object]) -> float:
    began = time.thread_time()
    run()
    return time.thread_time() - began


def _profile(name: str, run: Callable[[], object]) -> None:
    run()
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(10):
        run()
    profiler.disable()
    sys.stdout.write(f"{name}, ten times\n")
    pstats.Stats(profiler, stream=sys.stdout).sort_stats("tottime").print_stats(30)


def _rows() -> Iterator[tuple[str, Callable[[], object], int]]:
    """Name, what to run, and how many of what is counted that is."""
    for kind, events in _answers().items():
        for cut, reads in (("single", events), (f"by{_PER_READ}", _joined(events))):
            for stage, run in _STAGES.items():
                if kind == "prose" or stage == "write":
                    yield f"reply.{kind}.{cut}.{stage}", partial(run, reads), len(events)
    for name, size in _SIZES.items():
        raw = bodies.request(size, 5, 0)
        yield f"request.{name}.decode", partial(decode_request, raw), 1
        yield f"request.{name}.translate", partial(translate, decode_request(raw), _MODEL), 1
        yield f"request.{name}.estimate", partial(estimate, _body(raw).data), 1
        yield f"request.{name}.whole", partial(_body, raw), 1
        yield f"request.{name}.new_tools", partial(_with_new_tools, raw), 1


def _body(raw: bytes) -> Body:
    return translate(decode_request(raw), _MODEL)


def _with_new_tools(raw: bytes) -> Body:
    """As the first request of a session: its tools are not remembered."""
    request_tools._offer.cache_clear()
    return _body(raw)


def _answers() -> dict[str, list[bytes]]:
    """Answers of one kind each, as events."""
    return {
        "prose": [_event("content", token) for token in _tokens(_PROSE)],
        "markdown": [_event("content", token) for token in _tokens(_MARKDOWN)],
        "html": [_event("content", token) for token in _tokens(_HTML)],
        "reasoning": [_event("reasoning_content", token) for token in _tokens(_PROSE)],
        "arguments": _call(),
    }


def _tokens(text: str) -> list[str]:
    """About as a model cuts it: a word with the blank before it."""
    tokens = [token for line in text.splitlines(keepends=True) for token in _cut(line)]
    return [tokens[place % len(tokens)] for place in range(_CHUNKS)]


def _cut(line: str) -> list[str]:
    words = line.split(" ")
    return [words[0], *(f" {word}" for word in words[1:])] if words[0] else [line]


def _event(field: str, text: str) -> bytes:
    return upstream.event(json.dumps({field: text}))


def _call() -> list[bytes]:
    head = {"index": 0, "id": "call_1", "type": "function"}
    texts = ['{"content": "', *_tokens(_PROSE.replace("\n", "\\n")), '"}']
    names = ["Write", *[None] * len(texts)]
    return [
        upstream.event(
            json.dumps(
                {"tool_calls": [{**head, "function": {"name": name, "arguments": text}}]}
                if name
                else {"tool_calls": [{"index": 0, "function": {"arguments": text}}]}
            )
        )
        for name, text in zip(names, ["", *texts], strict=True)
    ]


def _joined(events: list[bytes]) -> list[bytes]:
    return [b"".join(events[at : at + _PER_READ]) for at in range(0, len(events), _PER_READ)]


def _split(reads: list[bytes]) -> None:
    feed = SSEDecoder().feed
    for raw in reads:
        feed(raw)


def _decode(reads: list[bytes]) -> None:
    feed = SSEDecoder().feed
    for raw in reads:
        for event in feed(raw):
            _CHUNK.decode(event.data)


def _read(reads: list[bytes]) -> None:
    feed = _reader().feed
    for raw in reads:
        feed(raw)


def _translate(reads: list[bytes]) -> None:
    feed = _translation().feed
    for raw in reads:
        feed(raw)


def _write(reads: list[bytes]) -> None:
    feed = _translation().feed
    for raw in reads:
        b"".join([frame(event) for event in feed(raw)])


_STAGES: Final[dict[str, Callable[[list[bytes]], None]]] = {
    "split": _split,
    "decode": _decode,
    "read": _read,
    "translate": _translate,
    "write": _write,
}
"""Each does what the one before does, and one thing more."""


def _reader() -> Reader:
    return Reader(_SOURCE, _MODEL.reply, Context(tools=_TOOLS))


def _translation() -> Translation:
    message = Message("msg_1", "claude-sonnet-4-5", MessageUsage(1000, 1))
    return Translation(_reader(), message, sign=lambda _details: "fcc1.custom")


_TOOLS: Final = _body(bodies.request(150_000, 5, 0)).tools


if __name__ == "__main__":
    main()
