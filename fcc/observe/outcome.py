"""What is known of one request to a model, while it is answered and when it has ended?"""

import msgspec

__all__ = ["CLIENT_LEFT", "Outcome"]

CLIENT_LEFT = "client_left"
"""The outcome of an answer that nobody waited for."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One request. No prompt, answer or key is in it; names that a client chose are redacted."""

    request_id: str
    at: float
    """Unix seconds when it began; the clock may have been set since."""
    session: str = ""
    """x-claude-code-session-id."""
    client: str = ""
    """The user agent's product, as `claude-cli/2.1.330`."""
    stream: bool = False
    asked: str = ""
    """The model as the client named it; empty where the request could not be read."""
    provider: str = ""
    model: str = ""
    """Who answered, or failed last; empty where none was asked."""
    local: str = ""
    """Which kind of answer fcc gave itself; empty: none."""
    status: int = 0
    """The HTTP status; 499 for a client that left, 0 while the answer is open."""
    outcome: str = ""
    """stop_reason, error type, or CLIENT_LEFT."""
    error: str = ""
    """The error in words, redacted. A provider's words may quote the prompt: it is for the person's
    eyes, not for files that are kept."""
    seconds: float = 0.0
    first: float | None = None
    """Seconds to the first content."""
    queued: float = 0.0
    """Seconds in which it waited for its turn at a provider."""
    waiting: bool = False
    """Whether it waits for its turn at the moment."""
    input: int = 0
    """All tokens of the prompts, one for each attempt that was answered: `cached` and `written` are
    among them."""
    longest: int = 0
    """Tokens of the longest of them, by which a price may go."""
    output: int = 0
    """All tokens of the answers: `reasoning` are among them."""
    cached: int = 0
    """Read from the provider's cache."""
    written: int = 0
    """Written into the provider's cache."""
    reasoning: int = 0
    estimated: bool = False
    """Whether some tokens are fcc's own count, because the provider told none."""
    attempts: int = 0
    retries: int = 0
    """Attempts behind the first at the same provider and model."""
    fallbacks: tuple[str, ...] = ()
    """The routes that failed before, and how: `provider/model status type`."""
    repairs: dict[str, int] = {}
    """What was recovered or mended in the answer, kind -> how often."""

    @property
    def failed(self) -> bool:
        """Whether it ended in an error; a client that left is none."""
        # Asked several times a request: a slice costs half of endswith.
        return self.outcome[-6:] == "_error" or (self.status >= 400 and self.status != 499)
