"""Seats, turns and holds, on a clock that jumps."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.diagnosis.rates import Rate
from fcc.errors import RateLimitedError
from fcc.settings.limits import Limits, ModelLimits
from fcc.upstream.limiter import MAX_GATES, MAX_WAITING, Limiter
from tests.clock import now, virtually


class Room:
    """Requests that take a seat of one limiter; when each of them started, from 0."""

    def __init__(self, limiter: Limiter) -> None:
        self.limiter = limiter
        self.starts: dict[str, float] = {}
        self.most_open = 0
        self._began = now()

    def now(self) -> float:
        return round(now() - self._began, 6)

    async def visit(self, name: str, *, at: float = 0, stay: float = 0, **how: Any) -> None:
        await asyncio.sleep(at)
        async with self.limiter.seat(**how):
            self.starts[name] = self.now()
            self.most_open = max(self.most_open, self.limiter.open)
            await asyncio.sleep(stay)


def run(limits: Limits, scene: Callable[[Room], Awaitable[None]]) -> Room:
    async def main() -> Room:
        room = Room(Limiter(limits))
        await scene(room)
        assert room.limiter.open == room.limiter.waiting == 0
        return room

    return virtually(main())


def test_two_in_four_seconds_and_five_at_once() -> None:
    async def five(room: Room) -> None:
        await asyncio.gather(*(room.visit(str(n)) for n in range(5)))

    room = run(Limits(requests=2, seconds=4), five)
    assert list(room.starts.items()) == [("0", 0), ("1", 0), ("2", 4), ("3", 4), ("4", 8)]


def test_no_more_streams_are_open_than_there_are_seats() -> None:
    async def scene(room: Room) -> None:
        await asyncio.gather(*(room.visit(str(n), stay=3) for n in range(5)))

    room = run(Limits(concurrency=2), scene)
    assert room.starts == {"0": 0, "1": 0, "2": 3, "3": 3, "4": 6}
    assert room.most_open == 2


def test_a_seat_is_free_again_however_it_was_left() -> None:
    async def scene(room: Room) -> None:
        with pytest.raises(ZeroDivisionError):
            async with room.limiter.seat():
                raise ZeroDivisionError
        await room.visit("next")

    assert run(Limits(concurrency=1), scene).starts == {"next": 0}


def test_a_waiter_that_leaves_takes_nothing() -> None:
    async def scene(room: Room) -> None:
        await room.visit("first")
        leaver = asyncio.create_task(room.visit("leaver"))
        last = asyncio.create_task(room.visit("last"))
        await asyncio.sleep(2)
        leaver.cancel()
        await asyncio.sleep(0)
        assert room.limiter.waiting == 1
        await last

    assert run(Limits(requests=1, seconds=4), scene).starts == {"first": 0, "last": 4}


def test_a_waiter_that_leaves_in_the_queue_takes_nothing() -> None:
    async def scene(room: Room) -> None:
        await room.visit("first")
        tasks = [asyncio.create_task(room.visit(name)) for name in ("a", "b", "c")]
        await asyncio.sleep(1)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    assert run(Limits(requests=1, seconds=4), scene).starts == {"first": 0, "a": 4, "c": 8}


def test_a_waiter_for_a_seat_that_leaves_takes_no_turn() -> None:
    async def scene(room: Room) -> None:
        first = asyncio.create_task(room.visit("first", stay=5))
        leaver = asyncio.create_task(room.visit("leaver"))
        await asyncio.sleep(1)
        leaver.cancel()
        await asyncio.gather(first, leaver, return_exceptions=True)
        await asyncio.gather(room.visit("a"), room.visit("b"))

    room = run(Limits(requests=2, seconds=100, concurrency=1), scene)
    assert room.starts == {"first": 0, "a": 5, "b": 100}


def test_a_hold_extends_a_wait_that_is_under_way() -> None:
    async def scene(room: Room) -> None:
        await room.visit("first")
        waiter = asyncio.create_task(room.visit("waiter"))
        await asyncio.sleep(3)
        room.limiter.hold(10)
        await asyncio.sleep(5)
        room.limiter.hold(7)
        await waiter

    assert run(Limits(requests=1, seconds=4), scene).starts == {"first": 0, "waiter": 15}


def test_when_a_hold_ends_there_is_no_burst_over_the_limit() -> None:
    async def scene(room: Room) -> None:
        room.limiter.hold(10)
        await asyncio.gather(*(room.visit(str(n)) for n in range(5)))

    room = run(Limits(requests=2, seconds=4), scene)
    assert list(room.starts.values()) == [10, 10, 14, 14, 18]


def test_who_waits_on_a_hold_holds_no_seat() -> None:
    async def scene(room: Room) -> None:
        stayer = asyncio.create_task(room.visit("stayer", stay=50))
        await asyncio.sleep(1)
        room.limiter.hold(9)
        waiter = asyncio.create_task(room.visit("waiter"))
        await asyncio.sleep(1)
        assert (room.limiter.open, room.limiter.waiting) == (1, 1)
        assert "open=1 waiting=1" in repr(room.limiter)
        await asyncio.gather(stayer, waiter)

    assert run(Limits(concurrency=2), scene).starts == {"stayer": 0, "waiter": 10}


def test_a_hold_during_the_wait_for_a_seat_counts() -> None:
    async def scene(room: Room) -> None:
        stayer = asyncio.create_task(room.visit("stayer", stay=5))
        waiter = asyncio.create_task(room.visit("waiter"))
        await asyncio.sleep(4)
        room.limiter.hold(6)
        await asyncio.gather(stayer, waiter)

    assert run(Limits(concurrency=1), scene).starts == {"stayer": 0, "waiter": 10}


def test_two_providers_never_delay_each_other() -> None:
    async def main() -> dict[str, float]:
        busy, free = (
            Room(Limiter(Limits(requests=1, seconds=60, concurrency=1))),
            Room(Limiter(Limits(concurrency=1))),
        )
        busy.limiter.hold(600)
        tasks = [asyncio.create_task(busy.visit(str(n), stay=100)) for n in range(5)]
        await asyncio.sleep(1)
        await free.visit("other")
        for task in tasks:
            task.cancel()
        return free.starts

    assert virtually(main()) == {"other": 1}


def test_what_nobody_waits_for_goes_behind_what_somebody_does() -> None:
    async def scene(room: Room) -> None:
        await asyncio.gather(
            room.visit("first"),
            room.visit("title", at=1, background=True),
            room.visit("turn", at=2),
            room.visit("summary", at=3, background=True),
            room.visit("next turn", at=5),
        )

    room = run(Limits(requests=1, seconds=4), scene)
    assert list(room.starts.items()) == [
        ("first", 0), ("turn", 4), ("next turn", 8), ("title", 12), ("summary", 16),
    ]  # fmt: skip


def test_weight_is_limited_like_number() -> None:
    async def scene(room: Room) -> None:
        await asyncio.gather(*(room.visit(str(n), tokens=60) for n in range(3)))
        assert room.limiter.available() is None

    assert run(Limits(tokens=100, seconds=10), scene).starts == {"0": 0, "1": 10, "2": 20}


def test_what_could_start_at_once_is_told() -> None:
    async def scene(room: Room) -> None:
        assert room.limiter.available() == 2
        await room.visit("a")
        assert room.limiter.available() == 1

    run(Limits(requests=2, seconds=10), scene)


_VISITS = st.lists(
    st.tuples(
        st.integers(0, 20),  # when it comes
        st.integers(0, 8),  # how long it stays
        st.one_of(st.none(), st.integers(0, 12)),  # when it leaves the queue or its seat
    ),
    max_size=12,
)


@given(
    st.builds(
        Limits, requests=st.integers(0, 3), seconds=st.integers(1, 6).map(float), burst=st.integers(0, 2),
        concurrency=st.integers(0, 3),
    ),
    _VISITS,
    st.lists(st.tuples(st.integers(0, 25), st.integers(0, 9)), max_size=2),
)  # fmt: skip
def test_limits_hold_and_order_is_kept_whoever_comes_stays_or_leaves(
    limits: Limits, visits: list[tuple[int, int, int | None]], holds: list[tuple[int, int]]
) -> None:
    async def scene(room: Room) -> None:
        async def visit(name: str, at: int, stay: int, leave: int | None) -> None:
            task = asyncio.create_task(room.visit(name, at=at, stay=stay))
            if leave is not None:
                await asyncio.sleep(at + leave)
                task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        async def hold(at: int, seconds: int) -> None:
            await asyncio.sleep(at)
            room.limiter.hold(seconds)

        await asyncio.gather(
            *(visit(str(n), *how) for n, how in enumerate(visits)), *(hold(*how) for how in holds)
        )

    room = run(limits, scene)
    times = sorted(room.starts.values())
    if limits.requests:
        for early, late in zip(times, times[limits.requests :], strict=False):
            assert late - early >= limits.seconds - 1e-6
    assert not limits.concurrency or room.most_open <= limits.concurrency
    for at, seconds in holds:
        assert not [t for t in times if at < t < at + seconds]
    started = [visits[int(name)][0] for name in room.starts]
    assert started == sorted(started), "first come, first served"
    stayed = [str(n) for n, (_, _, leave) in enumerate(visits) if leave is None]
    assert set(stayed) <= set(room.starts)


# What the provider says, and limits of single models.


def told(**rate: Any) -> list[Rate]:
    return [Rate(**rate)]


def test_when_nothing_is_left_nobody_starts_until_the_reset() -> None:
    async def scene(room: Room) -> None:
        async with room.limiter.seat() as seat:
            room.limiter.tighten(seat, told(remaining=0, reset=30.0))
        assert room.limiter.held() == 30
        await asyncio.gather(room.visit("a"), room.visit("b", at=5), room.visit("c", at=40))

    assert run(Limits(), scene).starts == {"a": 30, "b": 30, "c": 40}


def test_requests_that_are_on_their_way_use_what_is_left() -> None:
    async def scene(room: Room) -> None:
        async with room.limiter.seat(), room.limiter.seat(), room.limiter.seat() as seat:
            room.limiter.tighten(seat, told(remaining=3, reset=30.0))
            await asyncio.gather(room.visit("a"), room.visit("b"))

    assert run(Limits(), scene).starts == {"a": 0, "b": 30}


def test_requests_that_were_answered_are_counted_by_the_provider() -> None:
    async def scene(room: Room) -> None:
        async with room.limiter.seat() as one, room.limiter.seat() as other:
            room.limiter.tighten(one, [])
            room.limiter.tighten(other, told(remaining=2, reset=30.0))
            await asyncio.gather(*(room.visit(name) for name in "abc"))

    assert run(Limits(), scene).starts == {"a": 0, "b": 0, "c": 30}


def test_requests_that_are_over_are_on_their_way_no_longer() -> None:
    async def scene(room: Room) -> None:
        for _ in range(3):
            await room.visit("unanswered")
        async with room.limiter.seat() as seat:
            room.limiter.tighten(seat, told(remaining=1, reset=30.0))
            await room.visit("a")

    assert run(Limits(), scene).starts == {"unanswered": 0, "a": 0}


def test_a_waiter_hears_of_what_is_left() -> None:
    async def scene(room: Room) -> None:
        async with room.limiter.seat() as seat:
            waiter = asyncio.create_task(room.visit("waiter"))
            await asyncio.sleep(3)
            room.limiter.tighten(seat, told(remaining=0, reset=17.0))
        await waiter

    assert run(Limits(concurrency=1), scene).starts == {"waiter": 20}


def test_what_a_provider_says_of_one_model_holds_no_other() -> None:
    async def scene(room: Room) -> None:
        async with room.limiter.seat(model="a") as seat:
            room.limiter.tighten(seat, told(remaining=0, reset=30.0))
        assert (room.limiter.held("a"), room.limiter.held("b")) == (30, 0)
        await asyncio.gather(room.visit("a", model="a"), room.visit("b", model="b"))

    assert run(Limits(), scene).starts == {"b": 0, "a": 30}


def models(**limits: Any) -> dict[str, ModelLimits]:
    return {"slow*": ModelLimits(**limits)}


def test_a_model_has_limits_of_its_own_beside_those_of_the_key() -> None:
    async def scene(room: Room) -> None:
        names = ("slow/1", "slow/1", "slow/2", "fast", "fast", "fast")
        await asyncio.gather(
            *(room.visit(f"{n} {name}", model=name) for n, name in enumerate(names))
        )

    limits = Limits(requests=5, seconds=100, models=models(requests=1, seconds=10))
    assert run(limits, scene).starts == {
        "0 slow/1": 0, "2 slow/2": 0, "3 fast": 0, "4 fast": 0, "5 fast": 0, "1 slow/1": 100,
    }  # fmt: skip


def test_a_models_seats_are_its_own_and_keep_nobody_else_waiting() -> None:
    async def scene(room: Room) -> None:
        await asyncio.gather(
            room.visit("a", model="slow", stay=10),
            room.visit("b", model="slow", at=1),
            room.visit("c", model="fast", at=2),
        )

    assert run(Limits(models=models(concurrency=1)), scene).starts == {"a": 0, "c": 2, "b": 10}


def test_who_waits_for_a_model_takes_nothing_of_the_key() -> None:
    async def scene(room: Room) -> None:
        first = asyncio.create_task(room.visit("first", model="slow", stay=50))
        await asyncio.sleep(1)
        leaver = asyncio.create_task(room.visit("leaver", model="slow"))
        await asyncio.sleep(1)
        assert (room.limiter.open, room.limiter.waiting, room.limiter.available()) == (1, 1, 1)
        leaver.cancel()
        await asyncio.gather(leaver, return_exceptions=True)
        await room.visit("other", model="fast")
        await first

    limits = Limits(requests=2, seconds=100, models=models(concurrency=1))
    assert run(limits, scene).starts == {"first": 0, "other": 2}


def test_who_waits_for_the_key_is_overtaken_by_nobody() -> None:
    async def scene(room: Room) -> None:
        await asyncio.gather(
            room.visit("first", tokens=90),
            room.visit("heavy", at=1, tokens=50, model="a"),
            room.visit("light", at=2, tokens=5, model="b"),
        )

    assert run(Limits(tokens=100, seconds=10), scene).starts == {
        "first": 0,
        "heavy": 10,
        "light": 10,
    }


def test_the_queue_has_an_end() -> None:
    async def scene(room: Room) -> None:
        async with room.limiter.seat():
            tasks = [asyncio.create_task(room.visit(str(n))) for n in range(MAX_WAITING)]
            await asyncio.sleep(0)
            with pytest.raises(RateLimitedError, match=f"{MAX_WAITING} requests of fcc wait"):
                await room.visit("too much")
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    assert run(Limits(concurrency=1), scene).starts == {}


def test_of_models_that_nobody_asks_any_more_nothing_is_kept() -> None:
    async def scene(room: Room) -> None:
        for n in range(3 * MAX_GATES):
            await room.visit(str(n), model=str(n))
        assert len(room.limiter._models) <= MAX_GATES

    run(Limits(), scene)


_MODELS = st.lists(
    st.tuples(
        st.integers(0, 20),  # when it comes
        st.integers(0, 8),  # how long it stays
        st.one_of(st.none(), st.integers(0, 12)),  # when it leaves the queue or its seat
        st.sampled_from(["slow", "fast"]),
        st.one_of(st.none(), st.integers(0, 3)),  # what its answer says is left
    ),
    max_size=12,
)


@given(_MODELS, st.integers(0, 3), st.integers(0, 2), st.integers(0, 2))
def test_two_gates_hold_for_whoever_comes_stays_or_leaves(
    visits: list[tuple[int, int, int | None, str, int | None]],
    requests: int,
    concurrency: int,
    slow: int,
) -> None:
    limits = Limits(
        requests=requests,
        seconds=6,
        models=models(concurrency=concurrency, requests=slow, seconds=9),
    )
    closed: list[tuple[float, float, str]] = []
    inside: dict[str, int] = {"slow": 0, "fast": 0}

    async def scene(room: Room) -> None:
        async def stay(name: str, at: int, seconds: int, model: str, left: int | None) -> None:
            await asyncio.sleep(at)
            async with room.limiter.seat(model=model) as seat:
                room.starts[name] = room.now()
                inside[model] += 1
                assert not concurrency or inside["slow"] <= concurrency
                try:
                    await asyncio.sleep(seconds / 2)
                    if left is not None:
                        if left == 0:
                            closed.append((room.now(), room.now() + 5, model))
                        room.limiter.tighten(seat, told(remaining=left, reset=5.0))
                    await asyncio.sleep(seconds / 2)
                finally:
                    inside[model] -= 1

        async def visit(n: int, how: tuple[int, int, int | None, str, int | None]) -> None:
            at, seconds, leave, model, left = how
            task = asyncio.create_task(stay(str(n), at, seconds, model, left))
            if leave is not None:
                await asyncio.sleep(at + leave)
                task.cancel()
            for result in await asyncio.gather(task, return_exceptions=True):
                assert not isinstance(result, AssertionError)

        await asyncio.gather(*(visit(n, how) for n, how in enumerate(visits)))

    room = run(limits, scene)
    for most, seconds, of in ((requests, 6, ("slow", "fast")), (slow, 9, ("slow",))):
        times = sorted(at for name, at in room.starts.items() if visits[int(name)][3] in of)
        for early, late in zip(times, times[most:] if most else [], strict=False):
            assert late - early >= seconds - 1e-6
    for begin, end, model in closed:
        of = [at for name, at in room.starts.items() if visits[int(name)][3] == model]
        assert not [at for at in of if begin < at < end - 1e-6]
    for model in ("slow", "fast"):
        came = [visits[int(name)][0] for name in room.starts if visits[int(name)][3] == model]
        assert came == sorted(came), "first come, first served"
    stayed = {str(n) for n, (_, _, leave, _, _) in enumerate(visits) if leave is None}
    assert stayed <= set(room.starts)
