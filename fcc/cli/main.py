"""The `fcc` command and what it knows: names of commands, errors, exit codes.

Only click is imported here; a command imports what it needs when it runs, so that `--help` and
shell completion answer at once.
"""

import errno
import gc
import importlib
import os
import sys
from contextlib import suppress
from typing import Final

import click

import fcc
from fcc.errors import ConfigError, FccError
from fcc.overriding import override

__all__ = ["cli", "main"]

_SECTIONS: Final = {
    "Use": {
        "claude": "Start Claude Code through the daemon, which is started if none runs.",
        "env": "Print the environment that Claude Code needs.",
        "serve": "Start the gateway.",
    },
    "Set up": {
        "init": "Choose provider, key and models, and write them down.",
        "providers": "List the providers and what each needs.",
        "models": "List, search and choose the models that a provider offers.",
        "config": "Show, edit and check the configuration.",
        "service": "Run the gateway as a service of systemd or launchd.",
    },
    "Look": {
        "doctor": "Check configuration, key, network, models, daemon and Claude Code.",
        "status": "Show whether the daemon runs, and how busy it is.",
        "logs": "Show what the daemon said.",
        "usage": "Show tokens, cost and outcomes, by day, model, provider or session.",
        "trace": "List and show the last requests: came in, went upstream, came back, was sent.",
        "replay": "Ask a recorded request again.",
        "bug": "Pack a recorded request for an issue, without secrets.",
        "statusline": "Print one line for Claude Code's status line.",
    },
    "Steer": {
        "reload": "Let the daemon read its configuration again.",
        "stop": "End the daemon; open answers may finish first.",
    },
}
"""Section of --help -> command -> its line there; the module `fcc.cli.COMMAND` has it under the
same name."""

_COMMANDS: Final = {
    name: line for commands in _SECTIONS.values() for name, line in commands.items()
}


class _Commands(click.Group):
    """Commands that are imported when they are asked for; a typo gets a suggestion."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command = vars(importlib.import_module(f"fcc.cli.{cmd_name}"))[cmd_name]
        if not gc.isenabled():
            gc.freeze()
            gc.enable()
        assert isinstance(command, click.Command)
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        widest = max(map(len, _COMMANDS))
        for title, commands in _SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(widest), commands[name]) for name in commands])

    @override
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            from fcc.settings.toml import nearest

            ctx.fail(f"no such command {args[0]!r}{nearest(args[0], _COMMANDS)}")
        return super().resolve_command(ctx, args)


_EPILOG = """\b
Examples:
  fcc init                           a few questions, and all is set up
  fcc claude                         Claude Code through fcc
  fcc serve                          the configured provider, or the first that is ready
  fcc serve --provider openrouter
  fcc serve --provider custom --base-url http://localhost:8000/v1 --model my-model
  fcc doctor openrouter              is it configured, reachable, and is the model offered?
\b
Shell completion (bash; also zsh, fish):
  eval "$(_FCC_COMPLETE=bash_source fcc)"
"""


@click.group(
    cls=_Commands, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(fcc.__version__, prog_name="fcc", message="%(prog)s %(version)s")
def cli() -> None:
    """Claude Code on any OpenAI-compatible backend."""


def main() -> None:
    """Run the command line; what can't be used is one line and exit code 2.

    So is a file that may not be read. Somebody who does not answer, a full disk or a broken pipe
    ends with 1.
    """
    _open_what_is_closed()
    try:
        try:
            cli(prog_name="fcc")
        finally:
            sys.stdout.flush()
    except FccError as error:
        _end(error.message, 2 if isinstance(error, ConfigError) else 1)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        words = "" if error.errno == errno.EPIPE else f"{place}{error.strerror or error}"
        _end(words, 2 if isinstance(error, PermissionError) else 1)


def _open_what_is_closed() -> None:
    """`fcc status >&-` has no standard output: what is said there is for nobody."""
    while (opened := os.open(os.devnull, os.O_RDWR)) <= 2:
        if opened == 0:
            sys.stdin = os.fdopen(opened, closefd=False)
        elif opened == 1:
            sys.stdout = os.fdopen(opened, "w", closefd=False)
        else:
            sys.stderr = os.fdopen(opened, "w", closefd=False)
    os.close(opened)


def _end(words: str, code: int) -> None:
    """Say the words, if standard error takes them, and end."""
    with suppress(OSError):
        if words:
            click.echo(f"fcc: {words}", err=True)
    # What standard output refused would be tried again at the end, and told with a traceback.
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
