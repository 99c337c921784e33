"""Every way in which a provider's connection goes wrong, by its name."""

from tests.chaos import frames, heads, middles, others
from tests.chaos.fault import FAULTS, Fault, Loss

__all__ = ["FAULTS", "Fault", "Loss", "frames", "heads", "middles", "others"]
