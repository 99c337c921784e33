"""A beginning that the client gave and the server repeats: it is dropped once.

Clients that end their request with an assistant turn expect the continuation alone; llama.cpp
answers with that turn first.
"""

__all__ = ["Prefill"]


class Prefill:
    """`feed(text) -> text`: as it comes, but without the given beginning at the very start."""

    def __init__(self, given: str) -> None:
        self._given = given
        self._at = 0
        self.open = bool(given)
        """Whether the text may still turn out to repeat the beginning."""

    def feed(self, text: str) -> str:
        """What of `text` is the continuation, as far as it is certain."""
        if not self.open:
            return text
        expected = self._given[self._at : self._at + len(text)]
        if text.startswith(expected) and len(expected) <= len(text):
            self._at += len(expected)
            if self._at < len(self._given):
                return ""
            self.open = False
            return text[len(expected) :]
        return self.finish() + text

    def finish(self) -> str:
        """What was held and is no repetition."""
        held = self._given[: self._at] if self.open else ""
        self.open = False
        return held
