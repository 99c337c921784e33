"""Where the files are: what ships with fcc, and what a person keeps."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from fcc.errors import ConfigError
from fcc.settings.config import Config
from fcc.settings.places import user_dir
from fcc.settings.probed import Probes, own_words
from fcc.settings.profile import Profile
from fcc.settings.toml import nearest, read, read_table, read_text

__all__ = ["Providers", "config_dir", "config_file", "load_config", "shipped_dir"]


def shipped_dir() -> Path:
    """`config/` of the project, which an installed wheel carries as `fcc/_config`."""
    package = Path(__file__).parent.parent
    installed = package / "_config"
    return installed if installed.is_dir() else package.parent / "config"


def config_dir() -> Path:
    """The person's own files: FCC_CONFIG_DIR, else the platform's place for them."""
    chosen = os.environ.get("FCC_CONFIG_DIR")
    return Path(chosen).expanduser() if chosen else user_dir("config")


def config_file() -> Path:
    """The config.toml that counts where no option names one, whether it is there or not."""
    chosen = os.environ.get("FCC_CONFIG")
    return Path(chosen).expanduser() if chosen else config_dir() / "config.toml"


def load_config(path: Path | None = None) -> Config:
    """`path`, which must exist; None: `config_file()`, if it is there.

    Raises ConfigError.
    """
    if path is None and not os.environ.get("FCC_CONFIG") and _missing(config_file()):
        return Config()
    chosen = path or config_file()
    if os.environ.get("FCC_CONFIG") == str(chosen) and _missing(chosen):
        raise ConfigError(f"FCC_CONFIG in the environment: {chosen} is not there")
    return read(chosen, Config)


def _missing(path: Path) -> bool:
    """Whether nothing is there; what may not be looked at is no such thing."""
    try:
        return not path.exists()
    except OSError:
        return False


class Providers:
    """The profiles by name; a person's own file takes the place of a shipped one whole.

    With `probes`, each has what the doctor found out beneath what the person's own file says.
    """

    def __init__(self, *folders: Path, probes: Probes | None = None) -> None:
        self._files: dict[str, Path] = {}
        self._replaced: dict[str, Path] = {}
        self._read: dict[tuple[str, str], Profile] = {}
        self._texts: dict[str, str] = {}
        self._own: dict[str, dict[str, Any]] = {}
        self.probes = probes or Probes([], [])
        for folder in folders or (shipped_dir() / "providers", config_dir() / "providers"):
            for path in sorted(folder.glob("*.toml")):
                if path.stem in self._files:
                    self._replaced[path.stem] = self._files[path.stem]
                self._files[path.stem] = path

    def path(self, name: str) -> Path:
        """The file of a provider that is known."""
        return self._files[name]

    @property
    def names(self) -> list[str]:
        """In alphabetical order."""
        return sorted(self._files)

    def __contains__(self, name: object) -> bool:
        return name in self._files

    def load(self) -> None:
        """Read the files now, so that no request has to wait for a disk; parse them when asked.

        What can't be read is told by `get`.
        """
        for name, path in self._files.items():
            with suppress(ConfigError):
                self._texts[name] = read_text(path)
        for found in self.probes.found:
            with suppress(ConfigError):
                self._own_words(found.provider)

    def default(self, config: Config, path: Path | None = None) -> str:
        """The provider that the file `path`, or the usual one, chooses; "" where it chooses none.

        Raises ConfigError for one that is unknown.
        """
        if config.provider:
            self.check(config.provider, f"{path or config_file()}: 'provider'")
        return config.provider

    def check(self, name: str, where: str = "") -> None:
        """Raises ConfigError for a provider that is unknown; `where` begins the message."""
        if name not in self:
            hint = nearest(name, self._files)
            raise ConfigError(f"{where}{': ' if where else ''}unknown provider {name!r}{hint}")

    def get(self, name: str, base_url: str = "") -> Profile:
        """The profile `name`, at `base_url` if that is given.

        Raises ConfigError for one that is unknown or can't be read.
        """
        self.check(name)
        path = self._files[name]
        if (name, base_url) in self._read:
            return self._read[name, base_url]
        profile = read(path, Profile, self._texts.get(name))
        if profile.name and profile.name != name:
            raise ConfigError(f"{path}: 'name' is {profile.name!r}, but the file's name decides")
        profile = msgspec.structs.replace(profile, name=name, base_url=base_url or profile.base_url)
        if self.probes.of(profile):
            profile = self.probes.amended(profile, self._own_words(name))
        self._read[name, base_url] = profile
        return profile

    def _own_words(self, name: str) -> dict[str, Any]:
        """What only the person's file says; read from the disk once."""
        path, replaced = self._files.get(name), self._replaced.get(name)
        if path is None or path.parent == shipped_dir() / "providers":
            return {}
        if name not in self._own:
            shipped = read_table(replaced) if replaced else {}
            self._own[name] = own_words(read_table(path), shipped)
        return self._own[name]
