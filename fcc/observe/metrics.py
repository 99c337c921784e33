"""How many requests, how fast, and what did they take, since the daemon started?

Plain counters, written to when a request ends. The names of series are bounded whatever clients
ask for: a model has its own once it has answered or a configuration leads to it, up to MOST.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Final

from fcc.observe.family import Family, Histogram
from fcc.observe.outcome import CLIENT_LEFT, Outcome

__all__ = ["Metrics"]

MOST: Final = 12
"""Models that are told apart, so that a scrape stays under 5 ms; further ones are `other`."""

_SECONDS: Final = (0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""A title takes half a second, a long answer ten minutes."""

_FIRST: Final = (0.25, 0.5, 1.0, 2.0, 3.5, 5.0, 10.0, 20.0, 60.0, 120.0, 240.0)
"""A hosted model needs a second or two, a local one minutes for a long prompt."""

_QUEUED: Final = (0.01, 0.1, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 120.0, 300.0)

_STOP_REASONS: Final = frozenset(
    {
        "end_turn",
        "max_tokens",
        "model_context_window_exceeded",
        "pause_turn",
        "refusal",
        "stop_sequence",
        "tool_use",
    }
)

_OF_A_MODEL: Final = ("provider", "model")

_Key = tuple[str, str]


class _Model:
    """What one model of one provider took."""

    __slots__ = (
        "cached",
        "dollars",
        "first",
        "input",
        "output",
        "reasoning",
        "retries",
        "seconds",
        "unpriced",
        "written",
    )

    def __init__(self) -> None:
        self.seconds = Histogram(_SECONDS)
        self.first = Histogram(_FIRST)
        self.input = self.output = self.cached = self.written = self.reasoning = 0
        self.retries = self.unpriced = 0
        self.dollars = 0.0


class Metrics:
    """An observer of requests; `families()` are the numbers so far."""

    def __init__(self) -> None:
        self._requests: defaultdict[tuple[str, str, int, str, str], int] = defaultdict(int)
        self._models: dict[_Key, _Model] = {}
        self._latest: tuple[Outcome | None, _Model] = (None, _Model())
        """What ended last, and whose it was: its price comes right behind, mostly."""
        self._queued: dict[str, Histogram] = {}

    def ended(self, outcome: Outcome) -> None:
        """Count it."""
        key = self._key(outcome)
        reason, error = ("", outcome.outcome) if outcome.failed else (_reason(outcome), "")
        self._requests[(*key, outcome.status, reason, error)] += 1
        model = self._model(key)
        _add(model, outcome)
        self._latest = (outcome, model)
        if outcome.attempts:
            self._queue(outcome.provider).observe(outcome.queued)

    def priced(self, outcome: Outcome, dollars: float | None) -> None:
        """What a request that has ended cost; None: nobody knows."""
        latest, model = self._latest
        if latest is not outcome:
            model = self._model(self._key(outcome))
        if dollars is None:
            model.unpriced += 1
        else:
            model.dollars += dollars

    @property
    def unpriced(self) -> int:
        """Requests whose price nobody knows."""
        return sum(model.unpriced for model in self._models.values())

    def families(self) -> list[Family]:
        """All of them, whether anything has been counted or not."""
        labels = ("provider", "model", "status", "stop_reason", "error_type")
        counted = [
            ((provider, model, str(status), reason, error), float(number))
            for (provider, model, status, reason, error), number in self._requests.items()
        ]
        queued = [((provider,), q.distribution) for provider, q in self._queued.items()]
        return [
            Family("fcc_requests", "counter", "Requests that have ended.", labels, counted),
            *self._of_models(),
            Family(
                "fcc_queue_seconds", "histogram",
                "Time in which requests waited for their turn at a provider.",
                ("provider",), queued,
            ),
        ]  # fmt: skip

    def _of_models(self) -> list[Family]:
        return [
            Family(
                name,
                "histogram",
                help,
                _OF_A_MODEL,
                [(key, histogram(model).distribution) for key, model in self._models.items()],
            )
            for name, help, histogram in _HISTOGRAMS
        ] + [
            Family(
                name,
                "counter",
                help,
                _OF_A_MODEL,
                [(key, float(number(model))) for key, model in self._models.items()],
            )
            for name, help, number in _COUNTERS
        ]

    def _model(self, key: _Key) -> _Model:
        model = self._models.get(key)
        if model is None:
            model = self._models[key] = _Model()
        return model

    def _queue(self, provider: str) -> Histogram:
        if provider not in self._queued:
            self._queued[provider] = Histogram(_QUEUED)
        return self._queued[provider]

    def _key(self, outcome: Outcome) -> _Key:
        if outcome.local:
            return "fcc", outcome.local
        if not outcome.provider:
            return "none", "none"
        key = (outcome.provider, outcome.model)
        if key in self._models:
            return key
        chosen = not outcome.asked.removesuffix("[1m]").endswith(outcome.model)
        if len(self._models) < MOST and (chosen or not outcome.failed):
            return key
        return outcome.provider, "other"


_HISTOGRAMS: Final[tuple[tuple[str, str, Callable[[_Model], Histogram]], ...]] = (
    ("fcc_request_duration_seconds", "Time to the end of the answer.", lambda m: m.seconds),
    ("fcc_time_to_first_token_seconds", "Time to the first content.", lambda m: m.first),
)

_COUNTERS: Final[tuple[tuple[str, str, Callable[[_Model], float]], ...]] = (
    ("fcc_input_tokens", "Tokens of prompts; cached ones are among them.", lambda m: m.input),
    ("fcc_output_tokens", "Tokens of answers; reasoning is among them.", lambda m: m.output),
    ("fcc_cached_tokens", "Tokens of prompts that came from a cache.", lambda m: m.cached),
    ("fcc_cache_written_tokens", "Tokens of prompts put into a cache.", lambda m: m.written),
    ("fcc_reasoning_tokens", "Tokens of answers that were reasoning.", lambda m: m.reasoning),
    ("fcc_retries", "Further attempts at the same model.", lambda m: m.retries),
    ("fcc_cost_dollars", "US dollars, as far as prices are known.", lambda m: m.dollars),
    ("fcc_unpriced_requests", "Requests whose price nobody knows.", lambda m: m.unpriced),
)


def _add(model: _Model, outcome: Outcome) -> None:
    model.seconds.observe(outcome.seconds)
    if outcome.first is not None:
        model.first.observe(outcome.first)
    model.input += outcome.input
    model.output += outcome.output
    model.cached += outcome.cached
    model.written += outcome.written
    model.reasoning += outcome.reasoning
    model.retries += outcome.retries


def _reason(outcome: Outcome) -> str:
    if outcome.outcome in _STOP_REASONS:
        return outcome.outcome
    # A client that left is known by its status.
    return "other" if outcome.outcome not in ("", CLIENT_LEFT) else ""
