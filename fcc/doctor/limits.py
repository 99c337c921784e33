"""How much does this model read, what says it when that is too much, and what does it cost twice?"""

import struct
import time
import zlib
from base64 import b64encode
from collections.abc import Iterator
from typing import Any, Final

from fcc.diagnosis.overflow import output_cap, overflow
from fcc.doctor.finding import Change, Finding, fail, ok, warn
from fcc.doctor.heard import Asker, Heard
from fcc.doctor.probes import Outcome, Probe, user
from fcc.doctor.thinking import thinking
from fcc.errors import BadRequestError, PromptTooLongError
from fcc.settings.files import Providers, config_dir

__all__ = ["LIMITS"]

_WORDS: Final = 13_000
"""Of the long prompt: 13,000 to 25,000 tokens, as Claude Code's first prompt has."""

_ABSURD: Final = 50_000_000
"""Tokens of output that no window has room for: a refusal of that costs nothing."""

_NEXT: Final = 20.0
"""Seconds that a small request takes at most, where nothing else is being generated."""


def image(asker: Asker) -> Iterator[Outcome]:
    """Whether it sees images."""
    if not asker.model.ask.images:
        yield Outcome(ok("images", "not sent, as the provider's file says"))
        return
    picture = {"type": "image", "source": {
        "type": "base64", "media_type": "image/png", "data": b64encode(_red_png(64)).decode()
    }}  # fmt: skip
    question = {"type": "text", "text": "Which colour is this picture? One word."}
    heard = asker.ask([{"role": "user", "content": [picture, question]}])
    if heard.error is not None and heard.error.retryable and heard.status not in (500, 501):
        yield Outcome(warn("images", str(heard.error), "try again later"))
    elif heard.error is not None:
        yield Outcome(_no_images(asker, "it refuses images"), {"images": False})
    elif "red" in heard.all:
        yield Outcome(ok("images", "it sees images"), {"images": True})
    else:
        yield Outcome(_no_images(asker, "it does not see what is in an image"), {"images": False})


def _no_images(asker: Asker, seen: str) -> Finding:
    """A word to the person, who can write it into a provider's file of their own."""
    name, model = asker.profile.name, asker.model.name
    mine = config_dir() / "providers" / f"{name}.toml"
    key = f'facts."{model}".ask.images'
    providers = Providers()
    source = str(providers.path(name)) if name in providers else ""
    fix = f"the daemon sends a marker in the place of each; for good: set {key} = false in {mine}"
    return warn("images", seen, fix, Change(str(mine), {key: False}, source=source))


def _red_png(size: int) -> bytes:
    """A square, by hand: no library for images is needed for one."""

    def part(kind: bytes, data: bytes) -> bytes:
        sum_ = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + sum_

    head = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    rows = (b"\0" + b"\xe0\x10\x10" * size) * size
    pixels = zlib.compress(rows, 9)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", pixels) + part(b"IEND", b"")


def long_prompt(asker: Asker) -> Iterator[Outcome]:
    """Whether a long prompt is read from its beginning, and cached where it comes again."""
    heard = asker.ask([user(_long(_WORDS, "What is the code word that I told you first?"))])
    if heard.error is not None:
        yield _too_long(heard)
        return
    if "plover" not in heard.all:
        yield _forgotten(heard)
        return
    read = heard.prompt_tokens or _WORDS
    yield Outcome(ok("long", f"it reads {read:,} tokens to their beginning"),
                  {"longest_prompt": read, "truncates": False})  # fmt: skip
    again = asker.ask([user(_long(_WORDS, "Say the code word that I told you first, once more."))])
    yield _cached(heard, again)


def _long(words: int, question: str) -> str:
    filler = " ".join(f"Line {number} is about nothing." for number in range(words // 5))
    return f"The code word is plover. Remember it.\n\n{filler}\n\n{question} Answer in one line."


def _too_long(heard: Heard) -> Outcome:
    if isinstance(heard.error, PromptTooLongError):
        seen = f"a prompt of {_WORDS:,} words is too long: {heard.error}"
        fix = (
            "load it with a window of 32,000 tokens or more: Claude Code's first prompt has 20,000"
        )
        found = overflow(str(heard.error))
        limit = found.limit if found else None
        return Outcome(fail("long", seen, fix), {"context_window": limit, "overflow_known": True})
    return Outcome(warn("long", str(heard.error), "try again later, or with a shorter prompt"))


def _forgotten(heard: Heard) -> Outcome:
    read = heard.prompt_tokens
    fix = "give the model a larger window in the server (32,000 tokens or more)"
    if read is None:
        seen = "it does not know what a long prompt began with: the server may cut it off"
        return Outcome(fail("long", seen, fix))
    if read < _WORDS:
        seen = (
            f"of a prompt of {_WORDS:,} words only {read:,} tokens were read: it cuts the rest off"
        )
        return Outcome(fail("long", seen, fix), {"truncates": True, "context_window": read})
    seen = f"it does not know what the {read:,} tokens that it read began with"
    return Outcome(
        warn("long", seen, "a larger model remembers more; so does a shorter conversation"),
        {"longest_prompt": read},
    )


def _cached(first: Heard, again: Heard) -> Outcome:
    if again.cached_tokens:
        seen = f"the same beginning came from its cache: {again.cached_tokens:,} tokens"
        return Outcome(ok("cache", seen), {"cached_tokens": True})
    if again.error is None and again.first < first.first / 2:
        seen = (
            f"the same beginning took {again.first:.1f} s after {first.first:.1f} s: it is cached"
        )
        return Outcome(ok("cache", f"{seen}, and not reported"), {"cached_tokens": False})
    return Outcome(ok("cache", "no sign of a prefix cache"), {"cached_tokens": False})


def overflowing(asker: Asker) -> Iterator[Outcome]:
    """What it says of too much, asked by an output that no window has room for."""
    field = asker.model.ask.max_tokens
    question = [user("Answer with the one word: ready")]
    # A server that does not mind goes on until its window is full, if it is let.
    heard = asker.ask(question, body={field: _ABSURD}, leave_after=4)
    known = asker.model.context_window
    if heard.error is None:
        window = f"; its window is {known:,} tokens by the provider's file" if known else ""
        yield Outcome(ok("window", f"it does not mind an output limit beyond all windows{window}"))
        return
    if not isinstance(heard.error, BadRequestError):
        yield Outcome(warn("window", str(heard.error), "try again later"))
        return
    said = str(heard.error)
    found = overflow(said)
    if found is not None and found.limit:
        yield _window(asker, found.limit, said)
    elif cap := output_cap(said):
        learned = {"max_output_tokens": cap.cap}
        yield Outcome(ok("window", f"it gives {cap.cap:,} tokens of output at most"), learned)
    else:
        yield Outcome(ok("window", f"refused: {said}"), {"overflow_known": False})


def _window(asker: Asker, limit: int, said: str) -> Outcome:
    known = asker.model.context_window
    learned: dict[str, Any] = {"context_window": limit, "overflow_known": True}
    if known and known > limit:
        seen = f"its window is {limit:,} tokens, and not {known:,}: {said}"
        key = f'facts."{asker.model.name}".context_window'
        fix = f"the daemon takes that for it; for good: set {key} = {limit} in the provider's file"
        return Outcome(warn("window", seen, fix), learned)
    return Outcome(ok("window", f"its window is {limit:,} tokens"), learned)


def cancellation(asker: Asker) -> Iterator[Outcome]:
    """Whether it stops when nobody reads: else a small server is busy with the past."""
    question = user("Count from one to two thousand in English words, one word a line.")
    left = asker.ask([question], leave_after=3, max_tokens=8192)
    if left.error is not None:
        yield Outcome(warn("cancel", str(left.error), "try again later"))
        return
    began = time.monotonic()
    heard = asker.ask([user("Answer with the one word: ready")])
    took = time.monotonic() - began
    if heard.error is not None:
        yield Outcome(warn("cancel", str(heard.error), "try again later"))
    elif took > _NEXT and heard.first > 4 * max(left.first, _NEXT / 20):
        seen = f"after an answer that was broken off the next took {took:.0f} s: it went on in vain"
        fix = "a newer server stops at once; else wait after Esc"
        yield Outcome(warn("cancel", seen, fix), {"cancels": False})
    else:
        yield Outcome(
            ok("cancel", "it is free again when an answer is broken off"), {"cancels": True}
        )


LIMITS: Final[tuple[tuple[str, Probe], ...]] = (
    ("thinking", thinking),
    ("an image", image),
    ("too much output", overflowing),
    ("a long prompt", long_prompt),
    ("an answer that is broken off", cancellation),
)
"""What is asked about, and the probe."""
