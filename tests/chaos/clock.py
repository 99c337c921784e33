"""Time that flows, and jumps over what nobody does anything in: silences cost nothing.

With tests/clock.py alone a provider that never stops talking would stop the time.
"""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

from fcc.overriding import override
from tests.clock import VirtualLoop

__all__ = ["swiftly"]


class _SwiftLoop(VirtualLoop):
    @override
    def time(self) -> float:
        return super().time() + time.monotonic()


def swiftly(main: Coroutine[Any, Any, None]) -> None:
    """Run `main`."""
    with asyncio.Runner(loop_factory=_SwiftLoop) as runner:
        runner.run(main)
