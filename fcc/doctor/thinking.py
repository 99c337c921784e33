"""Is the model's reasoning seen, and does the provider take it back?"""

import re
from collections.abc import Iterator
from typing import Any

from fcc.doctor.finding import ok, warn
from fcc.doctor.heard import Asker
from fcc.doctor.probes import TOOL, Outcome, user, with_result
from fcc.errors import BadRequestError

__all__ = ["thinking"]


def thinking(asker: Asker) -> Iterator[Outcome]:
    """Whether its reasoning is seen, and taken back."""
    on = {"type": "enabled", "budget_tokens": 1024}
    question = "A bat and a ball cost 1.10 together, the bat 1.00 more. What does the ball cost?"
    heard = asker.ask([user(question)], max_tokens=2048, thinking=on)
    if isinstance(heard.error, BadRequestError):
        fix = 'fcc leaves it out; for good: ask.reasoning = "none" in the provider\'s file'
        learned: dict[str, Any] = {"thinking": False, "thinking_refused": True}
        yield Outcome(warn("thinking", str(heard.error), fix), learned)
        return
    if heard.error is not None:
        yield Outcome(warn("thinking", str(heard.error), "try again later"))
        return
    tags = re.match(r"\s*<(think|thinking|thought)>|[\s\S]{40,}</think>", heard.text)
    field = heard.reasoning_field or ("content" if tags else "")
    if not field:
        yield Outcome(ok("thinking", "it shows no reasoning"), {"thinking": False})
        return
    where = "as tags in its text" if field == "content" else f"in {field}"
    learned = {"thinking": True, "thinking_field": field}
    yield Outcome(ok("thinking", f"its reasoning comes {where}"), learned)
    if asker.model.ask.reasoning_history != "none":
        yield _round_trip(asker)


def _round_trip(asker: Asker) -> Outcome:
    thought = {"type": "thinking", "thinking": "I need the weather first.", "signature": ""}
    on = {"type": "enabled", "budget_tokens": 1024}
    heard = asker.ask(with_result(thought), tools=[TOOL], max_tokens=2048, thinking=on)
    if isinstance(heard.error, BadRequestError):
        fix = 'set ask.reasoning_history = "none" for this model in the provider\'s file'
        return Outcome(warn("thinking", str(heard.error), fix), {"thinking_history": False})
    if heard.error is not None:
        return Outcome(warn("thinking", str(heard.error), "try again later"))
    field = asker.model.ask.reasoning_history
    return Outcome(ok("thinking", f"it takes reasoning back ({field})"), {"thinking_history": True})
