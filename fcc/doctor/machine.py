"""Is the daemon's port free or is it there already, and does Claude Code find it?"""

import os
import shutil
import socket
from collections.abc import Iterator

import httpx

from fcc.doctor.finding import Finding, ok, warn
from fcc.settings.config import Config

__all__ = ["claude_code", "daemon"]


def daemon(config: Config) -> Finding:
    """What is at the daemon's address."""
    host, port = config.server.host, config.server.port
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    try:
        answer = httpx.get(f"{url}/health", timeout=2, trust_env=False).json()
        return ok("daemon", f"fcc {answer['version']} runs at {url}, provider {answer['provider']}")
    except (httpx.ConnectError, httpx.ConnectTimeout):
        pass
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return warn("daemon", f"something else listens at {url}", "start fcc with another --port")
    try:
        with socket.create_server((host, port), family=_family(host)):
            return ok("daemon", f"not running; {host}:{port} is free")
    except OSError as error:
        return warn("daemon", f"{host}:{port}: {error.strerror}", "choose another host or port")


def claude_code(config: Config) -> Iterator[Finding]:
    """Whether Claude Code is there, and where this shell points it to."""
    found = shutil.which("claude")
    if found:
        yield ok("claude", f"Claude Code is at {found}")
    else:
        yield warn(
            "claude", "claude is not on the PATH", "npm install -g @anthropic-ai/claude-code"
        )
    url = f"http://{config.server.host}:{config.server.port}"
    pointed = os.environ.get("ANTHROPIC_BASE_URL", "").rstrip("/")
    if pointed == url:
        yield ok("claude", f"ANTHROPIC_BASE_URL is {pointed}")
    else:
        seen = f"ANTHROPIC_BASE_URL is {pointed or 'not set'} in this shell"
        yield warn("claude", seen, f"export ANTHROPIC_BASE_URL={url} ANTHROPIC_AUTH_TOKEN=fcc")


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
