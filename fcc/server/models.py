"""GET /v1/models: what a client may ask for, in Anthropic's list.

Claude Code's discovery shows only ids that contain "claude" or "anthropic", and drops the whole
list for one display_name that is null. So each family is listed under its own name, and each of
the provider's models under `anthropic/PROVIDER/MODEL`, which routing understands.
"""

from typing import Any

from aiohttp import web

from fcc.errors import NotFoundError, RequestError
from fcc.server.gateway import GATEWAY, Gateway

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
    shown = f"{route.profile.name}/{route.model.name}"
    return web.json_response(_model(asked, shown, route.model.context_window))


async def _models(gateway: Gateway) -> list[dict[str, Any]]:
    listed = []
    for tier, target in gateway.router.mapping():
        window = gateway.router.route(f"claude-{tier}").model.context_window
        listed.append(_model(f"claude-{tier}", f"{tier.capitalize()} ({target})", window))
    profile = gateway.router.default
    catalog = await gateway.lane(profile).catalog.models()
    for entry in catalog:
        shown = f"{profile.name}/{entry.id}"
        window = entry.context_window or profile.model(entry.id).context_window
        listed.append(_model(f"anthropic/{shown}", shown, window))
    return listed


def _model(id: str, display_name: str, context_window: int | None) -> dict[str, Any]:
    model: dict[str, Any] = {
        "type": "model",
        "id": id,
        "display_name": display_name,
        "created_at": _CREATED,
        "lifecycle": "active",
    }
    return model | ({"max_input_tokens": context_window} if context_window else {})


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
