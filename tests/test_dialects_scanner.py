"""The scanner's own promises: order, schema, names, cuts, and what it leaves alone."""

from itertools import count

import pytest

from fcc.translate.dialects.scanner import Scanner
from fcc.translate.dialects.table import DEFAULT
from fcc.translate.pieces import Arguments, Reasoning, Text, ToolCall, ToolCallEnd
from fcc.translate.tools import DeclaredTool
from tests.dialect_texts import TOOLS, cuts, said, scan, tool, trimmed

SEED_TOOLS = (
    tool("LookUp", term="string", lang="string"),
    tool("A", x="integer"),
    tool("B", y="integer"),
    tool("Run", "cmd", cmd="string", n="integer"),
    tool("Save", body="string"),
    tool("Ping"),
    tool("TodoWrite", todos="array"),
)
LOOK = "● <function=LookUp><parameter=term>bee</parameter><parameter=lang>en</parameter>"
LOOKED = ("LookUp", {"term": "bee", "lang": "en"})
RUN = ("Run", {"cmd": "ls"})
HERMES = '<tool_call>{"name": "Run", "arguments": {"cmd": "ls"}}</tool_call>'
KIMI = (
    "<|tool_calls_section_begin|><|tool_call_begin|>functions.Run:0<|tool_call_argument_begin|>"
    '{"cmd": "ls"}<|tool_call_end|><|tool_calls_section_end|>'
)

BULLETS = {
    "one call": (LOOK, [LOOKED]),
    "text around": (f"Hi. {LOOK}\nBye.", ["Hi.", LOOKED, "Bye."]),
    "two calls": (
        "● <function=A><parameter=x>1</parameter>● <function=B><parameter=y>2</parameter>",
        [("A", {"x": 1}), ("B", {"y": 2})],
    ),
    "open last value": (
        "● <function=Run><parameter=cmd>make test",
        [("Run", {"cmd": "make test"})],
    ),
    "open value that ends in <": (
        "● <function=Run><parameter=cmd>ls <",
        [("Run", {"cmd": "ls <"})],
    ),
    "half an end": ("● <function=Run><parameter=cmd>ls</param", [RUN]),
    "bullets": ("● first point\n● second point", ["● first point\n● second point"]),
    "comparisons in a value": (
        "● <function=Save><parameter=body>3 > 2 && 1 < 4</parameter>",
        [("Save", {"body": "3 > 2 && 1 < 4"})],
    ),
    "indentation in a value": (
        "● <function=Save><parameter=body>\n    indented\n</parameter>",
        [("Save", {"body": "    indented"})],
    ),
    "no parameters": ("● <function=Ping>", [("Ping", {})]),
    "an end and a tail": (
        "● <function=Run><parameter=cmd>ls</parameter></function> tail text",
        [RUN, "tail text"],
    ),
    "a bullet in a value": (
        "● <function=Save><parameter=body>a\n● b c</parameter>",
        [("Save", {"body": "a\n● b c"})],
    ),
    "no bullet": ("<function=Run><parameter=cmd>ls</parameter></function>", [RUN]),
    "a required argument is missing": ("● <function=Run>", ["● <function=Run>"]),
}


@pytest.mark.parametrize("case", BULLETS)
def test_the_bullet_form(case):
    text, blocks = BULLETS[case]
    for parts in cuts(text):
        assert trimmed(said(scan(parts, tools=SEED_TOOLS))) == blocks


CALLS = {
    "the end tag is missing": ('<tool_call>{"name": "Run", "arguments": {"cmd": "ls"}}', [RUN]),
    "the next call begins instead": (
        HERMES.replace("</tool_call>", "\n") + HERMES,
        [RUN, RUN],
    ),
    "prose instead of the end": (
        HERMES.replace("</tool_call>", " runs ls."),
        [HERMES.replace("</tool_call>", " runs ls.")],
    ),
    "a bracket is missing": (HERMES.replace("}}", "}"), [RUN]),
    "Python literals": (HERMES.replace('"', "'"), [RUN]),
    "arguments as text": (
        HERMES.replace('{"cmd": "ls"}', '"{\\"cmd\\": \\"ls\\"}"'),
        [RUN],
    ),
    "OpenAI's shape": (
        '<tool_call>{"type": "function", "function": {"name": "Run", "arguments": {"cmd": "ls"}}}</tool_call>',
        [RUN],
    ),
    "arguments first": (
        '<tool_call>{"arguments": {"cmd": "ls"}, "name": "Run"}</tool_call>',
        [RUN],
    ),
    "a list": (
        '<tool_call>[{"name": "Run", "arguments": {"cmd": "ls"}}, {"name": "Ping"}]</tool_call>',
        [RUN, ("Ping", {})],
    ),
    "integers as text": (
        '<tool_call>{"name": "Run", "arguments": {"cmd": "ls", "n": "20"}}</tool_call>',
        [("Run", {"cmd": "ls", "n": 20})],
    ),
    "an integer that is none": (
        HERMES.replace('"ls"', '"ls", "n": "many"'),
        [HERMES.replace('"ls"', '"ls", "n": "many"')],
    ),
    "a null that is optional": (HERMES.replace('"ls"', '"ls", "n": null'), [RUN]),
    "a number that is text": (
        "<tool_call>Run<arg_key>cmd</arg_key><arg_value>404</arg_value></tool_call>",
        [("Run", {"cmd": "404"})],
    ),
    "a list that is text": (
        '<tool_call>TodoWrite<arg_key>todos</arg_key><arg_value>[{"a": "b"}]</arg_value></tool_call>',
        [("TodoWrite", {"todos": [{"a": "b"}]})],
    ),
    "an undeclared argument": (
        '<tool_call>Ping<arg_key>q</arg_key><arg_value>{"a": [1]}</arg_value></tool_call>',
        [("Ping", {"q": {"a": [1]}})],
    ),
    "no arguments and no line ends": ("<tool_call>Ping</tool_call>", [("Ping", {})]),
    "the end of the function is missing": (
        "<tool_call>\n<function=Run>\n<parameter=cmd>\nls\n</parameter>\n</tool_call>",
        [RUN],
    ),
    "the end of the last value is missing": (
        "<tool_call>\n<function=Run>\n<parameter=cmd>\nls\n</function>\n</tool_call>\n<tool_call>\n<function=Ping>\n</function>\n</tool_call>",
        [RUN, ("Ping", {})],
    ),
    "the end of a value is missing where it may not": (
        '<invoke name="Run"><parameter name="cmd">ls</invoke></function_calls><invoke name="Run"><parameter name="cmd">ls</parameter></invoke></function_calls>',
        [
            '<invoke name="Run"><parameter name="cmd">ls</invoke></function_calls>',
            RUN,
        ],
    ),
    "a result tag in a value": (
        "<function=Save><parameter=body>\n</function> x\n</parameter>\n</function>",
        [("Save", {"body": "</function> x"})],
    ),
    "Llama's comma": ('<function=Run,{"cmd": "ls"}</function>', [RUN]),
    "Llama's brackets": ('<function=Run({"cmd": "ls"})></function>', [RUN]),
    "a bare counter": (KIMI.replace("functions.Run:0", "0"), [RUN]),
    "a counter that fits two tools": (
        KIMI.replace("functions.Run:0", "0").replace('{"cmd": "ls"}', "{}"),
        [KIMI.replace("functions.Run:0", "0").replace('{"cmd": "ls"}', "{}")],
    ),
    "a call id": ('[TOOL_CALLS]Run[CALL_ID]aB3dE6gH9[ARGS]{"cmd": "ls"}', [RUN]),
    "a call id and no mark": (
        '[TOOL_CALLS]Run{"cmd": "ls"}[TOOL_CALLS]Ping{}',
        [RUN, ("Ping", {})],
    ),
    "two without the token": ('Run[ARGS]{"cmd": "ls"}\nPing[ARGS]{}', [RUN, ("Ping", {})]),
    "two in one answer": (
        '{"name": "Run", "parameters": {"cmd": "ls"}}; {"name": "Ping", "parameters": {}}',
        [RUN, ("Ping", {})],
    ),
    "a tag after the JSON": ('{"name": "Run", "parameters": {"cmd": "ls"}}<|eot_id|>', [RUN]),
    "JSON's words in Python": ("[Run(cmd='ls', n=null), Ping()]", [RUN, ("Ping", {})]),
    "Python of several lines": (
        "```tool_code\nRun(cmd='''ls\n'x'\n''')\nprint(default_api.Ping())\n```",
        [("Run", {"cmd": "ls\n'x'\n"}), ("Ping", {})],
    ),
    "a fence that says call": (
        '```json\n[{"name": "Run", "arguments": {"cmd": "ls"}}]\n```',
        [RUN],
    ),
    "the value says it is text": (
        '<｜DSML｜invoke name="Ping"><｜DSML｜parameter name="q" string="true">20</｜DSML｜parameter></｜DSML｜invoke>',
        [("Ping", {"q": "20"})],
    ),
}


@pytest.mark.parametrize("case", CALLS)
def test_what_models_write(case):
    text, blocks = CALLS[case]
    for parts in cuts(text):
        assert trimmed(said(scan(parts, tools=SEED_TOOLS))) == blocks


@pytest.mark.parametrize("written", ["Run", "run", "RUN", "functions.Run", "functions.Run:12"])
def test_a_name_may_be_written_a_little_differently(written):
    text = HERMES.replace("Run", written)
    assert said(scan([text], tools=SEED_TOOLS)) == [RUN]


def test_a_name_that_could_mean_two_tools_is_none():
    tools = [tool("read_file"), tool("readFile")]
    text = '<tool_call>{"name": "read-file", "arguments": {}}</tool_call>'
    assert said(scan([text], tools=tools)) == [text]
    exact = text.replace("read-file", "readFile")
    assert said(scan([exact], tools=tools)) == [("readFile", {})]


def test_a_call_comes_as_three_pieces_numbered_by_the_shared_counter():
    scanner = Scanner(DEFAULT, SEED_TOOLS, count(4))
    assert scanner.feed(HERMES) == [
        ToolCall(4, "Run"),
        Arguments(4, '{"cmd":"ls"}'),
        ToolCallEnd(4),
    ]
    assert scanner.repairs == {"hermes": 1}


def test_a_call_comes_as_soon_as_it_is_whole():
    scanner = Scanner(DEFAULT, SEED_TOOLS, count())
    text = f"Go. {KIMI}"
    end = text.index("<|tool_call_end|>") + len("<|tool_call_end|>")
    assert scanner.feed(text[: end - 1]) == [Text("Go. ")]
    assert len(scanner.feed(text[end - 1 : end])) == 3


def test_additional_arguments_that_are_forbidden_make_it_text():
    schema = {"type": "object", "properties": {"cmd": {}}, "additionalProperties": False}
    text = HERMES.replace('"ls"', '"ls", "why": "x"')
    assert said(scan([text], tools=[DeclaredTool("Run", schema)])) == [text]


@pytest.mark.parametrize("text", ["ok <|sep_token|> go", "x <| y", "List.map <| f |> g"])
def test_only_a_sentinel_is_left_out(text):
    for parts in cuts(text):
        assert said(scan(parts)) == [text.replace("<|sep_token|>", "")]


def test_sentinels_of_the_dialect_in_use_are_left_out_and_those_in_code_are_not():
    text = "A <|im_end|>\n" + HERMES + "<|im_end|>\n`<|im_end|>`"
    for parts in cuts(text):
        blocks = said(scan(parts, tools=SEED_TOOLS))
        assert trimmed(blocks) == ["A <|im_end|>", RUN, "`<|im_end|>`"]
    named = scan(["Fine.<|im_end|>"], dialects=("hermes",))
    assert said(named) == ["Fine."]


def test_what_follows_a_made_up_result_is_fiction():
    text = HERMES + "\n<tool_response>\na.txt\n</tool_response>\n" + HERMES
    for parts in cuts(text):
        assert trimmed(said(scan(parts, tools=SEED_TOOLS))) == [RUN]
    later = HERMES + "\nThe tag <tool_response> comes next."
    assert trimmed(said(scan([later], tools=SEED_TOOLS)))[1:] == [
        "The tag <tool_response> comes next."
    ]


HARMONY = (
    "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary<|message|>"
    "I'll look.<|end|><|start|>assistant to=functions.Run<|channel|>commentary"
    '<|constrain|>json<|message|>{"cmd": "ls"}<|call|>'
)


def test_channels_are_told_apart():
    for parts in cuts(HARMONY):
        blocks = said(scan(parts, tools=SEED_TOOLS))
        assert trimmed(blocks) == [("thinking", "Hm."), "I'll look.", RUN]


def test_a_channel_is_said_while_it_comes():
    scanner = Scanner(("harmony",), SEED_TOOLS, count())
    scanner.feed("<|channel|>analysis<|message|>")
    assert scanner.feed("One ") == [Reasoning("One ")]
    assert scanner.feed("two<|e") == [Reasoning("two")]
    assert scanner.feed("nd|><|channel|>final<|message|>Yes") == [Text("Yes")]
    assert scanner.finish(clean=False) == []


def test_a_cut_channel_loses_nothing():
    for how in ({"truncated": True}, {"clean": False}, {}):
        pieces = scan(["<|channel|>final<|message|>a <"], **how)
        assert said(pieces) == ["a <"]


def test_channel_tokens_in_the_middle_of_prose_are_prose():
    text = "It sent <|channel|>final<|message|>Hi<|return|> to us."
    for parts in cuts(text):
        assert said(scan(parts)) == [text]


def test_spans_of_kimi_k3_are_told_apart():
    text = "<|open|>think<|sep|>Hm.<|close|>think<|sep|><|open|>response<|sep|>Hi<|close|>response<|sep|>"
    for parts in cuts(text):
        assert said(scan(parts)) == [("thinking", "Hm."), "Hi"]


@pytest.mark.parametrize("how", [{"truncated": True}, {"clean": False}])
@pytest.mark.parametrize("text", ["Price: 5 <", "Use <tool_c", "I use <tool_call>", "x <function="])
def test_a_cut_takes_no_text_that_only_may_have_become_a_call(text, how):
    for parts in cuts(text):
        assert said(scan(parts, **how)) == [text]


@pytest.mark.parametrize("how", [{"truncated": True}, {"clean": False}])
def test_a_cut_keeps_the_calls_before_it(how):
    for parts in cuts(f"{HERMES}\n{HERMES[:30]}"):
        assert trimmed(said(scan(parts, tools=SEED_TOOLS, **how))) == [RUN]


def test_a_whole_call_at_a_cut_does_not_run_without_its_end():
    text = HERMES.removesuffix("</tool_call>")
    assert said(scan([text], tools=SEED_TOOLS, truncated=True)) == []


def test_after_a_release_everything_is_text():
    scanner = Scanner(DEFAULT, SEED_TOOLS, count())
    held = "Hi <tool_call>\n{"
    pieces = scanner.feed(held) + scanner.release() + scanner.feed(HERMES)
    assert said(pieces + scanner.finish(clean=True)) == [held + HERMES]
    assert scanner.release() == []


def test_finishing_twice_says_nothing_twice():
    scanner = Scanner(DEFAULT, SEED_TOOLS, count())
    scanner.feed("a <")
    assert scanner.finish(clean=True) == [Text("<")]
    assert scanner.finish(clean=True) == []


def test_text_between_fences_is_read_again_after_them():
    text = f"```\n{HERMES}\n```\n{HERMES}\n~~~\n{HERMES}\n~~~ x\n"
    for parts in cuts(text):
        blocks = said(scan(parts, tools=SEED_TOOLS))
        assert [block for block in blocks if not isinstance(block, str)] == [RUN]


@pytest.mark.parametrize(
    "before", ["a `b` c ", "don't `` ` `` ", "a ` b\n\n", "```x``` ", "\\` ", "~~x~~ ", '"a" ']
)
def test_code_that_is_closed_hides_nothing(before):
    for parts in cuts(before + HERMES):
        assert said(scan(parts, tools=SEED_TOOLS))[-1] == RUN


def test_a_call_may_follow_a_fence_at_once():
    for before in ("```py\nx = 1\n```", "~~~\nx\n~~~ "):
        for parts in cuts(before + KIMI):
            assert trimmed(said(scan(parts, tools=SEED_TOOLS))) == [before.strip(), RUN]


@pytest.mark.parametrize("opening", ["<function=Write><parameter=content>", '{"name": "Write", '])
def test_a_long_call_that_never_ends_comes_back_whole(opening):
    text = opening + "x" * 5000
    how = {"dialects": tuple(set(DEFAULT) - {"seed"})}
    assert said(scan([text, "y"], **how)) == [text + "y"]


def test_nothing_is_held_but_the_beginning_of_a_marker():
    scanner = Scanner(DEFAULT, TOOLS, count())
    scanner.feed("Text. ")
    for character in "a <tool_ca <| [TOOL_ ] ● <fun `<tool_call>` x":
        scanner.feed(character)
        assert len(scanner._tape.text) - scanner._tape.at < 60
    assert "".join(p.text for p in scanner.finish(clean=True) if isinstance(p, Text)) == ""
