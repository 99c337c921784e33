"""GET /v1/models: what a client may ask for, in Anthropic's list.

Claude Code's discovery shows only ids that contain "claude" or "anthropic", and drops the whole
list for one display_name that is null. So each family is listed under its own name, and each of
the provider's models under `anthropic/PROVIDER/MODEL`, which routing understands.
"""

import asyncio
from typing import Any

from aiohttp import web

from fcc.errors import NotFoundError, RefusedKeyError, RequestError
from fcc.server.gateway import GATEWAY, Gateway
from fcc.server.windows import known, window
from fcc.settings.profile import Model

__all__ = ["list_models", "retrieve_model"]

_CREATED = "2025-01-01T00:00:00Z"
"""The list must have a date; providers tell none that means anything."""

_PAGE = 20
_MOST = 1000


async def list_models(request: web.Request) -> web.Response:
    """A page of models: `limit`, `after_id`, `before_id` as in Anthropic's API."""
    models = await _models(request.app[GATEWAY])
    page, more = _paged(models, request)
    return web.json_response(
        {
            "data": page,
            "has_more": more,
            "first_id": page[0]["id"] if page else None,
            "last_id": page[-1]["id"] if page else None,
        }
    )


async def retrieve_model(request: web.Request) -> web.Response:
    """One model; any that routing knows. Raises NotFoundError."""
    gateway = request.app[GATEWAY]
    asked = request.match_info["model_id"]
    listed = {model["id"]: model for model in await _models(gateway)}
    if asked in listed:
        return web.json_response(listed[asked])
    route = gateway.router.route(asked)
    if not asked.startswith("claude") and "/" not in asked:
        raise NotFoundError(f"there is no model {asked!r} here; GET /v1/models lists them")
    return web.json_response(await _of_name(gateway, asked, route.target))


async def _models(gateway: Gateway) -> list[dict[str, Any]]:
    listed = []
    profile = gateway.router.default
    lane = gateway.lane(profile)
    tiers = [
        _of_name(gateway, f"claude-{tier}", f"{tier.capitalize()} ({target})")
        for tier, target in gateway.router.mapping()
    ]
    # Several providers are asked for their windows at once: the client waits for 3 s.
    listed = await asyncio.gather(*tiers)
    for entry in await lane.catalog.models():
        shown, model = f"{profile.name}/{entry.id}", profile.model(entry.id)
        listed.append(_entry(f"anthropic/{shown}", shown, known(lane, model, entry), model))
    return listed


async def _of_name(gateway: Gateway, id: str, display_name: str) -> dict[str, Any]:
    """The entry of a name that routing knows, with the window of its longest requests."""
    route, model = gateway.router.longest(id), gateway.router.route(id).model
    try:
        tokens = await window(gateway.lane(route.profile), route.model)
    except RefusedKeyError:
        # Another provider's key is missing: the list is of use without its word.
        tokens = route.model.context_window
    return _entry(id, display_name, tokens, model)


def _entry(id: str, display_name: str, tokens: int | None, model: Model) -> dict[str, Any]:
    caps = (model.max_output_tokens, model.max_tokens)
    output = min((cap for cap in caps if cap), default=None)
    return {
        "type": "model",
        "id": id,
        "display_name": display_name,
        "created_at": _CREATED,
        "lifecycle": "active",
        **({"max_input_tokens": tokens} if tokens else {}),
        **({"max_tokens": output} if output else {}),
    }


def _paged(models: list[dict[str, Any]], request: web.Request) -> tuple[list[dict[str, Any]], bool]:
    limit = _limit(request.query.get("limit", str(_PAGE)))
    ids = [model["id"] for model in models]
    after, before = request.query.get("after_id"), request.query.get("before_id")
    if after is not None:
        models = models[ids.index(after) + 1 :] if after in ids else []
    elif before is not None:
        models = models[: ids.index(before)] if before in ids else []
        return models[-limit:], len(models) > limit
    return models[:limit], len(models) > limit


def _limit(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST:
        raise RequestError(f"limit: must be a number from 1 to {_MOST}, not {text!r}")
    return int(text)
