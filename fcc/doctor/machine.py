"""Is the daemon's port free or is it there already, and which versions are at work?"""

import os
import platform
import socket
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import httpx

import fcc
from fcc.diagnosis.redact import redact
from fcc.doctor.finding import Change, Finding, ok, warn
from fcc.settings.config import Config
from fcc.settings.files import config_file, shipped_dir
from fcc.settings.profile import Profile
from fcc.settings.running import find

__all__ = ["daemon", "proxies", "versions"]


def versions() -> Finding:
    """For whoever reads the report."""
    python = platform.python_version()
    return ok("version", f"fcc {fcc.__version__}, Python {python}, {platform.system()}")


def daemon(config: Config, profile: Profile) -> Finding:
    """What is at the daemon's address."""
    host, port = config.server.host, config.server.port
    asked = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - to ask
    url = f"http://{f'[{asked}]' if ':' in asked else asked}:{port}"
    try:
        said = httpx.get(f"{url}/health", timeout=2, trust_env=False).json()
        return _running(url, str(said["version"]), str(said["provider"]), profile)
    except (httpx.ConnectError, httpx.ConnectTimeout):
        pass
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        free = _free_port(host)
        fix = f"start fcc with another --port, or set port = {free} in [server] of {config_file()}"
        change = Change(
            str(config_file()),
            {"server.port": free},
            source=str(shipped_dir() / "config.toml.example"),
        )
        return warn("daemon", f"something else listens at {url}", fix, change)
    try:
        with socket.create_server((host, port), family=_family(host)):
            return ok("daemon", f"not running; {host}:{port} is free")
    except OSError as error:
        return warn("daemon", f"{host}:{port}: {error.strerror}", "choose another host or port")


def _running(url: str, version: str, provider: str, profile: Profile) -> Finding:
    seen = f"fcc {version} runs at {url}, provider {provider}"
    again = (
        "fcc service stop && fcc service start" if _is_service(url) else "fcc stop, then start it"
    )
    if version != fcc.__version__:
        return warn("daemon", f"{seen}; installed is {fcc.__version__}", again)
    if provider != profile.name:
        fix = f"for {profile.name}: {again} with --provider {profile.name}"
        return warn("daemon", f"{seen}, and not {profile.name}", fix)
    return ok("daemon", seen)


def _is_service(url: str) -> bool:
    try:
        running = find(urlsplit(url).port, 0)
    except OSError:
        return False
    return bool(running and running.service)


def proxies(profile: Profile, environ: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """What stands between this machine and the provider by the environment's word."""
    scheme = urlsplit(profile.base_url).scheme
    names = (f"{scheme}_proxy".upper(), f"{scheme}_proxy", "ALL_PROXY", "all_proxy")
    proxy = next((f"{name}={environ[name]}" for name in names if environ.get(name)), "")
    if not proxy or not scheme:
        return
    host = urlsplit(profile.base_url).hostname or ""
    excepted = environ.get("NO_PROXY") or environ.get("no_proxy") or ""
    listed = [word.strip().lstrip(".") for word in excepted.split(",") if word.strip()]
    around = any(word in {"*", host} or host.endswith(f".{word}") for word in listed)
    if around:
        yield ok("proxy", f"{host} is excepted from {redact(proxy)}")
    elif profile.local:
        fix = f"export NO_PROXY={','.join([*listed, host])}"
        yield warn("proxy", f"{host} is asked through {redact(proxy)}", fix)
    else:
        yield ok("proxy", f"{host} is asked through {redact(proxy)}")


def _free_port(host: str) -> int:
    with socket.socket(_family(host)) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return 8083
        return int(probe.getsockname()[1])


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
