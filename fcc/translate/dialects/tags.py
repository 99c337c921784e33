"""Which dialects write a call's arguments as tags?

Sources: sglang 0.5.23 function_call/*_detector.py, vllm 0.33 tool_parsers/*, and for the bullet
Alishahryar1/free-claude-code@747262a providers/common/heuristic_tool_parser.py.
"""

from collections.abc import Mapping
from typing import Final

from fcc.translate.dialects.channel_calls import Spans
from fcc.translate.dialects.dialect import Dialect
from fcc.translate.dialects.tokens import deepseek_token
from fcc.translate.dialects.tree_calls import MarkTree, TagTree
from fcc.translate.dialects.xml_calls import Tag, XmlCalls

__all__ = ["TAGS"]

_BAR = "\uff5c"
_DSML = f"{_BAR}DSML{_BAR}"
_M3 = "]<]minimax[>["


def _function(*, sections: tuple[str, ...], open_end: bool = False) -> XmlCalls:
    return XmlCalls(
        call=Tag("<function="),
        call_ends=("</function>",),
        parameter=Tag("<parameter="),
        parameter_end="</parameter>",
        sections=sections,
        section_ends=("</tool_call>",),
        open_end=open_end,
        value_end_missing=not open_end,
        nested=not open_end,
    )


def _invoke(prefix: str, *sections: str, fillers: tuple[str, ...] = ()) -> XmlCalls:
    """Tags invoke and parameter, each with its `prefix` and a name attribute."""
    return XmlCalls(
        call=Tag(f"<{prefix}invoke", attribute="name"),
        call_ends=(f"</{prefix}invoke>",),
        parameter=Tag(f"<{prefix}parameter", attribute="name"),
        parameter_end=f"</{prefix}parameter>",
        sections=tuple(f"<{section}>" for section in sections),
        section_ends=tuple(f"</{section}>" for section in sections),
        fillers=fillers,
        json_body=True,
    )


def _keys_and_values(prefix: str = "") -> XmlCalls:
    """A name, then pairs of key and value in tags of their own, each with its `prefix`."""
    return XmlCalls(
        call=Tag(f"<{prefix}tool_call>", end=""),
        call_ends=(f"</{prefix}tool_call>",),
        parameter=Tag(f"<{prefix}arg_key>", end=f"</{prefix}arg_key>"),
        parameter_end=f"</{prefix}arg_value>",
        sections=(f"<{prefix}tool_calls>",),
        section_ends=(f"</{prefix}tool_calls>",),
        after_name="<tool_sep>",
        type_tag=Tag(f"<{prefix}arg_type>", end=f"</{prefix}arg_type>"),
        before_value=f"<{prefix}arg_value>",
    )


def _opens(grammar: XmlCalls) -> tuple[str, ...]:
    return (*grammar.sections, f"{grammar.call.start} ")


def _dsml(blank: str) -> XmlCalls:
    prefix = _DSML + blank
    names = ("function_calls", "tool_calls", "calls")
    return _invoke(prefix, *(prefix + name for name in names))


def _spelled(section: str, invoke: str, parameter: str, prefix: str = "") -> str:
    """The call of Bash in tags of these names."""
    inner = (
        f'<{prefix}{invoke} name="Bash">\n<{prefix}{parameter} name="command">ls'
        f"</{prefix}{parameter}>\n</{prefix}{invoke}>"
    )
    return f"<{prefix}{section}>\n{inner}\n</{prefix}{section}>" if section else inner


_NAMESPACE = "antml:"
_ANTHROPIC = _invoke("", "function_calls", "dots_function_call")
_ANTHROPIC_PREFIXED = _invoke(_NAMESPACE, f"{_NAMESPACE}function_calls")
_MINIMAX = _invoke("", "minimax:tool_call")
_STEP3_BEGIN, _STEP3_CALL = f"<{_BAR}tool_calls_begin{_BAR}>", f"<{_BAR}tool_call_begin{_BAR}>"
_STEP3 = XmlCalls(
    call=Tag("<steptml:invoke", attribute="name"),
    call_ends=("</steptml:invoke>",),
    parameter=Tag("<steptml:parameter", attribute="name"),
    parameter_end="</steptml:parameter>",
    sections=(_STEP3_BEGIN,),
    section_ends=(f"<{_BAR}tool_calls_end{_BAR}>",),
    fillers=(_STEP3_CALL, "function", f"<{_BAR}tool_sep{_BAR}>", f"<{_BAR}tool_call_end{_BAR}>"),
)

TAGS: Final[Mapping[str, Dialect]] = {
    # Qwen3-Coder, MiMo, Step-3.5, Nemotron-3
    "qwen3_coder": Dialect(
        form="[<tool_call>] <function=NAME> { <parameter=K> V </parameter> } </function> [</tool_call>]",
        example="<tool_call>\n<function=Bash>\n<parameter=command>\nls\n</parameter>\n</function>\n</tool_call>",
        opens=("<tool_call>", "<function="),
        grammar=_function(sections=("<tool_call>",)),
        sentinels=("<|im_end|>", "<|endoftext|>"),
        results=("<tool_response>",),
    ),
    # The bullet of Claude Code's own transcript, imitated.
    "seed": Dialect(
        form="● <function=NAME> { <parameter=K> V </parameter> } [</function>]; V may be open at the end",
        example="● <function=Bash><parameter=command>ls</parameter>",
        opens=("●",),
        grammar=_function(sections=("●",), open_end=True),
        sentinels=("<|sep_token|>",),
    ),
    # GLM-4.5 to 5, Ling3, Spark2.5; Hunyuan with the outer tag and <tool_sep>
    "glm": Dialect(
        form="<tool_call> NAME { <arg_key> K </arg_key> <arg_value> V </arg_value> } </tool_call>",
        example="<tool_call>Bash\n<arg_key>command</arg_key>\n<arg_value>ls</arg_value>\n</tool_call>",
        opens=("<tool_call>", "<tool_calls>"),
        grammar=_keys_and_values(),
        sentinels=("<|observation|>", "<|user|>", "<|endoftext|>"),
        results=("<tool_response>",),
    ),
    "k2_horizon": Dialect(
        form="glm, each tag with the prefix ifm|, and <ifm|arg_type> T </ifm|arg_type> before V",
        example="<ifm|tool_calls>\n<ifm|tool_call>Bash\n<ifm|arg_key>command</ifm|arg_key>\n<ifm|arg_value>ls</ifm|arg_value>\n</ifm|tool_call>\n</ifm|tool_calls>",
        opens=("<ifm|tool_call>", "<ifm|tool_calls>"),
        grammar=_keys_and_values("ifm|"),
        special=True,
    ),
    # Models that imitate Claude; OLMo 3, dots
    "anthropic": Dialect(
        form='<function_calls> { <invoke name="NAME"> { <parameter name="K"> V </parameter> } </invoke> } </function_calls>',
        example=_spelled("function_calls", "invoke", "parameter"),
        opens=_opens(_ANTHROPIC),
        grammar=_ANTHROPIC,
        results=("<function_results>",),
    ),
    "anthropic_prefixed": Dialect(
        form="anthropic, each tag with a namespace",
        example=_spelled("function_calls", "invoke", "parameter", _NAMESPACE),
        opens=_opens(_ANTHROPIC_PREFIXED),
        grammar=_ANTHROPIC_PREFIXED,
    ),
    "minimax_m2": Dialect(
        form='<minimax:tool_call> { <invoke name="NAME"> { <parameter name="K"> V </parameter> } </invoke> } </minimax:tool_call>',
        example=_spelled("minimax:tool_call", "invoke", "parameter"),
        opens=("<minimax:tool_call>",),
        grammar=_MINIMAX,
        special=True,
    ),
    # Leaks on NIM.
    "minimax_m3": Dialect(
        form=f'{_M3}<tool_call> {{ {_M3}<invoke name="NAME"> {{ {_M3}<K> V {_M3}</K> }} {_M3}</invoke> }} {_M3}</tool_call>',
        example=f'{_M3}<tool_call>\n{_M3}<invoke name="Bash">\n{_M3}<command>ls{_M3}</command>\n{_M3}</invoke>\n{_M3}</tool_call>',
        opens=(f"{_M3}<tool_call>", f"{_M3}<invoke"),
        grammar=TagTree(prefix=_M3),
        special=True,
    ),
    # DeepSeek V3.2 and V4; the value of string="false" is JSON, and the body may be JSON
    "deepseek_dsml": Dialect(
        form="anthropic, each tag with the prefix DSML in fullwidth bars; the outer tag varies",
        example=_spelled(f"{_DSML}function_calls", f"{_DSML}invoke", f"{_DSML}parameter"),
        opens=_opens(_dsml("")),
        grammar=_dsml(""),
        special=True,
        sentinels=(deepseek_token("end of sentence"),),
    ),
    "deepseek_v41": Dialect(
        form="deepseek_dsml with a blank after the prefix",
        example=_spelled(f"{_DSML} calls", f"{_DSML} invoke", f"{_DSML} parameter"),
        opens=_opens(_dsml(" ")),
        grammar=_dsml(" "),
        special=True,
        sentinels=(deepseek_token("end of sentence"),),
    ),
    "step3": Dialect(
        form="section { begin function sep <steptml:invoke ...> parameters </steptml:invoke> end }",
        example=f"{_STEP3_BEGIN}{_STEP3_CALL}function<{_BAR}tool_sep{_BAR}>"
        + _spelled("", "steptml:invoke", "steptml:parameter")
        + f"<{_BAR}tool_call_end{_BAR}><{_BAR}tool_calls_end{_BAR}>",
        opens=(_STEP3_BEGIN, _STEP3_CALL, "<steptml:invoke "),
        grammar=_STEP3,
        special=True,
    ),
    "minicpm": Dialect(
        form='<function name="NAME"> { <param name="K"> V or CDATA </param> } </function>',
        example='<function name="Bash"><param name="command"><![CDATA[ls]]></param></function>',
        opens=("<function name=",),
        grammar=XmlCalls(
            call=Tag("<function name="),
            call_ends=("</function>",),
            parameter=Tag("<param name="),
            parameter_end="</param>",
            cdata=True,
        ),
        sentinels=("<|im_end|>",),
    ),
    "kimi_k3": Dialect(
        form='<|open|>tools<|sep|> { <|open|>call tool="NAME" index="N"<|sep|> { <|open|>argument key="K" type="T"<|sep|> V <|close|>argument<|sep|> } <|close|>call<|sep|> } <|close|>tools<|sep|>',
        example='<|open|>tools<|sep|><|open|>call tool="Bash" index="1"<|sep|><|open|>argument key="command" type="string"<|sep|>ls<|close|>argument<|sep|><|close|>call<|sep|><|close|>tools<|sep|>',
        opens=("<|open|>tools<|sep|>", "<|open|>call "),
        grammar=XmlCalls(
            call=Tag("<|open|>call", end="<|sep|>", attribute="tool"),
            call_ends=("<|close|>call<|sep|>",),
            parameter=Tag("<|open|>argument", end="<|sep|>", attribute="key"),
            parameter_end="<|close|>argument<|sep|>",
            sections=("<|open|>tools<|sep|>",),
            section_ends=("<|close|>tools<|sep|>",),
        ),
        special=True,
        sentinels=("<|close|>message<|sep|>", "<|close|>response<|sep|>"),
    ),
    "kimi_k3_spans": Dialect(
        form="<|open|>response or think<|sep|> text <|close|>response or think<|sep|>",
        example="",
        opens=("<|open|>response<|sep|>", "<|open|>think<|sep|>"),
        grammar=Spans(),
        special=True,
        sentinels=("<|close|>message<|sep|>",),
    ),
    "gemma4": Dialect(
        form='<|tool_call>call:NAME{K:<|"|>TEXT<|"|> or number, true, [..], {..}, ...}<tool_call|>',
        example='<|tool_call>call:Bash{command:<|"|>ls<|"|>}<tool_call|>',
        opens=("<|tool_call>",),
        grammar=MarkTree(opens="<|tool_call>", closes=("<tool_call|>",), quote='<|"|>'),
        special=True,
    ),
    "function_gemma": Dialect(
        form="<start_function_call>call:NAME{K:<escape>TEXT<escape>, ...}<end_function_call>",
        example="<start_function_call>call:Bash{command:<escape>ls<escape>}<end_function_call>",
        opens=("<start_function_call>",),
        grammar=MarkTree(
            opens="<start_function_call>", closes=("<end_function_call>",), quote="<escape>"
        ),
        special=True,
    ),
}
