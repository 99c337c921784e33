"""A call's arguments, in any cut and every known disorder."""

import json
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.translate.repair import mend
from fcc.translate.reply.arguments import ArgumentStream
from fcc.translate.reply.extent import Extent
from fcc.translate.reply.verbatim import VerbatimStream


def never(_text: str) -> None:
    return None


def said(*fragments: str, live: bool = True, clean: bool = True, mend=never) -> tuple[str, bool]:
    """All the text that is passed on, and whether it is an object."""
    stream = ArgumentStream(live=live)
    out = [stream.feed(fragment) for fragment in fragments]
    assert "".join(out) == stream.said()
    rest, valid = stream.finish(mend, clean=clean)
    return "".join(out) + rest, valid


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.sampled_from('ab"\\{}[],: \n\té\u2028🙂'), max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text('ab"\\{', max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
_OBJECTS = st.dictionaries(st.text('ab"\\{,}', max_size=4), _VALUES, max_size=4)
_STYLES = st.sampled_from(
    [
        {"separators": (",", ":")},
        {},
        {"indent": 2},
        {"ensure_ascii": False},
        {"separators": (" , ", " : ")},
    ]
)


@st.composite
def cut_objects(draw: st.DrawFn) -> tuple[str, list[str]]:
    text = json.dumps(draw(_OBJECTS), **draw(_STYLES))
    text = (
        draw(st.sampled_from(["", "", " ", "\n "])) + text + draw(st.sampled_from(["", "", "\n"]))
    )
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=10)))
    return text, [text[a:b] for a, b in pairwise([0, *cuts, len(text)])]


@given(cut_objects(), st.booleans(), st.booleans())
def test_any_cut_of_any_object_passes_unchanged(
    cut: tuple[str, list[str]], live: bool, clean: bool
) -> None:
    text, fragments = cut
    for parts in (fragments, list(text), [text]):
        got, valid = said(*parts, live=live, clean=clean)
        assert got.strip() == text.strip()
        assert valid


@given(cut_objects())
def test_live_streams_say_most_of_an_object_before_its_end(cut: tuple[str, list[str]]) -> None:
    text, _ = cut
    stream = ArgumentStream(live=True)
    early = "".join(stream.feed(c) for c in text[: text.rstrip().rfind("}")])
    assert text.startswith(early) or text.lstrip().startswith(early)


def test_arguments_stream_as_they_come() -> None:
    stream = ArgumentStream(live=True)
    assert [stream.feed(part) for part in ('{"comm', 'and":"l', 's"}')] == [
        '{"comm',
        'and":"l',
        's"}',
    ]
    assert stream.whole
    assert stream.finish(never, clean=True) == ("", True)


def test_code_with_a_comma_before_a_bracket_streams_like_any_other() -> None:
    stream = ArgumentStream(live=True)
    parts = ['{"content":"', "x = [1,", "]; y = {a,}; ", "z(", ')"}']
    assert [stream.feed(part) for part in parts][-3:] != ["", "", ""]


def test_a_buffered_stream_says_nothing_before_the_object_is_whole() -> None:
    stream = ArgumentStream(live=False)
    assert [stream.feed(part) for part in ('{"a":', "[1", "]")] == ["", "", ""]
    assert stream.feed("}") == '{"a":[1]}'
    assert stream.whole


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize(
    ("fragments", "want"),
    [
        ([], "{}"),
        (["", ""], "{}"),
        ([" ", "\n"], "{}"),
        (["{}"], "{}"),
        (["{", "}"], "{}"),
        (["{}", '{"a":1}'], '{"a":1}'),
        (["{}", '{"a"', ":1}"], '{"a":1}'),
        (["{}", "{}"], "{}"),
        (['{"a"', '{"a":1', '{"a":1}'], '{"a":1}'),
        (["{", '{"a"', '{"a":1}', '{"a":1}'], '{"a":1}'),
        (['{"a":1}', '{"a":1}'], '{"a":1}'),
        (['{"a":1}{"a":1}'], '{"a":1}'),
        (['{"a":', '1}{"a":1}', '\n{"a":1}'], '{"a":1}'),
        (["", '{"a":1}', ""], '{"a":1}'),
    ],
)
def test_odd_ways_of_sending_one_object_give_the_object(
    live: bool, fragments: list[str], want: str
) -> None:
    got, valid = said(*fragments, live=live)
    assert json.loads(got) == json.loads(want)
    assert valid


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("text", ['{"a":', '"Paris"', "[1]", "5", "nonsense", "{'a': 1}"])
def test_arguments_that_are_no_object_go_out_as_they_are(live: bool, text: str) -> None:
    assert said(text, live=live)[0] == text
    assert said(*text, live=live)[0] == text


@pytest.mark.parametrize("live", [True, False])
def test_a_cut_is_never_called_an_object(live: bool) -> None:
    for at in range(1, len('{"a":"}"}')):
        text = '{"a":"}"}'[:at]
        assert said(*text, live=live, clean=False) == (text, False)
    assert said(live=live, clean=False) == ("", False)


@pytest.mark.parametrize("live", [True, False])
def test_arguments_that_were_closed_before_a_cut_are_an_object(live: bool) -> None:
    assert said('{"a":1}', live=live, clean=False) == ('{"a":1}', True)
    assert said('{"a":1}{"a":1}', live=live, clean=False) == ('{"a":1}', True)


BROKEN = [
    ["{'a': 1}"],
    ["{", "'a': 1}"],
    ['"{\\"a\\":1}"'],
    ['{"a":1,}'],
    ['{"a":1', ",}"],
    ['{"a":1,', " }"],
    ["```json\n", '{"a":1}'],
]


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("fragments", BROKEN)
def test_broken_arguments_are_mended_as_a_whole(live: bool, fragments: list[str]) -> None:
    seen: list[str] = []

    def mend(text: str) -> tuple[str, str]:
        seen.append(text)
        return '{"a":1}', "mended"

    got, valid = said(*fragments, live=live, mend=mend)
    assert (got, valid) == ('{"a":1}', True)
    assert seen == ["".join(fragments)]


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        '{"a":"one\ntwo"}',  # a raw line end inside a string
        '{"a":True}',
        '{"a":None, "b":[1]}',
        "{a:1}",
    ],
)
def test_an_object_that_is_closed_and_no_json_is_mended_where_nothing_was_said(
    live: bool, text: str
) -> None:
    assert said(text, live=live, mend=lambda _text: ('{"mended":1}', "mended")) == (
        '{"mended":1}',
        True,
    )


@pytest.mark.parametrize("fragments", BROKEN)
def test_broken_arguments_of_a_cut_answer_are_not_mended(fragments: list[str]) -> None:
    got, valid = said(*fragments, clean=False, mend=lambda _text: ('{"a":1}', "mended"))
    assert (got, valid) == ("".join(fragments), False)


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize(
    ("fragments", "wanted"),
    [
        (['{"a": "b"'], '{"a": "b"}'),
        (['{"a": ', '"b", ', '"c": [1,', " 2"], '{"a": "b", "c": [1, 2]}'),
        (['{ "a": ', "1", ", }"], '{ "a": 1 }'),
        (['{"a": [1, ', "2,", "]", "}"], '{"a": [1, 2]}'),
    ],
)
def test_arguments_that_are_streamed_are_mended_at_their_end(
    live: bool, fragments: list[str], wanted: str
) -> None:
    assert said(*fragments, live=live, mend=lambda text: mend(text, None)) == (wanted, True)


def test_a_mend_that_contradicts_what_was_said_is_not_used() -> None:
    stream = ArgumentStream(live=True)
    assert stream.feed('{"b":2') == '{"b":2'
    stream.feed(",}")
    assert stream.finish(lambda _text: ('{"a":1}', "mended"), clean=True) == (",}", False)
    assert stream.repair == ""


@pytest.mark.parametrize(
    ("fragments", "name"),
    [
        (['{"a":1}'], ""),
        (['{"a":', "1}"], ""),
        ([""], ""),
        (['{"a":1', '{"a":1}'], "cumulative"),
        (['{"a":1}', '{"a":1}'], "repeated"),
        (['{"a":1}{"a":1}'], "repeated"),
        (["{'a':1}"], "mended"),
    ],
)
@pytest.mark.parametrize("live", [True, False])
def test_what_had_to_be_done_is_told_by_name(live: bool, fragments: list[str], name: str) -> None:
    stream = ArgumentStream(live=live)
    for fragment in fragments:
        stream.feed(fragment)
    stream.finish(lambda _text: ('{"a":1}', "mended"), clean=True)
    stream.further()
    assert stream.repair == name


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize(
    ("fragments", "valid"),
    [
        (['{"a":1', '{"a":1}'], False),
        (['{"a":1}', '{"a":1}'], False),
        (["{}", '{"a":1}'], False),
        (["{'a':1}"], False),
        (['{"a":', "1}"], True),
        ([' \n{"a":1} '], True),
        ([], True),
    ],
)
def test_verbatim_arguments_are_passed_on_as_they_were_written(
    live: bool, fragments: list[str], valid: bool
) -> None:
    stream = VerbatimStream(live=live)
    out = [stream.feed(fragment) for fragment in fragments]
    assert "".join(out) == stream.said()
    rest, found = stream.finish(lambda _text: ('{"a":1}', "mended"), clean=True)
    assert ("".join(out) + rest, found) == ("".join(fragments), valid)
    assert (stream.further(), stream.repair) == ([], "")


def test_verbatim_arguments_that_were_cut_are_no_object() -> None:
    stream = VerbatimStream(live=True)
    assert stream.finish(never, clean=False) == ("", False)
    assert stream.feed('{"a":') == '{"a":'
    assert stream.finish(never, clean=False) == ("", False)


def test_further_objects_are_calls_of_their_own() -> None:
    stream = ArgumentStream(live=True)
    assert stream.feed('{"a":1}\n{"b"') == '{"a":1}'
    stream.feed(':2}{"a":1} {"c":3}')
    assert stream.further() == ['{"b":2}', '{"c":3}']


@pytest.mark.parametrize("rest", ["", "}", "junk", '{"b":', "[1]", '{"b":2} junk', '{"b":}'])
def test_what_follows_and_is_no_object_is_no_call(rest: str) -> None:
    stream = ArgumentStream(live=True)
    stream.feed('{"a":1}')
    stream.feed(rest)
    assert stream.further() == []


@given(_OBJECTS, st.sampled_from(["", " ", "x", '{"a":1}', "}}"]), st.data())
def test_an_extent_ends_where_its_object_ends(value: dict, after: str, data: st.DataObject) -> None:
    text = json.dumps(value) + after
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    extent, taken = Extent(), 0
    for a, b in pairwise([0, *cuts, len(text)]):
        taken += extent.feed(text[a:b])
    assert extent.whole
    assert taken == len(text) - len(after)


def seconds(parts: list[str], live: bool) -> float:
    stream = ArgumentStream(live=live)
    began = time.process_time()
    for part in parts:
        stream.feed(part)
    stream.further()
    stream.finish(never, clean=True)
    return time.process_time() - began


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize(
    "pattern", ['{"a":"%s"}', "{'a':'%s'}", '{"a":[%s1]}', '{"a":1}%s'],
    ids=["object", "python", "commas", "garbage after"],
)  # fmt: skip
def test_one_character_fragments_take_linear_time(live: bool, pattern: str) -> None:
    filler = "1," if "[" in pattern else "xy"
    short = list(pattern % (filler * 5_000))
    long = list(pattern % (filler * 40_000))
    base = max(min(seconds(short, live) for _ in range(3)), 0.005)
    assert seconds(long, live) < 8 * base * 4
