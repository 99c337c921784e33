"""From a configuration to a listening daemon, and to its end."""

import asyncio
import errno
import signal
import socket
from collections.abc import Callable, Coroutine

from aiohttp import web
from loguru import logger

from fcc.errors import ConfigError
from fcc.server.app import new_app
from fcc.server.middleware import is_loopback
from fcc.settings.config import Config
from fcc.settings.keys import Keys
from fcc.settings.routing import Router

__all__ = ["check_bind", "open_socket", "serve"]


def check_bind(config: Config) -> None:
    """Raises ConfigError for an address that others can reach while no token is set."""
    if not config.auth_token and not is_loopback(config.server.host):
        raise ConfigError(
            f"{config.server.host} can be reached from other machines, and anybody there could "
            "spend your key: set auth_token in config.toml (or FCC_AUTH_TOKEN), "
            "or listen on 127.0.0.1"
        )


def open_socket(host: str, port: int) -> socket.socket:
    """A listening socket. Raises ConfigError where the address can't be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise ConfigError(_unavailable(host, port, error)) from error
    return listening


def _unavailable(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is in use, perhaps by an fcc that runs already: "
            f"stop it, or choose another with --port"
        )
    return f"can't listen on {host}:{port}: {error.strerror or error}"


async def serve(config: Config, router: Router, keys: Keys, ready: Callable[[str], None]) -> None:
    """Listen until SIGTERM or SIGINT; `ready` is called with the URL.

    The first signal ends accepting and lets open streams go on for `drain_seconds`; the second
    ends at once. Raises ConfigError.
    """
    check_bind(config)
    listening = open_socket(config.server.host, config.server.port)
    stop = asyncio.Event()
    now = asyncio.Event()
    _on_signals(stop, now)
    runner = web.AppRunner(
        new_app(config, router, keys),
        # Off by default outside tests: without it, answers that nobody reads go on and cost.
        handler_cancellation=True,
        access_log=None,
        shutdown_timeout=config.server.drain_seconds,
    )
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        ready(_url(listening))
        await stop.wait()
        logger.info("stopping: open streams have {:.0f} s", config.server.drain_seconds)
    finally:
        await _until(runner.cleanup(), now)


async def _until(cleanup: Coroutine[None, None, None], now: asyncio.Event) -> None:
    """Run the clean-up, but no longer than until `now`."""
    cleaning = asyncio.ensure_future(cleanup)
    hurried = asyncio.ensure_future(now.wait())
    await asyncio.wait((cleaning, hurried), return_when=asyncio.FIRST_COMPLETED)
    hurried.cancel()
    cleaning.cancel()


def _on_signals(stop: asyncio.Event, now: asyncio.Event) -> None:
    def signalled() -> None:
        (now if stop.is_set() else stop).set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signalled)


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
