"""Which daemon does Claude Code talk to, with which models behind it? One is started if need be."""

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import click
import msgspec

from fcc.cli.client import Link
from fcc.cli.local import NotFccError, address, ask, health, reachable, running_daemon
from fcc.cli.options import Choice, chosen_provider
from fcc.errors import ConfigError, NotFoundError
from fcc.settings.config import Config
from fcc.settings.files import Providers
from fcc.settings.keys import Keys
from fcc.settings.places import log_file, private_dir
from fcc.settings.probed import Probes
from fcc.settings.routing import TIERS, Router
from fcc.settings.running import Running, Tier

__all__ = ["link_to", "started", "tiers_of"]

_PATIENCE = 30.0
"""Seconds for a daemon to be ready: a busy machine may need some."""


def tiers_of(router: Router) -> dict[str, Tier]:
    """Where each of Claude Code's families goes, and what is known of the model there."""
    tiers = {}
    for name in TIERS:
        try:
            route = router.route(f"claude-{name}")
        except NotFoundError:
            continue
        # What is longer goes to another model, if there is a route for it.
        window = router.longest(f"claude-{name}").model.context_window
        tiers[name] = Tier(route.target, window, route.model.max_output_tokens)
    return tiers


def link_to(running: Running | None, config: Config, provider: str = "", model: str = "") -> Link:
    """The daemon with the models it serves by itself, or those of `provider` or `model`.

    Raises ConfigError.
    """
    url = reachable(running.url) if running else address(config.server.host, config.server.port)
    token = config.auth_token or "fcc"
    tiers = running.tiers if running and not provider and not model else {}
    patience = 0.0
    if not tiers:
        choice = _choice(config, provider or (running.provider if running else ""), model)
        tiers, patience = tiers_of(choice.router()), choice.profile.timeouts.read
    if running:
        tiers = _with_offered_windows(tiers, url, token)
    return Link(url, token, tiers, patience)


def _choice(config: Config, provider: str, model: str) -> Choice:
    providers, keys = Providers(probes=Probes.read()), Keys()
    profile, notice = chosen_provider(providers, keys, provider or config.provider, None)
    return Choice(config, providers, keys, profile, model, notice)


def _with_offered_windows(tiers: dict[str, Tier], url: str, token: str) -> dict[str, Tier]:
    """Where nothing is known of a window, the provider may tell it in its list of models."""
    if all(tier.context_window for tier in tiers.values()):
        return tiers
    try:
        _, said = ask(url, "/v1/models?limit=1000", token=token, patience=4.0)
    except (OSError, NotFccError):
        return tiers
    windows = dict(_offered(said.get("data", []) if isinstance(said, dict) else []))
    return {
        name: tier
        if tier.context_window
        else msgspec.structs.replace(tier, context_window=_known(windows, name, tier.target))
        for name, tier in tiers.items()
    }


def _offered(models: Iterable[object]) -> Iterable[tuple[str, int]]:
    for model in models:
        if isinstance(model, dict) and isinstance(model.get("max_input_tokens"), int):
            yield str(model.get("id")).removeprefix("anthropic/"), model["max_input_tokens"]
            yield str(model.get("display_name")), model["max_input_tokens"]


def _known(windows: dict[str, int], family: str, target: str) -> int | None:
    """That of the family, if it goes to this target: a route for long requests counts there."""
    return windows.get(f"{family.capitalize()} ({target})", windows.get(target))


def started(config: Config, options: Iterable[str]) -> Running:
    """A daemon in the background, ready. Raises ConfigError with its last words if it isn't."""
    import subprocess

    path = log_file()
    try:
        opened = _opened(path)
    except OSError as error:
        raise ConfigError(f"{path}: no log can be written there: {error.strerror}") from error
    command = [sys.executable, "-m", "fcc", "serve", *options]
    with opened as log:
        begin = log.tell()
        process = subprocess.Popen(  # noqa: S603 - this very program
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={
                **os.environ,
                "FCC_LOG_FILE": str(path),
                "FCC_HOST": config.server.host,
                "FCC_PORT": str(config.server.port),
            },
        )
    url = address(config.server.host, config.server.port)
    limit = time.monotonic() + _PATIENCE
    while time.monotonic() < limit:
        running = _ready(config, url)
        if running:
            return running
        if process.poll() is not None:
            raise ConfigError(f"the daemon did not start: {_last_words(path, begin)}")
        time.sleep(0.05)
    process.terminate()
    raise ConfigError(f"the daemon was not ready after {_PATIENCE:.0f} s; see {path}")


def _ready(config: Config, url: str) -> Running | None:
    try:
        return running_daemon(config) if health(url, patience=1.0) else None
    except NotFccError as error:
        raise ConfigError(
            f"{error}: choose another port with FCC_PORT or in config.toml"
        ) from error


def _opened(path: Path) -> IO[bytes]:
    """The log to append to, readable by its owner alone."""
    private_dir(path.parent)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def _last_words(path: Path, begin: int) -> str:
    with path.open("rb") as log:
        # One that has been begun anew meanwhile is all of this daemon.
        log.seek(begin if begin <= path.stat().st_size else 0)
        lines = log.read().decode("utf-8", "replace").strip().splitlines()
    return click.unstyle(lines[-1]).removeprefix("fcc: ") if lines else f"it said nothing in {path}"
