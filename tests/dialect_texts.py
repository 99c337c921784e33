"""What the dialect tests share: tools, cuts, and what an answer's pieces come to."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import count, pairwise
from typing import Any

from fcc.translate.dialects.scanner import Scanner
from fcc.translate.dialects.table import DEFAULT
from fcc.translate.pieces import Arguments, Piece, Reasoning, Text, ToolCall, ToolCallEnd
from fcc.translate.tools import DeclaredTool


def tool(name: str, *required: str, **types: str) -> DeclaredTool:
    properties = {key: {"type": type_} for key, type_ in types.items()}
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return DeclaredTool(name, schema)


TOOLS = (
    tool("Bash", "command", command="string", timeout="number", run_in_background="boolean"),
    tool("Read", "file_path", file_path="string", limit="integer"),
    tool("Write", "file_path", "content", file_path="string", content="string"),
    tool("Ping"),
    DeclaredTool("mcp__github__get_issue", {"type": "object"}),
)


def cut(text: str, at: Iterable[int]) -> list[str]:
    """`text` in parts that end at the positions `at`."""
    inner = sorted({position for position in at if 0 < position < len(text)})
    return [text[start:end] for start, end in pairwise([0, *inner, len(text)])]


def cuts(text: str) -> Iterator[list[str]]:
    """Whole, character by character, and in a few sizes that fall anywhere."""
    yield [text]
    yield list(text)
    for size in (2, 3, 7, 19):
        yield cut(text, range(size, len(text), size))


def scan(
    parts: Iterable[str],
    *,
    dialects: Sequence[str] = DEFAULT,
    tools: Sequence[DeclaredTool] = TOOLS,
    clean: bool = True,
    truncated: bool = False,
    whole_message: bool = True,
) -> list[Piece]:
    scanner = Scanner(dialects, tools, count(), whole_message=whole_message)
    pieces: list[Piece] = []
    for part in parts:
        pieces += scanner.feed(part)
    return pieces + scanner.finish(clean=clean, truncated=truncated)


def said(pieces: Iterable[Piece]) -> list[Any]:
    """Pieces as blocks: text, ("thinking", text) or (name, input); None where a call has no end."""
    blocks: list[Any] = []
    calls: dict[int, int] = {}
    arguments: dict[int, list[str]] = {}
    for piece in pieces:
        match piece:
            case Text(text):
                if blocks and isinstance(blocks[-1], str):
                    blocks[-1] += text
                else:
                    blocks.append(text)
            case Reasoning(text):
                if blocks and isinstance(blocks[-1], tuple) and blocks[-1][0] == "thinking":
                    blocks[-1] = ("thinking", blocks[-1][1] + text)
                else:
                    blocks.append(("thinking", text))
            case ToolCall(call, name):
                assert call == len(calls), "calls are numbered in order"
                calls[call] = len(blocks)
                arguments[call] = []
                blocks.append((name, None))
            case Arguments(call, text):
                arguments[call].append(text)
            case ToolCallEnd(call):
                name, _none = blocks[calls[call]]
                blocks[calls[call]] = (name, json.loads("".join(arguments[call])))
            case _:
                raise AssertionError(piece)
    return blocks


def trimmed(blocks: Iterable[Any]) -> list[Any]:
    """Blocks as a client compares them: text without outer white space, none of it only that."""
    kept = [block.strip() if isinstance(block, str) else block for block in blocks]
    return [block for block in kept if block != ""]
