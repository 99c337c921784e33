"""What is known of one request by its end: its one line in the log."""

import time

from aiohttp import web
from loguru import logger

from fcc.settings.routing import Route
from fcc.translate.reply.translation import Translation

__all__ = ["RECORD", "Record"]


class Record:
    """Filled in as the request goes on; `log` writes the line."""

    def __init__(self, request_id: str, method: str, path: str) -> None:
        self.request_id = request_id
        self._what = f"{method} {path}"
        self._began = time.monotonic()
        self._first: float | None = None
        self.route: Route | None = None
        self.attempts = 0
        self.fallbacks: list[str] = []
        """The routes that failed before the present one, and how."""
        self.outcome = ""
        """stop_reason or error type."""
        self.local = ""
        """Which kind of local answer it was."""
        self.tokens = (0, 0, 0)
        """In, out, cached."""

    def headers(self) -> dict[str, str]:
        """What the response says of its way: the request id, the route, and what failed."""
        headers = {"request-id": self.request_id}
        if self.route is not None:
            headers["x-fcc-route"] = f"{self.route.profile.name}/{self.route.model.name}"
        if self.fallbacks:
            headers["x-fcc-fallback"] = "; ".join(self.fallbacks)
        return headers

    def first_byte(self) -> None:
        """The answer's first content went out."""
        if self._first is None:
            self._first = time.monotonic() - self._began

    def answered(self, translation: Translation) -> None:
        """The answer is over."""
        usage = translation.usage
        cached = usage.cache_read_input_tokens if usage else 0
        fresh = usage.input_tokens + usage.cache_creation_input_tokens if usage else 0
        self.tokens = (fresh + cached, translation.output_tokens, cached)
        self.outcome = translation.stop_reason or self.outcome

    def log(self, status: int) -> None:
        """The one INFO line."""
        seconds = time.monotonic() - self._began
        if self.route is None:
            level = "INFO" if status >= 400 else "DEBUG"
            logger.log(level, "{} {} in {:.3f} s{}", self._what, status, seconds, self._end())
            return
        tokens_in, out, cached = self.tokens
        logger.info(
            "{} -> {}/{} {} first {} total {:.2f}s in {} out {} cached {} retries {}{}",
            _one_line(self.route.asked),
            self.route.profile.name,
            self.route.model.name,
            status,
            "-" if self._first is None else f"{self._first:.2f}s",
            seconds,
            tokens_in,
            out,
            cached,
            max(0, self.attempts - 1),
            self._end(),
        )

    def _end(self) -> str:
        fallbacks = f"fallback from {'; '.join(self.fallbacks)}" if self.fallbacks else ""
        words = (f"local {self.local}" if self.local else "", fallbacks, self.outcome)
        return "".join(f" {word}" for word in words if word)


def _one_line(text: str) -> str:
    """What a client wrote can't begin a line of the log."""
    return text if text.isprintable() else ascii(text)[1:-1]


RECORD = web.RequestKey("record", Record)
