"""What is one dialect made of?"""

from typing import TypeAlias

import msgspec

from fcc.translate.dialects.channel_calls import Harmony, Spans
from fcc.translate.dialects.json_calls import JsonCalls
from fcc.translate.dialects.mistral_calls import BareArgs, FunctionTag, MistralCall
from fcc.translate.dialects.named_calls import NamedCalls
from fcc.translate.dialects.python_calls import PythonCalls, ToolCode
from fcc.translate.dialects.tree_calls import MarkTree, TagTree
from fcc.translate.dialects.xml_calls import XmlCalls

__all__ = ["Dialect", "Grammar"]

Grammar: TypeAlias = (
    BareArgs
    | FunctionTag
    | Harmony
    | JsonCalls
    | MarkTree
    | MistralCall
    | NamedCalls
    | PythonCalls
    | Spans
    | TagTree
    | ToolCode
    | XmlCalls
)


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """One way of writing calls as text: two lines for people, and the data of a machine."""

    form: str
    """Its grammar in one line."""
    example: str
    """A call of Bash whose command is ls."""
    grammar: Grammar
    opens: tuple[str, ...] = ()
    """What it begins with. A whole-answer form may leave it out and begin with a tool's name."""
    whole: bool = False
    """A call only where it is the whole answer."""
    special: bool = False
    """It begins with a token of the model's vocabulary, which prose does not contain."""
    sentinels: tuple[str, ...] = ()
    """Tokens of the model's vocabulary that say nothing: left out once the dialect is in use."""
    results: tuple[str, ...] = ()
    """How a result begins that the model made up after its own call."""
