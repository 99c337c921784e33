"""`override` for every Python: typing has it from 3.12 on, and typing_extensions takes 3 ms to import.

Type checkers take it for the real one.
"""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

__all__ = ["override"]

if TYPE_CHECKING:
    from typing_extensions import override
else:

    def override(method: Any) -> Any:
        """Mark what takes the place of a parent's; a property can't be marked, and need not be."""
        with suppress(AttributeError, TypeError):
            method.__override__ = True
        return method
