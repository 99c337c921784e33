"""What the doctor's probes found, as facts of a profile: beneath what a person's own file says.

A shipped profile tells of a provider in general; a probe was of this very server, so it counts
more. What a person wrote counts most, but a file that says the same as the shipped one is a copy
of it, as `fcc init` makes them, and says nothing of its own.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from fcc.errors import ConfigError
from fcc.settings.capabilities import Capabilities, capabilities_dir, decoded
from fcc.settings.profile import Facts, Model, Profile

__all__ = ["Found", "Probes", "Problem", "own_words"]

_OLDEST: Final = timedelta(days=90)
"""Providers change what is behind a model's name, and a person changes the server."""


class Found(msgspec.Struct, frozen=True):
    """One capability file."""

    provider: str
    model: str
    file: str
    known: Capabilities


class Problem(msgspec.Struct, frozen=True):
    """A capability file that can't be used."""

    seen: str
    """The file, and why."""
    fix: str
    """The command that writes it anew."""

    @property
    def message(self) -> str:
        """All of it on one line."""
        return f"{self.seen}; it is ignored; run: {self.fix}"


class Probes:
    """`amended(profile, shipped)`: the profile with what was found of its models."""

    def __init__(self, found: list[Found], problems: list[Problem]) -> None:
        self.found = found
        self.problems = problems
        """What could not be used."""
        self._applied: dict[tuple[str, str], dict[str, Facts]] = {}

    @classmethod
    def read(cls, now: datetime | None = None) -> "Probes":
        """All capability files, read at once; those that can't be used become problems."""
        found, problems = list[Found](), list[Problem]()
        for path in sorted(capabilities_dir().glob("*/*.json")):
            provider, model = unquote(path.parent.name), unquote(path.stem)
            try:
                known = _read(path, now or datetime.now(UTC))
            except ConfigError as error:
                fix = f"fcc doctor {provider} --deep --model {model}"
                problems.append(Problem(error.message, fix))
            else:
                found.append(Found(provider, model, str(path), known))
        return cls(found, problems)

    def of(self, profile: Profile) -> list[Found]:
        """What is known of the models at the profile's own address."""
        return [
            one
            for one in self.found
            if one.provider == profile.name and one.known.base_url == profile.base_url
        ]

    def applied(self, profile: Profile) -> Iterator[tuple[Found, dict[str, Any]]]:
        """What is in force of each file: dotted keys of a profile's facts, and their values."""
        applied = self._applied.get((profile.name, profile.base_url), {})
        for one in self.of(profile):
            counts = _flat(profile.model(one.model))
            said = _flat(applied.get(one.file, Facts()))
            yield one, {key: value for key, value in said.items() if counts.get(key) == value}

    def amended(self, profile: Profile, own: Mapping[str, Any]) -> Profile:
        """`profile` with further facts; `own` is what only the person's file says, as tables."""
        applied = {one.file: _fitting(one, profile, own) for one in self.of(profile)}
        probed = {_only(one.model): applied[one.file] for one in self.of(profile)}
        self._applied[profile.name, profile.base_url] = applied
        names = list(profile.facts)
        place = next((n for n, name in enumerate(names) if name in _part(own, "facts")), len(names))
        before = {name: profile.facts[name] for name in names[:place]}
        after = {name: profile.facts[name] for name in names[place:]}
        return msgspec.structs.replace(profile, facts=before | probed | after)


def _flat(facts: Facts | Model) -> dict[str, Any]:
    """Dotted keys; what is None says nothing."""
    tables = msgspec.to_builtins(facts)
    flat = {name: value for name, value in tables.items() if name not in ("ask", "reply")}
    for part in ("ask", "reply"):
        flat |= {f"{part}.{name}": value for name, value in tables[part].items()}
    return {name: value for name, value in flat.items() if value is not None}


def _facts_of(known: Capabilities, profile: Profile, model: str) -> Facts:
    """What the daemon does differently for what was found."""
    before = profile.model(model)
    ask: dict[str, Any] = {}
    reply: dict[str, Any] = {}
    if known.images is False:
        ask["images"] = False
    if known.usage is False:
        ask["stream_usage"] = False
    if known.parallel_tools is False and before.ask.parallel_tool_calls:
        ask["one_call"] = True
    if known.thinking_refused:
        ask["reasoning"] = "none"
    if known.thinking_history is False:
        ask["reasoning_history"] = "none"
    if known.tools_as_text and not before.reply.dialects:
        reply["dialects"] = ("default",)
    field = known.thinking_field
    if field and field != "content" and field not in before.reply.reasoning:
        reply["reasoning"] = (field, *before.reply.reasoning)
    return Facts(
        context_window=known.context_window,
        max_output_tokens=known.max_output_tokens,
        ask=ask,
        reply=reply,
    )


def own_words(mine: Mapping[str, Any], shipped: Mapping[str, Any]) -> dict[str, Any]:
    """What a person's file says, as tables, but for what the shipped one says as well."""
    said = {}
    for key, value in mine.items():
        theirs = shipped.get(key)
        if not isinstance(value, dict):
            own = None if value == theirs else value
        else:
            own = own_words(value, theirs if isinstance(theirs, dict) else {}) or None
        if own is not None:
            said[key] = own
    return said


def _fitting(one: Found, profile: Profile, own: Mapping[str, Any]) -> Facts:
    """The facts, but for what the person's file says of all models."""
    facts = _facts_of(one.known, profile, one.model)
    ask, reply = _part(own, "ask"), _part(own, "reply")
    return msgspec.structs.replace(
        facts,
        ask={key: value for key, value in facts.ask.items() if key not in ask},
        reply={key: value for key, value in facts.reply.items() if key not in reply},
    )


def _part(own: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = own.get(name)
    return part if isinstance(part, dict) else {}


def _only(model: str) -> str:
    """A pattern that fits this name alone, and that no person would have written."""
    import glob  # noqa: PLC0415 - rarely needed, and read by every command

    first, rest = model[:1], model[1:]
    return f"[{first}]{glob.escape(rest)}" if first.isalnum() else glob.escape(model)


def _read(path: Path, now: datetime) -> Capabilities:
    """Raises ConfigError."""
    try:
        known = decoded(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path}: can't be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: no capability file: {error}") from error
    if (age := _age(known.probed, now)) > _OLDEST:
        raise ConfigError(f"{path}: is {age.days} days old")
    return known


def _age(probed: str, now: datetime) -> timedelta:
    """Nothing where the file does not say."""
    try:
        return now - datetime.fromisoformat(probed)
    except (ValueError, TypeError):
        return timedelta()
