"""From a configuration to a listening daemon, and to its end."""

import asyncio
import errno
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from aiohttp import web
from loguru import logger

from fcc.errors import ConfigError
from fcc.observe.shelf import Shelf
from fcc.server.app import new_app
from fcc.server.gateway import GATEWAY, Gateway
from fcc.server.middleware import is_loopback
from fcc.server.notify import Notifier, inherited_socket
from fcc.settings.config import Config
from fcc.settings.keys import Keys
from fcc.settings.places import traces_dir
from fcc.settings.routing import Router

__all__ = ["Setup", "check_bind", "new_runner", "open_socket", "serve"]

_FAREWELL: Final = 2.0
"""Seconds for the last words of answers that are ended."""


class Setup(msgspec.Struct, frozen=True):
    """What a daemon runs on."""

    config: Config
    router: Router
    keys: Keys


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


def new_runner(app: web.Application) -> web.AppRunner:
    """What serves the application, on whichever socket."""
    return web.AppRunner(
        app,
        # Off by default outside tests: without it, answers that nobody reads go on and cost.
        handler_cancellation=True,
        access_log=None,
        shutdown_timeout=_FAREWELL,
    )


async def serve(
    config: Config,
    router: Router,
    keys: Keys,
    ready: Callable[[str], None],
    reload: Callable[[], Setup] | None = None,
    ledger: Path | None = None,
) -> None:
    """Listen until SIGTERM or SIGINT; `ready` is called with the URL.

    The first signal ends accepting and lets open answers go on for `drain_seconds`; then they are
    ended, with an error. The second signal ends all at once. SIGHUP takes what `reload` gives;
    what raises ConfigError there changes nothing. What requests took is kept in `ledger`.
    Raises ConfigError.
    """
    check_bind(config)
    listening = inherited_socket() or open_socket(config.server.host, config.server.port)
    app = new_app(config, router, keys)
    runner = new_runner(app)
    await runner.setup()
    gateway = app[GATEWAY]

    def listens(url: str) -> None:
        ready(url)
        if ledger is not None:
            gateway.accounts.start(ledger)
            gateway.recorder.shelf = Shelf(traces_dir())

    try:
        await _Daemon(gateway, runner, listening, reload).live(listens)
    finally:
        await runner.cleanup()


class _Daemon:
    """One run: ready, reloads, the end."""

    def __init__(
        self,
        gateway: Gateway,
        runner: web.AppRunner,
        listening: socket.socket,
        reload: Callable[[], Setup] | None,
    ) -> None:
        self._gateway = gateway
        self._site = web.SockSite(runner, listening)
        self._listening = listening
        self._reload = reload
        self._stop = asyncio.Event()
        self._at_once = asyncio.Event()
        self._notifier = Notifier()
        self._rereading: asyncio.Task[None] | None = None
        self._reading = asyncio.Lock()
        self._loop = asyncio.get_running_loop()

    async def live(self, ready: Callable[[str], None]) -> None:
        self._on_signals()
        await self._site.start()
        url = _url(self._listening)
        ready(url)
        self._notifier.tell("READY=1", f"STATUS=listening on {url}")
        self._watchdog()
        await self._stop.wait()
        await self._drain()

    async def _drain(self) -> None:
        """No new connections; open answers may finish, and are then told to end."""
        seconds = self._gateway.config.server.drain_seconds
        logger.info("stopping: {} open answers have {:.0f} s", self._gateway.open, seconds)
        self._notifier.tell("STOPPING=1", f"STATUS=finishing {self._gateway.open} answers")
        await self._site.stop()
        idle = asyncio.ensure_future(self._gateway.idle())
        hurried = asyncio.ensure_future(self._at_once.wait())
        await asyncio.wait((idle, hurried), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if not idle.done():
            logger.warning("ending {} answers that are still open", self._gateway.open)
            self._gateway.end_all()
            await asyncio.wait((idle,), timeout=_FAREWELL)
        idle.cancel()
        hurried.cancel()

    def _on_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._signalled)
        self._loop.add_signal_handler(signal.SIGHUP, self._hung_up)

    def _signalled(self) -> None:
        (self._at_once if self._stop.is_set() else self._stop).set()

    def _hung_up(self) -> None:
        self._rereading = self._loop.create_task(self._reread_in_turn())

    async def _reread_in_turn(self) -> None:
        """What an earlier signal reads more slowly does not replace what a later one has read."""
        async with self._reading:
            await self._reread()

    async def _reread(self) -> None:
        if self._reload is None:
            logger.warning("SIGHUP: this daemon has nothing to read again")
            return
        self._notifier.reloading()
        try:
            setup = await asyncio.to_thread(self._reload)
            check_bind(setup.config)
            prices = await self._gateway.accounts.read_again()
        except ConfigError as error:
            logger.error("the configuration is kept as it was: {}", error)
            self._gateway.reload_error = str(error)
        else:
            self._gateway.reload_error = ""
            self._gateway.replace(setup.config, setup.router, setup.keys)
            await self._gateway.accounts.replace(prices)
            logger.info("configuration read again; provider {}", setup.router.default.name)
        self._gateway.reloads += 1
        self._notifier.tell("READY=1")

    def _watchdog(self) -> None:
        """A sign of life that a blocked loop does not give."""
        if self._notifier.watchdog:
            self._notifier.tell("WATCHDOG=1")
            self._loop.call_later(self._notifier.watchdog, self._watchdog)


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
