"""A session stays with the provider that answered it last."""

from fcc.server.sticky import Sticky


def test_a_session_begins_at_the_first_and_goes_on_where_it_was() -> None:
    sticky = Sticky()
    assert sticky.first("s", "opus") == 0
    sticky.remember("s", "opus", 2)
    assert sticky.first("s", "opus") == 2
    assert sticky.first("s", "haiku") == sticky.first("other", "opus") == 0


def test_requests_without_a_session_are_not_remembered() -> None:
    sticky = Sticky()
    sticky.remember("", "opus", 1)
    assert sticky.first("", "opus") == 0


def test_the_sessions_that_were_used_last_are_remembered() -> None:
    sticky = Sticky()
    for n in range(Sticky.MOST):
        sticky.remember(str(n), "opus", 1)
    sticky.remember("0", "opus", 1)
    sticky.remember("new", "opus", 1)
    assert [sticky.first(name, "opus") for name in ("0", "1", "2", "new")] == [1, 0, 1, 1]
