"""A short soak: what `make soak` does for a minute with 500 streams."""

import pytest

from tests.soak.__main__ import Report, shown, soak, wrong
from tests.soak.load import Seen
from tests.soak.window import Inside


@pytest.mark.slow  # seconds of load on a daemon of its own
async def test_load_and_faults_leave_nothing_and_end_legally() -> None:
    report = await soak(streams=20, seconds=3.0, faults=0.2)
    assert not wrong(report), shown(report)
    assert report.seen.faults > 0
    assert report.seen.ends["whole"] > 0


CLEAN = Inside(0, 0, 0, 0, 1)


def report(**changes: object) -> Report:
    memory = [(0.0, 40.0), (30.0, 50.0), (60.0, 50.0)]
    fields = {"before": CLEAN, "after": CLEAN, "sockets": 0, "cpu": 1.0, "seconds": 60.0}
    return Report(**({"seen": Seen(), "memory": memory} | fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seen": Seen(illegal=["two ends"])}, "two ends"),
        ({"after": Inside(0, 1, 0, 0, 1)}, "seats=1"),
        ({"sockets": 3}, "3 sockets"),
        ({"memory": [(0.0, 40.0), (30.0, 50.0), (60.0, 62.0)]}, "memory grew"),
    ],
)
def test_what_must_not_be_is_told(changes: dict[str, object], words: str) -> None:
    assert wrong(report()) == []
    (told,) = wrong(report(**changes))
    assert words in told
