"""One format into the other: pure, no waiting, no clock, no log."""
