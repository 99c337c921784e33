"""How a provider's text is made fit to be shown: one line, no markup, no false alarm."""

import html
import re
from http import HTTPStatus

from fcc.diagnosis.pattern import Pattern

__all__ = ["calm", "is_page", "plain", "shorten", "status_phrase"]

MAX_CHARACTERS = 600
"""Of the provider's own words in one message: a few sentences; a traceback is longer."""

_PAGE = Pattern(r"(?i)<(?:!doctype\s|html|head|body|title|center|h1)\b")
_HEADINGS = ("title", "h1", "h2", "body")
_SCRIPT = Pattern(r"(?is)<(script|style)\b.{0,2000}?</\1\s*>")
_TAG = Pattern(r"<[^<>]{0,500}>")
_MAX_PAGE = 8000
"""Characters of an HTML page that are looked at: its title stands at the beginning."""

# What makes Claude Code compact, whatever the error was: the phrases of its version 2.1.330.
_ALARMS = Pattern(
    "(?i)"
    + "|".join(
        re.escape(phrase)
        for phrase in (
            "prompt is too long",
            "input is too long for requested model",
            "input length and `max_tokens` exceed context limit",
            "maximum context length",
            "context_length_exceeded",
            "exceeds the context window",
            "contextwindowexceedederror",
            "longer than the maximum model length",
            "longer than the model's context length",
            "exceeds the available context size",
            "exceeds the maximum number of tokens allowed",
            "exceeded model token limit",
            "input token length too long",
            "input tokens exceed the configured limit",
            "maximum context limit",
            "maximum prompt length",
            "prompt exceeds max length",
            "tokens in request more than max tokens allowed",
            "range of input length should be",
            "context window exceeds limit",
            "but model only supports up to",
            "reduce the length of the messages",
            "`inputs` tokens + `max_new_tokens` must be",
            "context exceeds your deployment",
            # With status 413 alone, but nobody misses the blank elsewhere.
            "context window",
        )
    )
)


_PHRASES = {498: "Capacity Exceeded", 520: "Unknown Error", 521: "Web Server Is Down",
            522: "Connection Timed Out", 523: "Origin Is Unreachable", 524: "A Timeout Occurred",
            525: "TLS Handshake Failed", 529: "Overloaded"}  # fmt: skip


def status_phrase(status: int) -> str:
    """A status in words, Cloudflare's and Anthropic's among them; "" for one without a name."""
    try:
        return _PHRASES.get(status) or HTTPStatus(status).phrase
    except ValueError:
        return ""


def is_page(text: str) -> bool:
    """Whether this is an HTML page, which some proxy put in the place of an answer."""
    return _PAGE.search(text[:1000]) is not None


def plain(text: str) -> str:
    """The text in one line; of an HTML page its title or heading."""
    if is_page(text):
        text = _heading(text[:_MAX_PAGE])
    # Lone surrogates can't be sent, and an escape sequence would reach the person's terminal.
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def shorten(text: str, most: int = MAX_CHARACTERS) -> str:
    """At most `most` characters: the beginning, and a little of the end, where causes stand."""
    if len(text) <= most:
        return text
    tail = most // 4
    return f"{text[: most - tail - 3]}...{text[-tail:]}"


def calm(text: str) -> str:
    """The text with hyphens in the phrases that would make Claude Code compact."""
    return _ALARMS.sub(_hyphened, text)


def _hyphened(found: re.Match[str]) -> str:
    phrase = found[0]
    broken = phrase.replace(" ", "-").replace("_", "-")
    return broken if broken != phrase else f"{phrase[:7]}-{phrase[7:]}"


def _heading(page: str) -> str:
    page = _SCRIPT.sub(" ", page)
    lower = page.lower()
    for tag in _HEADINGS:
        start = lower.find(f"<{tag}")
        begin = lower.find(">", start)
        if start < 0 or begin < 0:
            continue
        end = lower.find(f"</{tag}", begin)
        text = _text_of(page[begin + 1 : end if end >= 0 else None])
        if text:
            return text
    return _text_of(page)


def _text_of(markup: str) -> str:
    return html.unescape(_TAG.sub(" ", markup)).strip()
