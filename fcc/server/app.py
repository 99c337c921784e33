"""The aiohttp application: which path is answered by what."""

from collections.abc import AsyncIterator

from aiohttp import web

from fcc.server.count_tokens import count_tokens
from fcc.server.documents import DOCUMENTS, Documents
from fcc.server.gateway import GATEWAY, Gateway
from fcc.server.health import health, nothing
from fcc.server.live import LIVE, LIVE_PATH, Live, live, stop_watching
from fcc.server.messages import create
from fcc.server.metrics import metrics
from fcc.server.middleware import middlewares
from fcc.server.models import list_models, retrieve_model
from fcc.server.page.files import FILES, front, page_file
from fcc.server.status import status
from fcc.server.traces import TRACES_PATH, list_traces, one_trace
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
            app[LIVE] = Live(app[GATEWAY])
            yield
            app[GATEWAY].watch.tell()
            app[GATEWAY].lag.stop()
            await app[GATEWAY].recorder.stop()
            await app[GATEWAY].accounts.stop()

    app[DOCUMENTS] = Documents()
    app.cleanup_ctx.append(gateway)
    app.on_shutdown.append(stop_watching)
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
    web.get("/status", status),
    web.get("/metrics", metrics),
    web.get(TRACES_PATH, list_traces),
    web.get(f"{TRACES_PATH}/{{id}}", one_trace),
    web.get("/", front),
    *(web.get(path, page_file) for path in FILES),
    web.get(LIVE_PATH, live, allow_head=False),
]
