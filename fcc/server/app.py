"""The aiohttp application: which path is answered by what."""

from collections.abc import AsyncIterator

from aiohttp import web

from fcc.server.count_tokens import count_tokens
from fcc.server.documents import DOCUMENTS, Documents
from fcc.server.gateway import GATEWAY, Gateway
from fcc.server.health import about, health, nothing
from fcc.server.messages import create
from fcc.server.middleware import middlewares
from fcc.server.models import list_models, retrieve_model
from fcc.settings.config import Config
from fcc.settings.keys import Keys
from fcc.settings.routing import Router
from fcc.upstream.backend import new_session

__all__ = ["new_app"]


def new_app(config: Config, router: Router, keys: Keys) -> web.Application:
    """The application; its gateway lives as long as it runs."""
    app = web.Application(middlewares=middlewares, client_max_size=config.server.max_body_bytes)

    async def gateway(app: web.Application) -> AsyncIterator[None]:
        async with new_session() as session:
            app[GATEWAY] = Gateway(config, router, keys, session)
            yield

    app[DOCUMENTS] = Documents()
    app.cleanup_ctx.append(gateway)
    app.add_routes(_ROUTES)
    return app


# Claude Code takes its base URL as a prefix, and people write it with /v1 at the end.
_ROUTES = [
    *(web.post(f"{prefix}/v1/messages", create) for prefix in ("", "/v1")),
    *(web.post(f"{prefix}/v1/messages/count_tokens", count_tokens) for prefix in ("", "/v1")),
    *(web.get(f"{prefix}/v1/models", list_models) for prefix in ("", "/v1")),
    *(web.get(f"{prefix}/v1/models/{{model_id:.+}}", retrieve_model) for prefix in ("", "/v1")),
    *(
        web.route(method, path, nothing)
        for path in ("/v1/messages", "/v1/messages/count_tokens")
        for method in ("HEAD", "OPTIONS")
    ),
    web.get("/api/hello", nothing),
    web.get("/health", health),
    web.get("/", about),
]
