"""Every dialect of the table obeys the same laws."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.translate.dialects.openings import openings
from fcc.translate.dialects.table import DEFAULT, DIALECTS
from fcc.translate.dialects.xml_calls import XmlCalls
from tests.dialect_texts import TOOLS, cut, cuts, said, scan, trimmed

CALLS = sorted(name for name, dialect in DIALECTS.items() if dialect.example)
INLINE = [name for name in CALLS if not DIALECTS[name].whole]
WHOLE = [name for name in CALLS if DIALECTS[name].whole]
RAW = {name for name in CALLS if isinstance(DIALECTS[name].grammar, XmlCalls)} | {
    "minimax_m3",
    "gemma4",
    "function_gemma",
}
VALUES = [
    "printf '%s' \"å🙂…\"\n\n\tindented \\n",
    "echo '</tool_call>' \"</function>\" </invoke> ]]> <|tool_call_end|> 3 > 2 && 1 < 4 &amp;",
    'echo "]}", {x} | sed s/[TOOL_CALLS]/`/g',
]


def text_of(name: str, command: str = "ls", tool: str = "Bash") -> str:
    """The dialect's example, with another command and another tool."""
    written = command if name in RAW else json.dumps(command, ensure_ascii=False)[1:-1]
    example = DIALECTS[name].example.replace("Bash", tool)
    for before, after in (('"', '"'), (">", "<"), (">", "]"), ("[CDATA[", "]]"), ("\n", "\n")):
        example = example.replace(f"{before}ls{after}", f"{before}{written}{after}")
    return example


def call(command: str = "ls") -> Any:
    return ("Bash", {"command": command})


@pytest.mark.parametrize("name", CALLS)
def test_the_example_is_a_call_in_every_cut(name):
    for parts in cuts(text_of(name)):
        assert trimmed(said(scan(parts))) == [call()]
        assert trimmed(said(scan(parts, dialects=(name,)))) == [call()]


@pytest.mark.parametrize("name", INLINE)
def test_text_before_between_and_after_calls_keeps_its_place(name):
    text = f"First, å.\n{text_of(name)}\nThen:\n{text_of(name, 'pwd')}\nDone."
    for parts in cuts(text):
        blocks = said(scan(parts))
        assert trimmed(blocks) == ["First, å.", call(), "Then:", call("pwd"), "Done."]


@pytest.mark.parametrize("name", INLINE)
def test_two_calls_without_anything_between(name):
    for parts in cuts(text_of(name) + text_of(name, "pwd")):
        assert trimmed(said(scan(parts))) == [call(), call("pwd")]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", CALLS)
def test_a_value_may_hold_anything(name, value):
    if name == "minicpm":
        value = value.replace("]]>", "")
    if name == "gemma3":
        value = value.replace("`", "")
    for parts in cuts(text_of(name, value)):
        assert trimmed(said(scan(parts))) == [call(value)]


@pytest.mark.parametrize("name", sorted(RAW - {"minicpm"}))
def test_a_value_may_hold_the_end_of_a_value(name):
    grammar = DIALECTS[name].grammar
    ends = {"minimax_m3": "</command>", "gemma4": '<|"|>', "function_gemma": "<escape>"}
    end = grammar.parameter_end if isinstance(grammar, XmlCalls) else ends[name]
    value = f"grep '{end}' x"
    for parts in cuts(text_of(name, value)):
        assert trimmed(said(scan(parts))) == [call(value)]


@pytest.mark.parametrize(
    "name", ["qwen3_coder", "anthropic", "minimax_m2", "glm", "deepseek_dsml", "step3", "kimi_k3"]
)
def test_a_value_may_hold_a_whole_call(name):
    value = f"The format:\n{text_of(name)}\nThat is all."
    for parts in cuts(text_of(name, value)):
        assert trimmed(said(scan(parts))) == [call(value)]


@pytest.mark.parametrize("name", ["qwen3_coder", "anthropic", "minimax_m2", "glm"])
def test_a_value_may_hold_half_a_call(name):
    grammar = DIALECTS[name].grammar
    assert isinstance(grammar, XmlCalls)
    value = f"grep -r '{grammar.call.start}' src"
    text = text_of(name, value) + "\n" + text_of(name, "pwd")
    for parts in cuts(text):
        assert trimmed(said(scan(parts))) == [call(value), call("pwd")]


@pytest.mark.parametrize("name", CALLS)
def test_a_call_of_a_tool_that_was_not_declared_is_text(name):
    text = text_of(name, tool="get_weather")
    for parts in cuts(text):
        assert said(scan(parts)) == [text]


@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_the_tool_does_not_take_is_text(name):
    text = text_of(name, tool="Read")
    for parts in cuts(text):
        assert said(scan(parts)) == [text]


@pytest.mark.parametrize("fence", ["```", "````xml", "~~~", "- ```text"])
@pytest.mark.parametrize("name", CALLS)
def test_a_call_in_a_fence_is_text(name, fence):
    if name in {"fenced_json", "gemma3"} and fence != "````xml":
        fence = "~~~~"
    close = fence.lstrip("- ").rstrip("xmlte")
    text = f"Like this:\n\n{fence}\n{text_of(name)}\n{close}\n\nThat is all."
    for parts in cuts(text):
        assert said(scan(parts)) == [text]


@pytest.mark.parametrize("name", sorted(set(INLINE) - {"deepseek_v3"}))
def test_a_call_in_inline_code_or_a_quotation_is_text(name):
    line = text_of(name).replace("\n", "")
    for text in (f"Write `{line}` here.", f"Write ``{line}``.", f"> {line}", f'x = "{line}"'):
        for parts in cuts(text):
            assert said(scan(parts)) == [text]


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_answer_form_with_other_text_is_text(name):
    for text in (f"I'd write {text_of(name)}", f"{text_of(name)}\n\nThat would do it."):
        for parts in cuts(text):
            assert said(scan(parts)) == [text]


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_answer_form_counts_only_in_a_whole_message(name):
    assert said(scan([text_of(name)], whole_message=False)) == [text_of(name)]


@pytest.mark.parametrize("name", WHOLE)
def test_white_space_around_a_whole_answer_form_is_allowed(name):
    for parts in cuts(f"\n\n{text_of(name)}\n"):
        assert trimmed(said(scan(parts))) == [call()]


@pytest.mark.parametrize("how", [{"truncated": True}, {"clean": False}])
@pytest.mark.parametrize("name", CALLS)
def test_half_a_call_at_a_cut_is_neither_call_nor_text(name, how):
    text = text_of(name, "ls -la /srv/data")
    middle = text.index("/srv")
    for parts in cuts(text[:middle]):
        pieces = scan(parts, **how)
        assert trimmed(said(pieces)) == []


@pytest.mark.parametrize("name", sorted(set(CALLS) - {"seed"}))
def test_half_a_call_at_a_clean_end_is_text(name):
    text = text_of(name, "ls -la /srv/data")
    text = text[: text.index("/srv")]
    for parts in cuts(text):
        assert said(scan(parts)) == [text]


@pytest.mark.parametrize("name", CALLS)
def test_without_tools_or_dialects_everything_is_text(name):
    assert said(scan([text_of(name)], tools=())) == [text_of(name)]
    assert said(scan([text_of(name)], dialects=())) == [text_of(name)]


@given(data=st.data(), name=st.sampled_from(INLINE))
def test_any_cut_says_the_same(data, name):
    text = f"Well.\n{text_of(name, data.draw(st.sampled_from(VALUES[:1])))}\n● Next."
    at = data.draw(st.lists(st.integers(0, len(text)), max_size=10))
    assert said(scan(cut(text, at))) == said(scan([text]))


@given(data=st.data(), name=st.sampled_from(CALLS))
def test_nothing_is_lost_where_no_tool_is_known(data, name):
    parts = data.draw(st.lists(st.sampled_from([*markers(), "\n", " ", "`", "x", text_of(name)])))
    text = "".join(parts)
    unknown = [TOOLS[3]]
    quiet = tuple(set(DEFAULT) - {"seed", "harmony", "kimi_k3_spans"})
    pieces = scan(cut(text, range(0, len(text), 5)), tools=unknown, dialects=quiet)
    kept = "".join(block for block in said(pieces) if isinstance(block, str))
    for token in openings(quiet).sentinels:
        text, kept = text.replace(token, ""), kept.replace(token, "")
    if all(isinstance(block, str) for block in said(pieces)):
        assert kept == text


def markers() -> list[str]:
    return sorted({opening for dialect in DIALECTS.values() for opening in dialect.opens})


def test_no_marker_begins_another():
    found = openings(DEFAULT)
    every = [*found.dialects, *(t for d in DIALECTS.values() for t in (*d.sentinels, *d.results))]
    assert not [marker for marker in every if marker in found.prefixes]


def test_every_dialect_has_its_line_and_its_data():
    for name, dialect in DIALECTS.items():
        assert dialect.form, name
        assert dialect.whole or dialect.opens, name
        assert msgspec.structs.asdict(dialect)


def test_an_unknown_dialect_is_an_error():
    with pytest.raises(KeyError):
        openings(("hermez",))
