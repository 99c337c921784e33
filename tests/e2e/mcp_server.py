"""An MCP server over standard input and output, with one tool that has a long name.

Protocol: modelcontextprotocol.io/specification (JSON-RPC 2.0, a message a line).
"""

import json
import sys
from typing import Any

SERVER = "a_server_that_somebody_named_carefully"
TOOL = "repeat_the_word_that_was_given_and_say_that_it_was_repeated"
LONG_NAME = f"mcp__{SERVER}__{TOOL}"
"""As Claude Code calls it: over the 64 characters that providers take."""

_TOOL = {
    "name": TOOL,
    "description": "Says a word again.",
    "inputSchema": {
        "type": "object",
        "properties": {"word": {"type": "string"}, "note": {"type": ["string", "null"]}},
        "required": ["word"],
    },
}


def _result(method: str, params: dict[str, Any]) -> dict[str, Any] | None:
    if method == "initialize":
        return {
            "protocolVersion": params["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": SERVER, "version": "1"},
        }
    if method == "tools/list":
        return {"tools": [_TOOL]}
    if method == "tools/call" and params["name"] == TOOL:
        return {"content": [{"type": "text", "text": f"Echo: {params['arguments']['word']}"}]}
    return {} if method == "ping" else None


def main() -> None:
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message:
            continue
        result = _result(message["method"], message.get("params", {}))
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": message["id"]}
        if result is None:
            answer["error"] = {"code": -32601, "message": f"no {message['method']}"}
        else:
            answer["result"] = result
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
