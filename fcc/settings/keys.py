"""API keys: from the environment, else from the env file. They are never logged or shown.

The env file (`fcc.env` in the config directory) holds KEY=VALUE lines, as systemd's
EnvironmentFile does, and must be readable by its owner alone.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from fcc.errors import ConfigError
from fcc.settings.files import config_dir
from fcc.settings.profile import Profile

__all__ = ["Keys", "read_env_file"]


def read_env_file(path: Path) -> dict[str, str]:
    """The file's variables; {} where there is none. Raises ConfigError."""
    mode = _mode(path)
    if mode is None:
        return {}
    if mode & 0o077:
        raise ConfigError(
            f"{path}: others may read your keys (mode {mode:04o}); run: chmod 600 {path}"
        )
    values = {}
    for number, line in enumerate(_text(path).splitlines(), 1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isidentifier():
            raise ConfigError(f"{path}: line {number} is not NAME=VALUE")
        values[name.strip()] = value.strip().strip("\"'")
    return values


def _mode(path: Path) -> int | None:
    """None where there is no such file."""
    try:
        return stat.S_IMODE(path.stat().st_mode) if path.is_file() else None
    except OSError as error:
        raise ConfigError(f"{path}: can't be read: {error.strerror}") from error


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(f"{path}: can't be read: {reason}") from error


class Keys:
    """`get(profile)` gives the provider's key, or "" where it needs or has none."""

    def __init__(self, environ: Mapping[str, str] | None = None, file: Path | None = None) -> None:
        self._environ = os.environ if environ is None else environ
        self._file = read_env_file(config_dir() / "fcc.env" if file is None else file)

    def variable(self, name: str) -> str:
        """A variable of the environment or of the env file; "" if unset."""
        return self._environ.get(name, "") or self._file.get(name, "")

    def get(self, profile: Profile) -> str:
        """The provider's key, the first of several; "" if unset."""
        return next(iter(self.all(profile)), "")

    def all(self, profile: Profile) -> list[str]:
        """The provider's keys, in the order given; [] if unset."""
        value = self.variable(profile.api_key_env) if profile.api_key_env else ""
        return list(dict.fromkeys(filter(None, map(str.strip, value.split(",")))))

    def missing(self, profile: Profile) -> bool:
        """Whether the provider needs a key that is not set."""
        needed = bool(profile.api_key_env) and not profile.api_key_optional
        return needed and not self.get(profile)

    def require(self, profile: Profile) -> str:
        """The key. Raises ConfigError, with what to do, where it is needed and missing."""
        if self.missing(profile):
            where = f" (get one at {profile.key_url})" if profile.key_url else ""
            raise ConfigError(
                f"{profile.label} needs a key: set {profile.api_key_env}{where}, "
                f"in the environment or in {config_dir() / 'fcc.env'}"
            )
        return self.get(profile)
