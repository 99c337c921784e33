"""What does a daemon on this machine answer to a POST, as it comes?

Over a bare socket and HTTP/1.0, whose answers end with the connection: a client library takes
longer to import than most answers take to begin.
"""

import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import msgspec

from fcc.cli.local import NoAnswerError
from fcc.errors import ConfigError

__all__ = ["Answering", "post"]

_LARGEST_HEAD = 256 * 1024


class Answering(msgspec.Struct):
    """An answer that has begun."""

    status: int
    headers: dict[str, str]
    """Named in small letters."""
    parts: Iterator[bytes]
    """The body, as it comes."""


@contextmanager
def post(
    url: str, path: str, body: bytes, headers: Iterable[tuple[str, str]], patience: float
) -> Iterator[Answering]:
    """The open answer; `patience` is for each wait, in seconds. Raises ConfigError, NoAnswerError."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    lines = [f"POST {path} HTTP/1.0", f"Host: {parts.netloc}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as wire:
        try:
            wire.settimeout(patience)
            wire.connect((host, parts.port or 80))
            wire.sendall("\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body)
            yield _begun(wire)
        except OSError as error:
            words = error.strerror or str(error) or type(error).__name__
            raise NoAnswerError(f"the fcc at {url} does not answer: {words}") from error


def _begun(wire: socket.socket) -> Answering:
    raw = bytearray()
    while b"\r\n\r\n" not in raw:
        data = wire.recv(65536)
        if not data or len(raw) > _LARGEST_HEAD:
            raise ConfigError("what listens there is no fcc")
        raw += data
    head, _, begin = bytes(raw).partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    words = first.split()
    if len(words) < 2 or not words[1].isdecimal():
        raise ConfigError("what listens there is no fcc")
    pairs = (line.partition(":") for line in rest)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return Answering(int(words[1]), headers, _body(begin, wire))


def _body(begin: bytes, wire: socket.socket) -> Iterator[bytes]:
    if begin:
        yield begin
    while data := wire.recv(65536):
        yield data
