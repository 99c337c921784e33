"""What a page is told: it shows what happened, whenever it looks and however often it is cut off."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.observe.outcome import CLIENT_LEFT, Outcome
from fcc.server.page.advice import advice
from fcc.server.page.changes import KEEP_ALIVE, Changes
from fcc.server.page.history import History
from tests.watching import Page

PARTS = dict.fromkeys(("about", "lanes", "open", "usage", "errors"), b"1")
LOOK, CUT = "look", "cut"


def outcome(at: int = 0, **fields: object) -> Outcome:
    defaults = {"request_id": f"req_{at}", "at": float(at), "provider": "p", "model": "m"}
    return Outcome(**(defaults | fields))


def looked(page: Page, changes: Changes, history: History, parts: dict[str, bytes]) -> None:
    if event := changes.feed(0.0, parts, history):
        page.take(event)


steps = st.lists(
    st.one_of(
        st.just(LOOK),
        st.just(CUT),
        st.integers(1, 150),
        st.tuples(st.sampled_from(sorted(PARTS)), st.integers(0, 3)),
    ),
    max_size=40,
)


@given(steps)
def test_a_page_shows_what_happened_whenever_it_looks_and_is_cut_off(steps: list[object]) -> None:
    history, parts = History(), dict(PARTS)
    page, changes = Page(), Changes()
    happened: list[str] = []
    for step in [*steps, LOOK]:
        match step:
            case "look":
                looked(page, changes, history, parts)
                assert [one["request_id"] for one in page.ended] == happened[-History.MOST :]
                assert page.shown.keys() >= PARTS.keys()
                assert all(str(page.shown[name]).encode() == parts[name] for name in PARTS)
            case "cut":
                changes = Changes()
            case int(number):
                for _ in range(number):
                    happened.append(f"req_{len(happened)}")
                    history.ended(outcome(len(happened) - 1))
            case (str(name), int(value)):
                parts[name] = str(value).encode()


def test_the_first_event_is_a_snapshot_and_the_rest_are_changes() -> None:
    history, changes, page = History(), Changes(), Page()
    looked(page, changes, history, PARTS)
    history.ended(outcome())
    looked(page, changes, history, PARTS)
    assert page.kinds == ["snapshot", "change"]


def test_where_nothing_is_different_nothing_is_told() -> None:
    changes, history = Changes(), History()
    assert changes.feed(1.0, PARTS, history)
    assert changes.feed(1.5, dict(PARTS), history) == b""


def test_only_the_parts_that_are_different_are_told() -> None:
    changes, history, page = Changes(), History(), Page()
    looked(page, changes, history, PARTS)
    looked(page, changes, history, PARTS | {"open": b"2"})
    assert page.told == {"now": 0.0, "open": 2}


def test_a_comment_is_a_sign_of_life_after_a_while_and_not_more_often() -> None:
    changes, history = Changes(), History()
    changes.feed(0.0, PARTS, history)
    assert changes.feed(KEEP_ALIVE - 0.1, PARTS, history) == b""
    assert changes.feed(KEEP_ALIVE, PARTS, history) == b":\n\n"
    assert changes.feed(KEEP_ALIVE + 0.1, PARTS, history) == b""
    assert changes.feed(2 * KEEP_ALIVE, PARTS, history) == b":\n\n"


@given(st.text())
def test_no_words_of_an_error_break_an_event(words: str) -> None:
    history, page = History(), Page()
    history.ended(outcome(error=words, outcome="api_error", status=502))
    looked(page, Changes(), history, PARTS)
    assert page.ended[0]["error"] == words


def test_totals_are_of_every_request_and_the_list_of_the_last() -> None:
    history = History()
    for at in range(250):
        history.ended(outcome(at, input=3, output=2, cached=1, reasoning=1))
    assert history.count == history.totals.requests == 250
    assert (history.totals.input, history.totals.output) == (750, 500)
    assert (history.totals.cached, history.totals.reasoning) == (250, 250)
    assert [number for number, _ in history.after(0)] == list(range(151, 251))
    assert [number for number, _ in history.after(248)] == [249, 250]
    assert list(history.after(250)) == []


def test_who_left_and_what_fcc_answered_are_no_failures() -> None:
    history = History()
    history.ended(outcome(outcome=CLIENT_LEFT, status=499))
    history.ended(outcome(provider="", local="title", status=200))
    history.ended(outcome(outcome="rate_limit_error", status=429))
    totals = history.totals
    assert (totals.requests, totals.failed, totals.left, totals.local) == (3, 1, 1, 1)


def test_failures_outlast_the_many_requests_that_went_well() -> None:
    history = History()
    for at in range(12):
        history.ended(outcome(at, outcome="api_error", status=502))
    for at in range(500):
        history.ended(outcome(at, outcome="end_turn", status=200))
    assert [number for number, _ in history.failures()] == list(range(12, 2, -1))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"outcome": "authentication_error", "status": 424}, "fcc doctor p"),
        ({"outcome": "authentication_error", "status": 401}, "fcc doctor p"),
        ({"outcome": "permission_error", "status": 403}, "fcc models --provider p"),
        ({"outcome": "billing_error", "status": 402}, "[fallback]"),
        ({"outcome": "not_found_error", "status": 404}, "fcc models --provider p"),
        ({"outcome": "invalid_request_error", "status": 400}, "fcc doctor p --deep"),
        ({"outcome": "invalid_request_error", "status": 400, "error": "prompt is too long: 2 > 1"},
         "compacts"),
        ({"outcome": "request_too_large", "status": 413}, "/compact"),
        ({"outcome": "rate_limit_error", "status": 429}, "asks again by itself"),
        ({"outcome": "rate_limit_error", "status": 424}, "quota"),
        ({"outcome": "overloaded_error", "status": 529}, "asks again by itself"),
        ({"outcome": "timeout_error", "status": 504}, "asks again by itself"),
        ({"outcome": "api_error", "status": 502}, "asks again by itself"),
        ({"outcome": "api_error", "status": 200}, "say continue"),
        ({"outcome": "billing_error", "status": 424, "error": "today's budget of $1 is spent"},
         "fcc reload"),
        ({"outcome": "overloaded_error", "status": 529, "provider": ""}, "being stopped"),
        ({"outcome": "api_error", "status": 424}, "fcc doctor p"),
        ({"outcome": "authentication_error", "status": 401, "provider": ""}, "ANTHROPIC_AUTH_TOKEN"),
        ({"outcome": "not_found_error", "status": 404, "provider": ""}, "[models]"),
        ({"outcome": "api_error", "status": 500, "provider": ""}, "fcc logs"),
        ({"outcome": "invalid_request_error", "status": 400, "provider": ""}, "another way"),
        ({"outcome": "request_too_large", "status": 413, "provider": ""}, "another way"),
    ],
)  # fmt: skip
def test_each_failure_has_something_to_do_in_it_or_says_that_there_is_nothing(
    fields: dict[str, object], says: str
) -> None:
    assert says in advice(outcome(**fields))


@pytest.mark.parametrize("word", ["end_turn", "tool_use", "max_tokens", CLIENT_LEFT, ""])
def test_what_did_not_fail_needs_no_advice(word: str) -> None:
    assert advice(outcome(outcome=word, status=499 if word == CLIENT_LEFT else 200)) == ""


def test_every_event_is_json_on_one_line() -> None:
    history = History()
    history.ended(outcome(asked="a\u2028b\nc", fallbacks=("p/m 429 rate_limit_error",)))
    event = Changes().feed(12.345, PARTS, history)
    kind, data = event.removesuffix(b"\n\n").split(b"\n")
    assert kind == b"event: snapshot"
    told = json.loads(data.removeprefix(b"data: "))
    assert told["now"] == 12.35
    assert told["ended"][0]["fallbacks"] == ["p/m 429 rate_limit_error"]
    assert msgspec.json.decode(data.removeprefix(b"data: ")) == told
