"""What do files and environment say of the daemon's address and token?"""

from pathlib import Path

import msgspec

from fcc.errors import ConfigError
from fcc.settings.config import Config
from fcc.settings.files import load_config
from fcc.settings.keys import Keys

__all__ = ["config_of"]

_LAST_PORT = 65535


def config_of(path: Path | None) -> Config:
    """config.toml with what the environment says of address and token. Raises ConfigError."""
    config, keys = load_config(path), Keys()
    port = keys.variable("FCC_PORT")
    if port and not (port.isdecimal() and int(port) <= _LAST_PORT):
        raise ConfigError(f"FCC_PORT must be a number from 0 to {_LAST_PORT}, not {port!r}")
    server = msgspec.structs.replace(
        config.server,
        host=keys.variable("FCC_HOST") or config.server.host,
        port=int(port) if port else config.server.port,
    )
    token = keys.variable("FCC_AUTH_TOKEN") or config.auth_token
    return msgspec.structs.replace(config, server=server, auth_token=token)
