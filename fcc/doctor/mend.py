"""How is what a finding asks for written down? With a copy of what was there before."""

from pathlib import Path

from fcc.doctor.finding import Change
from fcc.errors import ConfigError
from fcc.settings.edit import backup, edited, write

__all__ = ["mend"]


def mend(change: Change) -> str:
    """Make the change, and say what was done. Raises ConfigError."""
    path = Path(change.file)
    if change.mode is not None:
        try:
            path.chmod(change.mode)
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}") from error
        return f"{path} has mode {change.mode:04o}"
    there = path.is_file()
    source = path if there else Path(change.source) if change.source else None
    try:
        before = source.read_text("utf-8") if source else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{source}: can't be read: {error}") from error
    after = edited(before, change.set, str(path))
    kept = f" (before: {backup(path)})" if there else ""
    write(path, after)
    said = ", ".join(f"{key} = {value!r}" for key, value in change.set.items())
    return f"{path}: {said}{kept}"
