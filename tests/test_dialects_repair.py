"""Damaged arguments are mended only where one reading is left, and it fits the tool."""

import json
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.translate.dialects.scanner import Scanner
from fcc.translate.dialects.table import DIALECTS
from fcc.translate.dialects.values import strip_newline, typed
from fcc.translate.fits import allowed_types, fits
from fcc.translate.repair import mend
from fcc.translate.tools import DeclaredTool
from tests.dialect_texts import cuts, said, tool, trimmed

WRITE = tool("Write", "path", path="string", text="string", lines="array", force="boolean")
GOOD = {"path": "/a", "force": True}

MENDED = {
    "{'path': '/a', 'force': True}": "python",
    "{'path': '/a', 'force': true}": "python",
    '{"path": "/a", "force": true,}': "trailing_commas",
    '"{\\"path\\": \\"/a\\", \\"force\\": true}"': "wrapped",
    '{"path": "/a", "force": true}{"path": "/a", "force": true}': "repeated",
    '{"path": "/a", "force": true} \n{"force": true, "path": "/a"}' * 2: "repeated",
    '{"path": "/a", "force": true': "brackets",
}


@pytest.mark.parametrize("text", MENDED)
def test_damage_of_one_reading_is_mended(text):
    mended = mend(text, WRITE)
    assert mended is not None
    assert json.loads(mended[0]) == GOOD
    assert mended[1] == MENDED[text]
    assert mend(text, None) is not None


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ('{"path":  "/a", "n": 1.0', "}"),
        ('{ "path": "\\u00e9", "lines": [ [1, {"x": "}"', "}]]}"),
        ('{"path": "/a", }', None),
        ('{"path": ",]", "lines": [1 , 2, ] , }', None),
    ],
)
def test_what_has_gone_out_stays_the_beginning_of_what_is_mended(text, rest):
    mended = mend(text, None)
    assert mended is not None
    json.loads(mended[0])
    kept = mended[0].replace(",", "").replace(" ", "")
    assert kept == (text + (rest or "")).replace(",", "").replace(" ", "")
    assert rest is None or mended[0] == text + rest


def test_raw_line_ends_in_strings_are_mended():
    mended = mend('{"path": "/a", "text": "one\n\ttwo"}', WRITE)
    assert mended is not None
    assert mended[1] == "control_characters"
    assert json.loads(mended[0])["text"] == "one\n\ttwo"


def test_nested_brackets_are_closed_in_order():
    mended = mend('{"path": "/a", "lines": [["]"], {"x": "}"', WRITE)
    assert mended is not None
    assert json.loads(mended[0])["lines"] == [["]"], {"x": "}"}]


@pytest.mark.parametrize(
    "text",
    [
        '{"path": "/a", "text": "cut he',
        '{"path": "/a", "text": "x\\',
        '{"path": "/a", "text":',
        '{"path": "/a",',
        '{"path": }',
        '{"path": "/a"}{"path": "/b"}',
        '{"path": "/a"}]',
        '["/a"]',
        '"/a"',
        "null",
        "",
        "/a",
        "{'path': open('/a')}",
        '{"path": 1}',
        '{"text": "no path"}',
        '{"path": "/a"}',
    ],
)
def test_what_leaves_a_doubt_or_no_damage_is_left_alone(text):
    assert mend(text, WRITE) is None


def test_brackets_are_closed_only_where_the_answer_ended_normally():
    assert mend('{"path": "/a"', WRITE, ended=False) is None
    assert mend('{"path": "/a"', WRITE, ended=True) is not None


def test_a_comma_inside_a_string_stays():
    mended = mend('{"path": "/a,}", "text": "[1,]",}', WRITE)
    assert mended is not None
    assert json.loads(mended[0]) == {"path": "/a,}", "text": "[1,]"}


def test_lone_surrogates_do_not_stop_a_repair():
    mended = mend('{"path": "\\ud83d",}', WRITE)
    assert mended is not None
    assert json.loads(mended[0]) == {"path": "\ud83d"}


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.booleans() | st.none()))
def test_whatever_python_prints_is_read(value):
    text = repr(value)
    mended = mend(text, None)
    try:
        json.loads(text)
    except ValueError:
        assert mended is not None
        assert json.loads(mended[0]) == value


@given(st.text(st.sampled_from("{}[]\"'\\,: a1\n"), max_size=40))
def test_no_text_breaks_it_and_a_result_fits(text):
    mended = mend(text, WRITE)
    assert mended is None or fits(json.loads(mended[0]), WRITE.schema)


@pytest.mark.parametrize(
    ("raw", "schema", "value"),
    [
        ("20", {"type": "integer"}, 20),
        ("20.0", {"type": "integer"}, 20),
        ("20", {"type": "number"}, 20),
        ("2.5", {"type": "number"}, 2.5),
        ("20", {"type": "string"}, "20"),
        ("null", {"type": "string"}, "null"),
        ("null", {"type": ["string", "null"]}, None),
        ("20", {"anyOf": [{"type": "string"}, {"type": "integer"}]}, 20),
        ("True", {"type": "boolean"}, True),
        ("yes", {"type": "boolean"}, "yes"),
        ('{"a": 1}', {"type": "object"}, {"a": 1}),
        ("{'a': True}", {"type": "object"}, {"a": True}),
        ("[1]", {"type": "array"}, [1]),
        ("null", {}, None),
        ("7", {}, 7),
        ("7.5", {}, 7.5),
        ("1e999", {}, "1e999"),
        ("true", {}, True),
        ("[1", {}, "[1"),
        (" x ", {}, " x "),
        ("nan", {}, "nan"),
        ("1_000", {}, "1_000"),
        ("b", {"enum": ["a", "b"]}, "b"),
        ("2", {"enum": [1, 2]}, 2),
    ],
)
def test_a_written_value_means_what_its_schema_says(raw, schema, value):
    read = typed(raw, schema)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("raw", "value"),
    [("\na\n", "a"), ("\n\na\n\n", "\na\n"), ("  a  ", "  a  "), ("\r\na\r\n", "a"), ("\n", "")],
)
def test_one_line_end_goes_at_either_side(raw, value):
    assert strip_newline(raw) == value


def test_a_schema_that_says_nothing_takes_everything():
    assert allowed_types(True) == allowed_types({"$ref": "#/x"}) == frozenset()
    assert allowed_types({"anyOf": [{"type": "null"}, {}]}) == frozenset()
    assert fits({"x": 1}, {})
    assert fits({"x": 1.0}, {"properties": {"x": {"type": "integer"}}})
    assert not fits([], {})
    assert not fits({"x": True}, {"properties": {"x": {"type": "integer"}}})
    assert mend("{'x': 1}", DeclaredTool("any")) is not None


@pytest.mark.parametrize(
    ("arguments", "repair"),
    [
        ('{"path": "/a", "force": True}', "python"),
        ('{"path": "/a", "force": true,}', "trailing_commas"),
        ('{"path": "/a\n"}', "control_characters"),
    ],
)
@pytest.mark.parametrize("dialect", ["hermes", "kimi_k2", "llama_function", "harmony", "mistral"])
def test_damage_in_a_written_call_is_mended_and_counted_or_left_alone(dialect, arguments, repair):
    example = DIALECTS[dialect].example.replace("Bash", "Write")
    text = example.replace('{"command": "ls"}', arguments)
    assert text != example
    for parts in cuts(text):
        mending, leaving = (
            Scanner((dialect,), (WRITE,), count(), repair=repair) for repair in (True, False)
        )
        found = [[*(p for part in parts for p in s.feed(part)), *s.finish(clean=True)]
                 for s in (mending, leaving)]  # fmt: skip
        (name, value), *_ = trimmed(said(found[0]))
        assert (name, value["path"].strip()) == ("Write", "/a")
        assert mending.repairs == {dialect: 1, repair: 1}
        (given_back,) = said(found[1])
        assert arguments in given_back
        assert leaving.repairs == {}


def test_what_is_no_damage_is_not_counted_as_mended():
    scanner = Scanner(("hermes",), (WRITE,), count())
    text = '<tool_call>{"name": "Write", "arguments": {"path": "/a"}}</tool_call>\n'
    scanner.feed(text + text)
    scanner.finish(clean=True)
    assert scanner.repairs == {"hermes": 2}
