"""What does a client see that reads the bytes itself, and is it a legal end?"""

import asyncio
import json
from enum import Enum
from typing import Any

import msgspec

from tests.chaos.recorded import TOOL, Recorded
from tests.grammar import Illegal, Seen, content, read
from tests.scripted import ASKED, CLAUDE_CODE

__all__ = ["End", "Response", "ask", "judged", "request"]


class End(Enum):
    """How an answer may end."""

    WHOLE = "whole"
    EVENT = "error event"
    BROKEN = "broken connection"
    STATUS = "error status"


class Response(msgspec.Struct):
    """What came, as far as it came."""

    status: int
    headers: dict[str, str]
    body: bytes
    complete: bool
    """Whether HTTP says that nothing of the body is missing."""


def request(prompt: str, *, stream: bool = True, claude: bool = False) -> bytes:
    """The bytes of a request: one for its connection."""
    messages = [{"role": "user", "content": prompt}]
    body = json.dumps({**ASKED, "messages": messages, "tools": [TOOL], "stream": stream}).encode()
    agent = CLAUDE_CODE["User-Agent"] if claude else "raw"
    head = (
        f"POST /v1/messages HTTP/1.1\r\nHost: fcc\r\nUser-Agent: {agent}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def ask(port: int, raw: bytes, begun: asyncio.Event | None = None) -> Response:
    """The response to `raw`; `begun` is set with the first content. Raises Illegal for no response."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = bytearray()
    try:
        writer.write(raw)
        while part := await reader.read(1 << 16):
            received += part
            if begun is not None and b"content_block_delta" in received:
                begun.set()
    except ConnectionError:
        pass  # as a client sees a broken connection
    finally:
        writer.close()
    return _parsed(bytes(received))


def _parsed(received: bytes) -> Response:
    head, ended, body = received.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    words = status_line.split(" ", 2)
    if not ended or words[0] != "HTTP/1.1":
        raise Illegal(f"no HTTP response: {received[:200]!r}")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    if headers.get("transfer-encoding") == "chunked":
        body, complete = _unchunked(body)
    else:
        complete = len(body) == int(headers["content-length"])
    return Response(int(words[1]), headers, body, complete)


def _unchunked(body: bytes) -> tuple[bytes, bool]:
    parts: list[bytes] = []
    at = 0
    while (end := body.find(b"\r\n", at)) >= 0:
        size = int(body[at:end], 16)
        if not size:
            return b"".join(parts), body[end:] == b"\r\n\r\n"
        parts.append(body[end + 2 : end + 2 + size])
        at = end + 2 + size + 2
    return b"".join(parts), False


def judged(response: Response, answer: Recorded, *, stream: bool, claude: bool) -> End:
    """How it ended. Raises Illegal for an end that no client should see.

    `answer` is what the provider has tried to say.
    """
    if response.status != 200:
        _check_error(response)
        return End.STATUS
    if not stream:
        return _whole(response, answer)
    if response.complete:
        seen = read(response.body)
        if seen.ended == (seen.error is not None):
            raise Illegal(f"a stream without an end: {response.body[-300:]!r}")
    else:
        seen = read(response.body[: response.body.rfind(b"\n\n") + 2])
        if not claude or seen.ended or seen.error:
            raise Illegal(f"a broken connection: {response.body[-300:]!r}")
    _check_blocks(seen, answer)
    if seen.ended:
        if not _same([(block["type"], block["raw"]) for block in seen.blocks], answer):
            raise Illegal(f"half an answer as if it were whole: {seen.blocks}")
        return End.WHOLE
    return End.EVENT if seen.error else End.BROKEN


def _check_error(response: Response) -> None:
    told = json.loads(response.body)
    error, request_id = told["error"], response.headers["request-id"]
    if not response.complete or response.status < 400 or told["type"] != "error":
        raise Illegal(f"{response.status} with {response.body[:300]!r}")
    if not error["type"].endswith(("_error", "request_too_large")) or len(error["message"]) > 3000:
        raise Illegal(f"an error that tells nothing: {error}")
    if told["request_id"] != request_id or not error["message"].endswith(f"={request_id})"):
        raise Illegal(f"without its request id: {told}")


def _whole(response: Response, answer: Recorded) -> End:
    message: dict[str, Any] = json.loads(response.body)
    got = [(block["type"], _words(block)) for block in message["content"]]
    if not response.complete or not message["stop_reason"] or not _same(got, answer):
        raise Illegal(f"half a message: {message}")
    return End.WHOLE


def _words(block: dict[str, Any]) -> str:
    return json.dumps(block["input"]) if "input" in block else block[block["type"]]


def _same(got: list[tuple[str, str]], answer: Recorded) -> bool:
    return [(kind, _plain(words)) for kind, words in got] == [
        (kind, _plain(words)) for kind, words in answer.blocks
    ]


def _plain(words: str) -> str:
    """Input as one writes it: spaces between the parts of JSON mean nothing."""
    return "".join(words.split())


def _begins(got: tuple[str, str], whole: tuple[str, str]) -> bool:
    return got[0] == whole[0] and whole[1].startswith(got[1])


def _check_blocks(seen: Seen, answer: Recorded) -> None:
    """Nothing that the provider has not said, and no half of a call as if it were whole."""
    content(seen)
    got = [(block["type"], block["raw"]) for block in seen.blocks]
    if len(got) > len(answer.blocks) or not all(map(_begins, got, answer.blocks)):
        raise Illegal(f"words that nobody said: {got}")
    for block, (kind, words) in zip(seen.blocks, answer.blocks, strict=False):
        if kind == "tool_use" and block is not seen.open_block and block["raw"] != words:
            raise Illegal(f"half of a call was stopped: {block}")
