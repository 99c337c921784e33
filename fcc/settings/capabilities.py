"""What did probes find out about one model? A file per model, which the daemon reads.

The files are in the state directory: `capabilities/PROVIDER/MODEL.json`, where what can't stand
in a file's name is written as %XX.
"""

from pathlib import Path
from urllib.parse import quote

import msgspec

from fcc.errors import ConfigError
from fcc.settings.places import private_dir, replacing, state_dir

__all__ = [
    "FORMAT",
    "Capabilities",
    "capabilities_dir",
    "capability_file",
    "decoded",
    "read_capabilities",
    "write_capabilities",
]

FORMAT = 1
"""What the fields below mean; a file of another format is not believed."""


class Capabilities(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """None: it was not asked, or the answer told nothing."""

    format: int = 1
    """`FORMAT`, of the fcc that wrote it."""
    probed: str = ""
    """When, as an ISO 8601 date and time in UTC."""
    base_url: str = ""
    """Where: what is known of another server's model is not believed."""
    streams: bool | None = None
    tools: bool | None = None
    """Calls the tool that it is asked to call, as a native tool call."""
    tools_as_text: bool | None = None
    """Writes calls into its text: the server's tool parser is off or unfit."""
    parallel_tools: bool | None = None
    tool_results: bool | None = None
    """Goes on after a tool's result."""
    thinking: bool | None = None
    thinking_field: str = ""
    """The delta's field that carries it; `content` for tags in the text."""
    thinking_history: bool | None = None
    """Takes its own reasoning back in that field."""
    thinking_refused: bool | None = None
    """Refuses the fields that turn reasoning on."""
    images: bool | None = None
    usage: bool | None = None
    cached_tokens: bool | None = None
    """Tells of tokens that came from the prefix cache."""
    context_window: int | None = None
    """Tokens, as the refusal of a prompt that is too long says."""
    max_output_tokens: int | None = None
    longest_prompt: int | None = None
    """Tokens of the longest prompt that was seen to be read to its beginning."""
    truncates: bool | None = None
    """Cuts a prompt that is too long without a word."""
    overflow_known: bool | None = None
    """The refusal is one that fcc turns into a compaction."""
    cancels: bool | None = None
    """Stops at once when nobody reads."""
    rate_limit_headers: tuple[str, ...] = ()


def capabilities_dir() -> Path:
    """The folder with one folder for each provider."""
    return state_dir() / "capabilities"


def capability_file(provider: str, model: str) -> Path:
    """Where the model's file is, whether it is there or not."""
    return capabilities_dir() / quote(provider, safe="") / f"{quote(model, safe='')}.json"


def read_capabilities(provider: str, model: str, base_url: str) -> Capabilities | None:
    """What is known of the model at `base_url`; None where nothing is, or not by this fcc."""
    try:
        found = decoded(capability_file(provider, model).read_bytes())
    except (OSError, ValueError):
        return None
    return found if found.base_url == base_url else None


def decoded(data: bytes) -> Capabilities:
    """A file's content. Raises ValueError for what is none, or of another format."""
    found = msgspec.json.decode(data, type=Capabilities)
    if found.format != FORMAT:
        raise ValueError("it is of another version of fcc")
    return found


def write_capabilities(provider: str, model: str, found: Capabilities) -> Path:
    """Write the model's file at once and whole. Raises ConfigError."""
    path = capability_file(provider, model)
    try:
        private_dir(path.parent)
        with replacing(path) as file:
            kept = msgspec.structs.replace(found, format=FORMAT)
            file.write(msgspec.json.format(msgspec.json.encode(kept)) + b"\n")
    except OSError as error:
        raise ConfigError(f"{path}: can't be written: {error.strerror}") from error
    return path
