"""What is there to see of a provider at work: its keys, its queue, its health, its lessons?"""

import msgspec

from fcc.settings.profile import Profile
from fcc.upstream.lane import Door, Lane, fingerprint

__all__ = ["Breaking", "Learned", "OneDoor", "OneLane", "lane_of"]

_NO_KEY = fingerprint("")


class OneDoor(msgspec.Struct, frozen=True):
    """One key at work."""

    fingerprint: str
    """Six characters of its hash; empty: the provider is asked without a key."""
    open: int
    waiting: int
    available: int | None
    """How many requests could start at once; None: there is no limit."""
    rests_seconds: float
    """How long it is not asked, because it was refused or is used up."""


class Breaking(msgspec.Struct, frozen=True):
    """Whether the provider is asked at all."""

    state: str
    """closed, open or half_open."""
    seconds_left: float


class Learned(msgspec.Struct, frozen=True):
    """What refusals have taught of one model."""

    max_tokens: int | None
    without: tuple[str, ...]
    """Fields that are left out."""


class OneLane(msgspec.Struct, frozen=True):
    """One provider that was asked since the configuration was read."""

    provider: str
    title: str
    open: int
    waiting: int
    breaker: Breaking
    doors: tuple[OneDoor, ...]
    learned: dict[str, Learned]


def lane_of(lane: Lane, now: float) -> OneLane:
    """As it is at `now`, the loop's time."""
    profile, breaker = lane.profile, lane.breaker
    doors = tuple(_door(profile, door, now) for door in lane.doors)
    return OneLane(
        provider=profile.name,
        title=profile.label,
        open=sum(door.open for door in doors),
        waiting=sum(door.waiting for door in doors),
        breaker=Breaking(breaker.state.name.lower(), round(breaker.left(now), 1)),
        doors=doors,
        learned={
            model: Learned(known.max_tokens, known.dropped) for model, known in lane.lessons.items()
        },
    )


def _door(profile: Profile, door: Door, now: float) -> OneDoor:
    limiter, seats = door.limiter, profile.limits.concurrency
    free = [max(0, seats - limiter.open)] if seats else []
    turns = limiter.available()
    return OneDoor(
        fingerprint="" if door.name == _NO_KEY else door.name,
        open=limiter.open,
        waiting=limiter.waiting,
        available=min([*free, *([] if turns is None else [turns])], default=None),
        rests_seconds=round(max(0.0, door.rests_until - now), 1),
    )
