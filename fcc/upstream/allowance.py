"""How many starts did the provider itself say are left, and until when?

Pure arithmetic over a clock that the caller reads; one for requests, one for tokens.
"""

from typing import Final

__all__ = ["Allowance"]

_LONG_AGO: Final = float("-inf")


class Allowance:
    """`tell` what a header said, `wait` before a start, `take` with it.

    Nothing left is final until the limit is whole again. Less than nothing is said by an answer
    that was asked for before others were: they count, as the provider may not have seen them yet.
    """

    __slots__ = ("_left", "_limit", "_number", "_until", "_used_up")

    def __init__(self) -> None:
        self._left = 0
        self._limit: int | None = None
        self._number = 0
        self._until = _LONG_AGO
        self._used_up = False

    def tell(
        self,
        now: float,
        left: int,
        seconds: float,
        *,
        number: int,
        limit: int | None = None,
        final: bool = True,
    ) -> None:
        """So much is `left` for the next `seconds`, as the answer to request `number` says.

        `final`: where nothing is left, that is the provider's own word. Of two answers the one that
        was asked for later knows more; an earlier one counts only where it says less.
        """
        if now < self._until and self._used_up:
            if left <= 0:
                self._until = max(self._until, now + seconds)
            return
        says_less = left < self._left or left <= 0
        if now < self._until and number < self._number and not says_less:
            return
        self._until = now + seconds
        self._left, self._limit, self._number = left, limit, number
        self._used_up = final and left <= 0

    def wait(self, now: float, amount: int) -> float:
        """Seconds until `amount` may be taken; 0: at once.

        More than the whole limit is for the provider to refuse: it waits for no more than others.
        """
        if now >= self._until:
            return 0.0
        too_much = amount > self._left and not (self._limit and amount > self._limit)
        return self._until - now if self._left <= 0 or too_much else 0.0

    def take(self, now: float, amount: int) -> None:
        """`amount` is on its way."""
        if now < self._until:
            self._left -= amount

    def running(self, now: float) -> bool:
        """Whether anything that was said still counts."""
        return now < self._until
