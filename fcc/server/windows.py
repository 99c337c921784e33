"""How large is a model's context window, as far as anybody has said?"""

from typing import Final

from fcc.errors import PromptTooLongError
from fcc.server.plan import Plan
from fcc.settings.profile import Model
from fcc.upstream.lane import Lane
from fcc.wire.models import CatalogEntry

__all__ = ["known", "told", "window"]

_LEAST: Final = 1000
"""Tokens: a refusal that names less is about something else."""

_HEAD: Final = "prompt is too long"


async def window(lane: Lane, model: Model) -> int | None:
    """Tokens: as a refusal has said, else the provider's list of models, else the profile."""
    # Gemini's list says models/NAME.
    names = (model.name, f"models/{model.name}")
    listed = (entry for entry in await lane.catalog.models() if entry.id in names)
    return known(lane, model, next(listed, None))


def known(lane: Lane, model: Model, listed: CatalogEntry | None) -> int | None:
    """The same, where the model's place in the list is at hand."""
    learned = lane.learned(model.name).context_window
    return learned or (listed and listed.context_window) or model.context_window


async def told(error: PromptTooLongError, plan: Plan) -> PromptTooLongError:
    """The error with the numbers by which clients compact, where the provider left them out.

    A limit that it names is remembered.
    """
    learned, limit = plan.lane.learned(plan.source.model), error.limit
    if limit is not None and limit >= _LEAST:
        learned.context_window = limit
    if not error.message.startswith((f"{_HEAD} (", f"{_HEAD} for a limit")):
        return error
    limit = limit or await window(plan.lane, plan.route.model)
    if limit is None:
        return error
    tokens = plan.ratio.tokens(plan.estimated, plan.session)
    sizes = f": {tokens} tokens > {limit} maximum"
    if tokens <= limit:
        # An estimate can be too low, and must not say that the prompt fits.
        sizes = f" for a limit of {limit} tokens"
    return PromptTooLongError(f"{_HEAD}{sizes} ({error.message.partition('(')[2]}")
