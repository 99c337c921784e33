"""`fcc serve`: start the daemon and say what Claude Code needs."""

import gc
import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
import msgspec

import fcc
from fcc.cli.greeting import greet
from fcc.cli.link import tiers_of
from fcc.cli.options import Choice, choose, provider_options, variable_option
from fcc.cli.overrides import Overrides
from fcc.errors import ConfigError
from fcc.settings.files import load_config
from fcc.settings.places import ledger_file
from fcc.settings.routing import Router
from fcc.settings.running import Running, announced

if TYPE_CHECKING:
    from fcc import log
    from fcc.server.run import Setup

__all__ = ["serve"]

_EPILOG = """\b
Examples:
  fcc serve --provider nim
  fcc serve --provider openrouter --model qwen/qwen3-coder
  fcc serve --provider lmstudio --port 9000
  fcc serve --provider custom --base-url http://gpu-box:8000/v1 --model my-model
  fcc serve --provider vllm --no-dialects    text that looks like a tool call stays text
"""


@click.command(epilog=_EPILOG)
@variable_option("FCC_PROVIDER", "--provider", "-p", metavar="NAME", help="See `fcc providers`.")
@provider_options
@variable_option("FCC_HOST", "--host", help="The address to listen at (127.0.0.1).")
@variable_option(
    "FCC_PORT", "--port", type=click.IntRange(0, 65535), help="Where to listen (8082)."
)
@variable_option(
    "FCC_LOG_LEVEL",
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"], case_sensitive=False),
    help="What is logged (info).",
)
@variable_option(
    "FCC_DIALECTS",
    "--dialects/--no-dialects",
    default=None,
    help="Make tool calls of what a model writes as text (yes).",
)
@variable_option(
    "FCC_REPAIR",
    "--repair/--no-repair",
    default=None,
    help="Mend broken arguments of tool calls where that is safe (yes).",
)
@variable_option(
    "FCC_RECORD",
    "--record/--no-record",
    default=None,
    help="Keep what is said for `fcc trace`, without secrets (no).",
)
@variable_option(
    "FCC_LOG_FORMAT",
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    help="json: an object a line (text).",
)
@variable_option(
    "FCC_LOG_FILE",
    "--log-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Log to this file, which is begun anew at 10 MB, and not to the terminal.",
)
def serve(
    provider: str | None,
    model: str | None,
    base_url: str | None,
    config_path: Path | None,
    host: str | None,
    port: int | None,
    log_level: str | None,
    dialects: bool | None,
    repair: bool | None,
    record: bool | None,
    log_format: "log.Format",
    log_file: Path | None,
) -> None:
    """Start the gateway. Ctrl-C or SIGTERM ends it; open answers may finish first."""
    overrides = Overrides(host, port, log_level, dialects, repair, record)
    log_to = _LogTo(log_format, log_file)
    asked = _Asked(provider, model, base_url, config_path, overrides, log_to)
    choice = _with_a_model(asked.choice())
    _set_up_log(choice, log_to)
    import asyncio

    from fcc.server import run

    with ExitStack() as stack:
        daemon = _Daemon(asked, choice, stack)
        router, keys = choice.router(), choice.keys
        ledger = ledger_file()
        # What is there by now stays: the collector need not look at it again.
        gc.freeze()
        asyncio.run(run.serve(choice.config, router, keys, daemon.ready, daemon.reload, ledger))


class _Asked(msgspec.Struct, frozen=True):
    """The options: they win over the files, at every reload too."""

    provider: str | None
    model: str | None
    base_url: str | None
    config_path: Path | None
    overrides: Overrides
    log_to: "_LogTo"

    def choice(self, usual: str = "") -> Choice:
        """`usual` is the provider where neither option nor file names one. Raises ConfigError."""
        configured = load_config(self.config_path).provider
        # What config.toml names is left to `choose`, which says where an unknown name stands.
        named = self.provider or ("" if configured else usual)
        choice = choose(named, self.model, self.base_url, self.config_path)
        return msgspec.structs.replace(choice, config=self.overrides.over(choice.config))


class _LogTo(msgspec.Struct, frozen=True):
    """What is said of the log on the command line alone."""

    format: "log.Format"
    file: Path | None


class _Daemon:
    """What happens when the daemon is ready, and when it reads its configuration again."""

    def __init__(self, asked: _Asked, choice: Choice, stack: ExitStack) -> None:
        self._asked = asked
        self._choice = choice
        self._stack = stack
        self._url = ""

    def ready(self, url: str) -> None:
        """Tell the person, and other commands until the stack is left."""
        self._url = url
        self._announce(self._choice.router())
        greet(url, self._choice, self._choice.router())

    def reload(self) -> "Setup":
        """What the files say by now; where nobody named a provider it stays the one it is.

        Raises ConfigError.
        """
        from fcc.server.run import Setup

        before = self._choice
        choice = self._asked.choice(before.profile.name)
        if choice.profile.name == before.profile.name and not choice.model:
            # Asking the server again which model is loaded would hold every answer up.
            choice = msgspec.structs.replace(
                choice, model="" if _models_of(choice) else before.model
            )
        self._choice = choice
        router = choice.router()
        self._announce(router)
        _set_up_log(choice, self._asked.log_to)
        return Setup(choice.config, router, choice.keys)

    def _announce(self, router: Router) -> None:
        self._stack.close()
        try:
            self._stack.enter_context(announced(self._running(router)))
        except ConfigError as error:
            from loguru import logger

            # A container may have no place to write: serving matters more than being found.
            logger.warning("{}; fcc status and fcc stop won't find this daemon", error)

    def _running(self, router: Router) -> Running:
        file = self._asked.log_to.file
        return Running(
            pid=os.getpid(),
            url=self._url,
            version=fcc.__version__,
            provider=self._choice.profile.name,
            tiers=tiers_of(router),
            log=str(file.resolve()) if file else "",
            service=_service(),
        )


def _set_up_log(choice: Choice, log_to: _LogTo) -> None:
    """At its level; the first words are of what the doctor has left and can't be used."""
    from loguru import logger

    from fcc import log

    log.set_up(choice.config.log_level, log_to.format, log_to.file)
    for problem in choice.providers.probes.problems:
        logger.warning("{}", problem.message)
    if choice.config.recorder.bodies and not choice.config.observe:
        logger.warning("nothing is recorded, as 'observe' is false in config.toml")


def _service() -> Literal["", "user", "system"]:
    """Set by fcc's own unit: what systemd sets is inherited by every shell of a desktop too."""
    match os.environ.get("FCC_SERVICE"):
        case "user":
            return "user"
        case "system":
            return "system"
        case _:
            return ""


def _models_of(choice: Choice) -> bool:
    """Whether files say which models to use."""
    return bool(choice.profile.default_model or choice.profile.models or choice.config.models)


def _with_a_model(choice: Choice) -> Choice:
    """A local server without a model in its profile serves the first that it offers."""
    profile = choice.profile
    if choice.model or _models_of(choice):
        return choice
    from fcc.cli.offered import offered_models

    models = offered_models(profile, choice.keys.get(profile))
    if not models:
        raise ConfigError(
            f"{profile.label} at {profile.base_url} offers no model that fcc can see: "
            "load one there, or name it with --model"
        )
    return msgspec.structs.replace(choice, model=models[0])
