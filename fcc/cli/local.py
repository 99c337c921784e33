"""What does a daemon on this machine answer to a GET?

Over a bare socket, as the commands that ask this must start at once: httpx takes a fifth of a
second to import, and http.client a tenth.
"""

import socket
from typing import Any
from urllib.parse import urlsplit

import msgspec

import fcc
from fcc.errors import FccError
from fcc.settings.config import Config
from fcc.settings.running import Running, find

__all__ = [
    "NoAnswerError",
    "NotFccError",
    "address",
    "ask",
    "asked_status",
    "health",
    "reachable",
    "running_daemon",
]


_MOST_READS = 4096
"""A list of models is a few; something that never ends is no answer."""


class NotFccError(Exception):
    """Something listens there that is no fcc."""


class NoAnswerError(FccError):
    """The daemon runs, and does not answer."""


def address(host: str, port: int) -> str:
    """The URL at which this machine reaches a daemon that listens at `host`."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - to ask, not to bind
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def reachable(url: str) -> str:
    """The URL of a daemon's own, as this machine reaches it."""
    parts = urlsplit(url)
    return address(parts.hostname or "127.0.0.1", parts.port or 80)


def ask(url: str, path: str, *, token: str = "", patience: float = 2.0) -> tuple[int, Any]:
    """Status and JSON. Raises OSError where nobody answers, NotFccError where it is no JSON."""
    head, _, body = _answer(url, path, token, patience).partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    try:
        return int(words[1]), msgspec.json.decode(body)
    except (IndexError, ValueError) as error:
        raise NotFccError(f"something else listens at {url}") from error


def _answer(url: str, path: str, token: str, patience: float) -> bytes:
    """All that comes back; `patience` is for each wait."""
    parts = urlsplit(url)
    lines = [f"GET {path} HTTP/1.0", f"Host: {parts.netloc}", "Accept: application/json"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    received: list[bytes] = []
    host = parts.hostname or ""
    # Not create_connection: that imports the tables of international names.
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as wire:
        wire.settimeout(patience)
        wire.connect((host, parts.port or 80))
        wire.sendall("\r\n".join([*lines, "", ""]).encode())
        while data := wire.recv(65536):
            received.append(data)
            if len(received) > _MOST_READS:
                raise NotFccError(f"something else listens at {url}")
    return b"".join(received)


def health(url: str, patience: float = 2.0) -> dict[str, Any] | None:
    """GET /health; None where nobody listens. Raises NotFccError."""
    try:
        status, said = ask(url, "/health", patience=patience)
    except OSError:
        return None
    if not isinstance(said, dict) or not {"version", "provider"} <= said.keys():
        raise NotFccError(f"something else listens at {url} (it answered {status})")
    return said


def asked_status(url: str, token: str, patience: float = 2.0) -> dict[str, Any] | None:
    """GET /status; None for a daemon of another version, or that wants another token."""
    try:
        code, said = ask(url, "/status", token=token, patience=patience)
    except (OSError, NotFccError):
        return None
    known = code == 200 and isinstance(said, dict) and said.get("version") == fcc.__version__
    return said if known else None


def running_daemon(config: Config, port: int | None = None) -> Running | None:
    """The daemon that is meant; one that left no word is found at its address.

    Raises ConfigError where several run, NotFccError.
    """
    running = find(port, config.server.port)
    if running is not None:
        return running
    url = address(config.server.host, config.server.port if port is None else port)
    said = health(url)
    if said is None:
        return None
    return Running(0, url, str(said["version"]), str(said["provider"]))
