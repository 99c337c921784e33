"""Time that moves when nothing else does: `virtually(coroutine)` runs it on a loop whose clock jumps.

Whenever every task waits for a moment to come, that moment comes at once. Loopback sockets work:
they get a few real milliseconds before the clock is moved.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")

_REAL_PATIENCE = 0.01
"""Seconds that bytes on loopback may take before a wait counts as silence."""


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        only_self_pipe = len(self.get_map()) <= 1
        ready = super().select(0 if only_self_pipe else min(timeout or 0, _REAL_PATIENCE))
        if ready:
            return ready
        if timeout is None:
            assert not only_self_pipe, "every task waits, and for nothing that will come"
            return super().select(5)
        self.now += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` is virtual."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def virtually(main: Coroutine[Any, Any, _T]) -> _T:
    """The result of `main`, run without waiting."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def now() -> float:
    """Seconds on the running loop's clock."""
    return asyncio.get_running_loop().time()
