"""One provider at work: its keys, and what is known of its health."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from fcc.diagnosis.rates import Rate
from fcc.errors import (
    BadRequestError,
    BillingError,
    OverloadedError,
    RateLimitedError,
    RefusedKeyError,
)
from fcc.settings.limits import Retry
from fcc.settings.profile import Profile
from fcc.upstream.backend import new_session
from fcc.upstream.breaker import THRESHOLD
from fcc.upstream.catalog import Catalog
from fcc.upstream.lane import LONG_REST, MAX_LEARNED, Door, Lane, fingerprint
from fcc.upstream.limiter import Limiter, Seat
from tests.clock import now, virtually
from tests.conftest import profile_of
from tests.scripted import Scripted, text


def run(scene: Callable[[Lane], Any], keys: int = 2, profile: Profile | None = None) -> Any:
    async def main() -> Any:
        profile_ = profile or profile_of()
        doors = [Door(Scripted(text("x")), Limiter(profile_.limits), f"k{n}") for n in range(keys)]
        async with new_session() as session:
            return await scene(Lane(profile_, doors, Catalog(session, profile_, "")))

    return virtually(main())


def test_keys_are_taken_in_rotation() -> None:
    async def scene(lane: Lane) -> list[str]:
        return [lane.door().name for _ in range(5)]

    assert run(scene, 3) == ["k0", "k1", "k2", "k0", "k1"]


def test_a_key_that_is_less_busy_goes_first() -> None:
    async def scene(lane: Lane) -> list[str]:
        async with lane.doors[0].limiter.seat():
            return [lane.door().name for _ in range(3)]

    assert run(scene) == ["k1", "k1", "k1"]


@pytest.mark.parametrize(
    ("error", "rest"),
    [
        (RateLimitedError("x", retry_after=7.0), 7.0), (RateLimitedError("x"), 10.0),
        (RefusedKeyError("x"), LONG_REST), (BillingError("x"), LONG_REST),
    ],
)  # fmt: skip
def test_a_key_that_is_refused_rests_and_another_is_worth_trying(error: Any, rest: float) -> None:
    async def scene(lane: Lane) -> None:
        door = lane.door()
        assert lane.failed(door, error)
        assert door.rests_until - now() == rest
        assert {lane.door().name for _ in range(3)} == {"k1"}

    run(scene)


def test_when_all_keys_rest_the_first_to_wake_is_asked() -> None:
    async def scene(lane: Lane) -> None:
        assert lane.failed(lane.doors[0], RateLimitedError("x", retry_after=20.0))
        assert not lane.failed(lane.doors[1], RateLimitedError("x", retry_after=9.0))
        assert lane.door().name == "k1"

    run(scene)


@pytest.mark.parametrize("error", [OverloadedError("x"), BadRequestError("x")])
def test_what_is_not_the_keys_fault_is_no_reason_for_another(error: Any) -> None:
    async def scene(lane: Lane) -> None:
        assert not lane.failed(lane.doors[0], error)
        assert lane.doors[0].rests_until == 0

    run(scene)


def test_the_only_key_never_rests() -> None:
    async def scene(lane: Lane) -> None:
        assert not lane.failed(lane.doors[0], RefusedKeyError("x"))
        assert lane.door().name == "k0"

    run(scene, 1)


def test_a_providers_wait_holds_its_key_as_long_as_waiting_helps() -> None:
    async def scene(lane: Lane) -> list[float]:
        waits = []
        for seconds in (7.0, 900.0):
            began = now()
            lane.failed(lane.doors[0], RateLimitedError("x", retry_after=seconds))
            async with lane.doors[0].limiter.seat():
                waits.append(now() - began)
        return waits

    assert run(scene, 1, profile_of(retry=Retry(max_wait=30.0))) == [7, 0]


def test_a_provider_that_fails_again_and_again_rests() -> None:
    async def scene(lane: Lane) -> None:
        for _ in range(THRESHOLD):
            assert lane.resting() is None
            lane.failed(lane.doors[0], OverloadedError("x"))
        resting = lane.resting()
        assert resting is not None
        assert resting.message == "Test failed several times in a row and rests for 10 s"
        await asyncio.sleep(10)
        assert lane.resting() is None, "the one that tries"
        resting = lane.resting()
        assert resting is not None
        assert resting.message.endswith("in a row and is tried with one request at a time")
        lane.succeeded()
        assert lane.resting() is None

    run(scene, 1)


@pytest.mark.parametrize(
    "error", [RateLimitedError("x"), BadRequestError("x"), RefusedKeyError("x")]
)
def test_a_provider_that_says_no_is_well(error: Any) -> None:
    async def scene(lane: Lane) -> None:
        for _ in range(3 * THRESHOLD):
            lane.failed(lane.doors[0], error)
        assert lane.resting() is None

    run(scene, 1)


def test_messages_name_the_provider_and_the_model() -> None:
    async def scene(lane: Lane) -> None:
        assert lane.source("vendor/m").who == "Test (vendor/m)"
        assert lane.learned("a") is lane.learned("a") is not lane.learned("b")

    run(scene)


def test_a_fingerprint_tells_keys_apart_and_gives_nothing_away() -> None:
    assert fingerprint("sk-one") != fingerprint("sk-two")
    assert len(fingerprint("sk-one")) == 6
    assert fingerprint("sk-one") not in "sk-one"


def tighten(lane: Lane, place: int, model: str, seconds: float) -> None:
    seat = Seat(model, 1, 0)
    lane.doors[place].limiter.tighten(seat, [Rate(remaining=0, reset=seconds)])


def test_a_key_of_which_nothing_is_left_for_the_model_comes_last() -> None:
    async def scene(lane: Lane) -> None:
        tighten(lane, 0, "m", 20.0)
        assert {lane.door("m").name for _ in range(3)} == {"k1"}
        assert {lane.door("other").name for _ in range(3)} == {"k0", "k1"}
        tighten(lane, 1, "m", 30.0)
        assert {lane.door("m").name for _ in range(3)} == {"k0"}

    run(scene)


def test_where_nothing_is_left_for_longer_than_is_waited_another_provider_is_asked() -> None:
    async def scene(lane: Lane) -> None:
        tighten(lane, 0, "m", 90.0)
        assert lane.resting("m") is None
        tighten(lane, 1, "m", 50.0)
        resting = lane.resting("m")
        assert resting is not None
        assert resting.message == "Test (m) allows no further request for 50 s"
        assert resting.retry_after == 50
        assert lane.resting("other") is None

    run(scene)


def test_what_was_learned_of_models_has_an_end() -> None:
    async def scene(lane: Lane) -> None:
        first = lane.learned("0")
        for n in range(MAX_LEARNED):
            lane.learned(str(n))
        assert lane.learned("0") is first
        lane.learned("one more")
        assert len(lane._learned) == MAX_LEARNED
        assert lane.learned("0") is not first

    run(scene)
