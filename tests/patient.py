"""A chat-completions server with a model that can be ill in every way the doctor knows.

It is a server of threads, as the doctor asks one thing after the other, and waits.
"""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

KEY = "sk-valid-key-0123456789"
MODEL = "acme/coder-2"


class Ills:
    """What is wrong; everything else is well."""

    def __init__(self, **ills: Any) -> None:
        self.public_list = False
        """GET /models asks for no key."""
        self.offers = [MODEL, "acme/other"]
        self.list_window: int | None = None
        self.list_delay = 0.0
        self.date = ""
        self.page = 0
        """An HTML page with this status in the place of everything."""
        self.post: tuple[int, dict[str, Any]] | None = None
        """The refusal of every request that has messages, or none."""
        self.tools = "native"
        """native, text, prose, refused, ignored, forced or broken"""
        self.parallel = True
        self.reads_results = True
        self.reasoning = ""
        """A field, `tags`, or nothing."""
        self.takes_reasoning = True
        self.images = "seen"
        """seen, refused or ignored"""
        self.usage = True
        self.cache = True
        self.window = 60_000
        self.truncates = False
        self.output_cap = 0
        self.at_once = False
        self.finishes = True
        self.says = True
        self.rate_headers = True
        self.forgets = False
        """Reads all of a long prompt, and knows nothing of it."""
        self.refuses = ""
        """A field of the body that is refused."""
        self.dies_after = 1000
        """Requests; the next finds nobody."""
        self.busy_for = ""
        """What a body has that is answered with 429."""
        self.first_delay = 0.0
        """Seconds before every answer."""
        self.goes_on = 0.0
        """Seconds for which an answer that nobody reads keeps the server busy."""
        assert ills.keys() <= vars(self).keys(), ills
        vars(self).update(ills)


class Server:
    """`with Server(Ills(...)) as server`: `server.url` ends with /v1."""

    def __init__(self, ills: Ills | None = None) -> None:
        self.ills = ills or Ills()
        self.asked: list[dict[str, Any]] = []
        self.seen: set[str] = set()
        self.busy = threading.Lock()
        outer = self

        class Handler(_Handler):
            server_of = outer

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.port = self.http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._thread = threading.Thread(
            target=self.http.serve_forever, kwargs={"poll_interval": 0.02}
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.http.shutdown()
        self.http.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    server_of: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Tests need no access log."""

    @property
    def ills(self) -> Ills:
        return self.server_of.ills

    def do_GET(self) -> None:
        time.sleep(self.ills.list_delay)
        if self.ills.page:
            self._page()
        elif not self.ills.public_list and not self._has_key():
            self._refuse(401, {"message": "Incorrect API key provided: sk-wrong*****6789."})
        elif self.path != "/v1/models":
            self._refuse(404, {"message": "not found"})
        else:
            more = {"max_model_len": self.ills.list_window} if self.ills.list_window else {}
            self._json(200, {"data": [{"id": name, **more} for name in self.ills.offers]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server_of.asked.append(body)
        if len(self.server_of.asked) > self.ills.dies_after:
            self.server_of.http.shutdown()
            self.server_of.http.server_close()
            self.close_connection = True
            return
        if self.ills.page:
            self._page()
        elif not self._has_key():
            self._refuse(401, {"message": "Incorrect API key provided: sk-wrong*****6789."})
        elif self.ills.post:
            self._refuse(*self.ills.post)
        elif refusal := _refusal(body, self.ills):
            self._refuse(*refusal)
        else:
            self._stream(body)

    def _has_key(self) -> bool:
        return self.headers.get("authorization") == f"Bearer {KEY}"

    def _page(self) -> None:
        self._send(self.ills.page, "text/html", b"<html><title>Login</title>Corporate proxy</html>")

    def _refuse(self, status: int, error: dict[str, Any]) -> None:
        self._json(status, {"error": error})

    def _json(self, status: int, value: object) -> None:
        self._send(status, "application/json", json.dumps(value).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response_only(status)
        self.send_header("date", self.ills.date or self.date_time_string())
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        if self.ills.rate_headers:
            self.send_header("x-ratelimit-limit-requests", "40")
        self.end_headers()
        with self.server_of.busy:
            time.sleep(self.ills.first_delay)
            try:
                for chunk in _answer(body, self.ills, self.server_of.seen):
                    self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
                self.wfile.write(b"data: [DONE]\n\n")
            except OSError:
                time.sleep(self.ills.goes_on)  # nobody reads any more
        self.close_connection = True


def _refusal(body: dict[str, Any], ills: Ills) -> tuple[int, dict[str, Any]] | None:
    if body["model"] not in ills.offers:
        return 404, {
            "message": f"The model `{body['model']}` does not exist",
            "code": "model_not_found",
        }
    if ills.busy_for and ills.busy_for in json.dumps(body):
        return 429, {"message": "slow down"}
    if not body["messages"]:
        return 400, {"message": "messages must not be empty"}
    asked, prompt = body.get("max_tokens", 16), _tokens(body)
    if ills.output_cap and asked > ills.output_cap:
        return 400, {"message": f"max_tokens is too large: {asked}. This model supports at most "
                     f"{ills.output_cap} completion tokens."}  # fmt: skip
    if not ills.truncates and asked + prompt > ills.window:
        return 400, {"message": f"This model's maximum context length is {ills.window} tokens. However, "
                     f"you requested {asked + prompt} tokens ({prompt} in the messages, {asked} in the "
                     "completion). Please reduce the length of the messages or completion."}  # fmt: skip
    if "tools" in body and ills.tools == "refused":
        return 400, {"message": '"auto" tool choice requires --enable-auto-tool-choice and '
                     "--tool-call-parser to be set"}  # fmt: skip
    if ills.refuses and body.get(ills.refuses) not in (None, "auto"):
        return 400, {"message": f"{ills.refuses} is not supported by this server"}
    said = json.dumps(body["messages"])
    if "image_url" in said and ills.images == "refused":
        return 400, {"message": "this model does not support image input"}
    if '"reasoning_content"' in said and not ills.takes_reasoning:
        return 400, {"message": "reasoning_content: Extra inputs are not permitted"}
    return None


def _tokens(body: dict[str, Any]) -> int:
    return len(json.dumps(body["messages"]).split()) + 10


def _answer(body: dict[str, Any], ills: Ills, seen: set[str]) -> Iterator[dict[str, Any]]:
    said = json.dumps(body["messages"])
    prompt = _tokens(body)
    if ills.truncates and prompt > ills.window:
        said, prompt = " ".join(said.split()[-ills.window :]), ills.window
    count = 0
    for delta in _deltas(body, said, ills) if ills.says else ():
        count += 1
        yield _chunk(delta)
    calls = "tools" in body and body["messages"][-1]["role"] != "tool"
    if ills.finishes:
        yield _chunk({}, "tool_calls" if calls and ills.tools == "native" else "stop")
    if ills.usage and body.get("stream_options"):
        usage: dict[str, Any] = {"prompt_tokens": prompt, "completion_tokens": count}
        if ills.cache and said[:500] in seen:
            usage["prompt_tokens_details"] = {"cached_tokens": prompt - 20}
        yield {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
               "choices": [], "usage": usage}  # fmt: skip
    seen.add(said[:500])


def _deltas(body: dict[str, Any], said: str, ills: Ills) -> Iterator[dict[str, Any]]:
    if ills.reasoning == "tags":
        yield {"content": "<think>Let me see.</think>"}
    elif ills.reasoning:
        yield {ills.reasoning: "Let me see."}
    if body["messages"][-1]["role"] == "tool":
        yield {"content": "18 degrees; the code word is plover." if ills.reads_results else "Nice."}
    elif "tools" in body:
        yield from _called(body, said, ills)
    elif "image_url" in said:
        yield {"content": "Red." if ills.images == "seen" else "A cat."}
    elif "two thousand" in said:
        for number in range(20_000):
            yield {"content": f"{number}\n"}
            time.sleep(0.001)
    elif "Count" in said:
        words = [f"number {number}\n" for number in range(1, 31)]
        yield from ({"content": word} for word in (["".join(words)] if ills.at_once else words))
    elif "told you first" in said:
        yield {"content": "plover" if "is plover" in said and not ills.forgets else "I don't know."}
    else:
        yield {"content": "ready"}


def _called(body: dict[str, Any], said: str, ills: Ills) -> Iterator[dict[str, Any]]:
    cities = ["Paris", "Rome"] if "Rome" in said and ills.parallel else ["Paris"]
    forced = body.get("tool_choice") not in (None, "auto")
    if ills.tools == "text":
        yield {"content": '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n'}
        yield {"content": "</tool_call>"}
    elif ills.tools == "prose":
        yield {"content": "Call get_weather for Paris:\n```python\nget_weather('Paris')\n```\n"}
    elif ills.tools == "ignored" or (ills.tools == "forced" and not forced):
        yield {"content": "I can't look that up, but spring is mild there."}
    else:
        parts = ['{"city": ', "Par"] if ills.tools == "broken" else None
        for index, city in enumerate(cities):
            yield _call(index, f"call_{index}", "get_weather", "")
            for part in parts or ['{"city": ', f'"{city}"}}']:
                yield _call(index, None, None, part)


def _call(index: int, id: str | None, name: str | None, arguments: str) -> dict[str, Any]:
    function = {"arguments": arguments} | ({"name": name} if name else {})
    entry = {"index": index, "function": function} | ({"id": id, "type": "function"} if id else {})
    return {"tool_calls": [entry]}


def _chunk(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [choice]}  # fmt: skip
