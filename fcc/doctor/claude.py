"""Is Claude Code there, and would it come to fcc?"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fcc.doctor.finding import Finding, ok, warn
from fcc.settings.config import Config

__all__ = ["claude_code"]

_MEASURED = (2, 1, 197)
"""The oldest version that fcc was measured with."""

_PATIENCE = 10.0
"""Seconds for `claude --version`."""


def claude_code(config: Config, environ: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Its version, what points it elsewhere, and what makes it ask for a login."""
    found = shutil.which(environ.get("FCC_CLAUDE") or "claude", path=environ.get("PATH"))
    if found is None:
        fix = "npm install -g @anthropic-ai/claude-code, or say where it is with FCC_CLAUDE"
        yield warn("claude", "claude is not on the PATH", fix)
    else:
        yield _version(found)
    host = config.server.host
    url = f"http://{f'[{host}]' if ':' in host else host}:{config.server.port}"
    yield from _settings(url, environ)
    yield _pointed(url, environ)
    if environ.get("ANTHROPIC_API_KEY"):
        yield warn(
            "claude",
            "ANTHROPIC_API_KEY is set in this shell: Claude Code sends it too, and asks about it",
            "unset ANTHROPIC_API_KEY (fcc claude does so by itself)",
        )


def _version(found: str) -> Finding:
    try:
        ended = subprocess.run(  # noqa: S603 - what the person would start
            [found, "--version"], capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return warn("claude", f"{found} can't be run", "npm install -g @anthropic-ai/claude-code")
    numbers = re.match(r"(\d+)\.(\d+)\.(\d+)", ended.stdout)
    if not numbers:
        return ok("claude", f"Claude Code is at {found}")
    seen = f"Claude Code {numbers[0]} is at {found}"
    if tuple(map(int, numbers.groups())) < _MEASURED:
        oldest = ".".join(map(str, _MEASURED))
        return warn("claude", f"{seen}; fcc was measured with {oldest} and later", "claude update")
    return ok("claude", seen)


def _pointed(url: str, environ: Mapping[str, str]) -> Finding:
    pointed = environ.get("ANTHROPIC_BASE_URL", "").rstrip("/")
    if pointed in (url, f"{url}/v1"):
        return ok("claude", f"ANTHROPIC_BASE_URL is {pointed}")
    if not pointed:
        return ok("claude", "ANTHROPIC_BASE_URL is not set in this shell: start it with fcc claude")
    return warn(
        "claude",
        f"ANTHROPIC_BASE_URL is {pointed} in this shell",
        'fcc claude, or eval "$(fcc env)"',
    )


def _settings(url: str, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Its settings files go before the environment."""
    home = Path(environ.get("CLAUDE_CONFIG_DIR") or Path.home() / ".claude")
    places = (
        home / "settings.json",
        Path(".claude/settings.json"),
        Path(".claude/settings.local.json"),
    )
    for path in places:
        said = _env_of(path)
        pointed = str(said.get("ANTHROPIC_BASE_URL", "")).rstrip("/")
        if pointed and pointed != url:
            yield warn(
                "claude",
                f"{path} sets ANTHROPIC_BASE_URL to {pointed}, which wins over every shell",
                f"take it out there, or set it to {url}",
            )
        for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_MODEL"):
            if said.get(name):
                fix = "take it out there where fcc claude shall decide"
                yield warn("claude", f"{path} sets {name}, which wins over every shell", fix)


def _env_of(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    env = said.get("env") if isinstance(said, dict) else None
    return env if isinstance(env, dict) else {}
