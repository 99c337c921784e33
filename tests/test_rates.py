"""What headers say is left of a provider's limits."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.diagnosis.rates import MOMENTARY, Rate, rates

NOW = 1_790_000_000.0


def told(headers: dict[str, str], **how: Any) -> list[Rate]:
    return rates(headers, NOW, **how)


@pytest.mark.parametrize(
    ("headers", "want"),
    [
        ({"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "59",
          "x-ratelimit-reset-requests": "1s"}, [Rate("requests", 60, 59, 1.0)]),
        ({"X-RateLimit-Remaining-Tokens": "149984", "X-RateLimit-Reset-Tokens": "6m0s"},
         [Rate("tokens", None, 149984, 360.0)]),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m30s"},
         [Rate("requests", None, 0, 90.0)]),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "120ms"},
         [Rate("requests", None, 0, 0.12)]),
        # OpenRouter: epoch milliseconds, no unit.
        ({"X-RateLimit-Limit": "20", "X-RateLimit-Remaining": "0",
          "X-RateLimit-Reset": "1790000030000"}, [Rate("requests", 20, 0, 30.0)]),
        ({"x-ratelimit-remaining": "3", "x-ratelimit-reset": "1790000030"},
         [Rate("requests", None, 3, 30.0)]),
        ({"x-ratelimit-remaining": "3", "x-ratelimit-reset": "2026-09-21T14:13:50Z"},
         [Rate("requests", None, 3, 30.0)]),
        ({"x-ratelimit-remaining": "3", "x-ratelimit-reset": "Mon, 21 Sep 2026 14:13:50 GMT"},
         [Rate("requests", None, 3, 30.0)]),
        # Cerebras: the window is in the name.
        ({"x-ratelimit-limit-requests-day": "14400", "x-ratelimit-remaining-requests-day": "0",
          "x-ratelimit-reset-requests-day": "33011.382867"},
         [Rate("requests", 14400, 0, 33011.382867, 86400.0)]),
        ({"x-ratelimit-remaining-tokens-minute": "0"}, [Rate("tokens", None, 0, 60.0, 60.0)]),
        ({"x-ratelimit-remaining-req-minute": "5"}, [Rate("requests", None, 5, 60.0, 60.0)]),
        # The drafts of the IETF.
        ({"RateLimit-Limit": "100, 100;w=60", "RateLimit-Remaining": "50", "RateLimit-Reset": "30"},
         [Rate("requests", 100, 50, 30.0, 60.0)]),
        ({"RateLimit": "limit=100, remaining=50, reset=30"}, [Rate("requests", 100, 50, 30.0)]),
        ({"RateLimit": '"a";r=0;t=30, "b";r=999;t=3600'},
         [Rate("requests", None, 0, 30.0), Rate("requests", None, 999, 3600.0)]),
        # Two limits in one head.
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "5s",
          "x-ratelimit-remaining-tokens": "9", "x-ratelimit-reset-tokens": "7s"},
         [Rate("requests", None, 0, 5.0), Rate("tokens", None, 9, 7.0)]),
    ],
)  # fmt: skip
def test_every_way_of_telling_a_limit_is_read(headers: dict[str, str], want: list[Rate]) -> None:
    assert told(headers) == want


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"content-type": "text/event-stream", "x-request-id": "ratelimit-remaining"},
        {"x-ratelimit-remaining-audio-seconds": "0"}, {"x-ratelimit-tokens-query-cost": "12"},
        {"x-ratelimit-over-limit": "no"}, {"ratelimit-policy": "10;w=60"}, {"ratelimit": "nonsense"},
        {"my-ratelimit-remaining": "0", "my-ratelimit-reset": "30"},
        {"x-ratelimit-limit-remaining": "0"},
    ],
)  # fmt: skip
def test_what_tells_of_no_limit_of_ours_is_none(headers: dict[str, str]) -> None:
    assert told(headers) == []


@pytest.mark.parametrize(
    "value", ["-1", "", "none", "nan", "1e9", "9" * 40, "٣", "0x10", "1 000", "1,000"]
)
def test_a_number_that_is_none_is_left_out(value: str) -> None:
    for name in ("limit", "remaining"):
        (rate,) = told({f"x-ratelimit-{name}-requests": value, "x-ratelimit-reset-requests": "5s"})
        assert (rate.limit, rate.remaining) == (None, None)


@pytest.mark.parametrize("value", ["-5", "soon", "", "1789999999", "nan", "inf", "9" * 400])
def test_a_reset_that_can_not_be_is_left_out(value: str) -> None:
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": value}
    (rate,) = told(headers)
    assert rate.reset is None
    assert not rate.momentary


def test_a_limit_of_nothing_is_none() -> None:
    (rate,) = told({"x-ratelimit-limit-requests": "0"})
    assert rate.limit is None


@pytest.mark.parametrize(
    ("reset", "momentary"),
    [("0", True), ("60", True), (str(MOMENTARY), True), ("3601", False), ("2d", False), ("5h", False)],
)  # fmt: skip
def test_only_a_near_reset_can_be_waited_for(reset: str, momentary: bool) -> None:
    (rate,) = told({"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset})
    assert rate.momentary is momentary


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "20"}, 20.0), ({"Retry-After-Ms": "1500", "Retry-After": "9"}, 1.5),
        ({"retry-after": "Mon, 21 Sep 2026 14:13:50 GMT"}, 30.0), ({"retry-after": "1m30s"}, 90.0),
    ],
)  # fmt: skip
def test_an_answer_with_a_retry_after_has_nothing_left(
    headers: dict[str, str], seconds: float
) -> None:
    assert told(headers, waits=True) == [Rate("requests", None, 0, seconds)]
    assert told(headers) == []


@pytest.mark.parametrize("value", ["0", "-3", "soon", "Mon, 21 Sep 2026 14:12:50 GMT"])
def test_a_retry_after_of_no_time_is_none(value: str) -> None:
    assert told({"retry-after": value}, waits=True) == []


_VALUES = st.one_of(
    st.text(max_size=20),
    st.integers(-(10**20), 10**20).map(str),
    st.from_regex(r"[0-9]{1,4}(ms|s|m|h)[0-9]{0,3}s?", fullmatch=True),
)


@given(
    st.dictionaries(
        st.sampled_from(
            [f"{x}ratelimit{part}{unit}" for x in ("", "x-", "X-") for unit in ("", "-requests", "-tokens", "-day")
             for part in ("", "-limit", "-remaining", "-reset")]
        ), _VALUES, max_size=6,
    )
)  # fmt: skip
def test_whatever_the_headers_say_is_read_without_an_error(headers: dict[str, str]) -> None:
    for rate in rates(headers, NOW, waits=True):
        assert rate.remaining is None or rate.remaining >= 0
        assert rate.limit is None or rate.limit > 0
        assert rate.reset is None or rate.reset >= 0
