"""Which options of the command line take the place of what config.toml says?"""

import msgspec

from fcc.settings.config import Config

__all__ = ["Overrides"]


class Overrides(msgspec.Struct, frozen=True):
    """None: not given, so the file counts."""

    host: str | None
    port: int | None
    log_level: str | None
    dialects: bool | None
    repair: bool | None
    record: bool | None = None

    def over(self, config: Config) -> Config:
        """`config` with what was given in the place of what it says."""
        level = self.log_level.lower() if self.log_level else None
        server = _given(host=self.host, port=self.port)
        tool_calls = _given(dialects=self.dialects, repair=self.repair)
        changes = {
            "server": msgspec.structs.replace(config.server, **server),
            "tool_calls": msgspec.structs.replace(config.tool_calls, **tool_calls),
            "recorder": msgspec.structs.replace(config.recorder, **_given(bodies=self.record)),
            **_given(log_level=level),
        }
        return msgspec.convert({**msgspec.structs.asdict(config), **changes}, Config)


def _given(**options: object) -> dict[str, object]:
    return {name: value for name, value in options.items() if value is not None}
