"""What does it cost to hand bytes through? aiohttp on both sides and nothing in between.

A process of its own: `python -m tests.bench.passthrough http://127.0.0.1:PORT/v1`. It says its
port on stdout and ends with its standard input.
"""

import asyncio
import sys

import aiohttp
from aiohttp import web

from tests.bench.stdin import until_stdin_ends

_SESSION = web.AppKey("session", aiohttp.ClientSession)
_URL = web.AppKey("url", str)


async def _pass(request: web.Request) -> web.StreamResponse:
    body = await request.read()
    headers = {"Content-Type": "application/json"}
    async with request.app[_SESSION].post(request.app[_URL], data=body, headers=headers) as answer:
        response = web.StreamResponse(status=answer.status)
        response.content_type = answer.content_type
        await response.prepare(request)
        while raw := await answer.content.readany():
            await response.write(raw)
        return response


async def _main(upstream: str) -> None:
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=300)
    app = web.Application(client_max_size=1 << 26)
    app.router.add_post("/v1/messages", _pass)
    app[_URL] = f"{upstream}/chat/completions"
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=timeout,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    ) as app[_SESSION]:
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        sys.stdout.write(f"{runner.addresses[0][1]}\n")
        sys.stdout.flush()
        await until_stdin_ends()
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
