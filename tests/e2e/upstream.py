"""What stands in for the provider: a scripted, strict Chat Completions server on a free port.

Every request is judged as strictly as OpenAI would and recorded; a body that breaks a rule gets
400 and stays in the record, so that a test can say that none did. What is answered is decided
by the cue in the conversation (`tests/e2e/script.py`). Options of the cue that are read here:

| option | values |
|---|---|
| status | answer with this HTTP status and an OpenAI error object |
| retry_after | the seconds of its Retry-After header |
| times | how many answers the status or the fault spoils; without it, all |
| anew | 1: count them for every state of the conversation by itself |
| empty | 1: a stream of nothing but [DONE] |
| overflow | the context window is full from this step on, until the client has compacted |
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import Any, Self

from aiohttp import web

from tests.e2e.plays import reply
from tests.e2e.script import Cue, Scene, overflows, scene
from tests.e2e.wire import FAULT, Act, Answer, Break
from tests.strict import Rules, problems

MODEL = "scripted-model"
OTHER_MODEL = "scripted-small"
KEY = "upstream-key"
WINDOW = 131_072
TOO_LONG = (
    f"This model's maximum context length is {WINDOW} tokens. However, your messages resulted in "
    "140000 tokens. Please reduce the length of the messages."
)


@dataclass
class Asked:
    """One request as it arrived, and how its answer ended."""

    body: dict[str, Any]
    headers: dict[str, str]
    cue: Cue = field(default_factory=Cue)
    step: int = 0
    violations: list[str] = field(default_factory=list)
    status: int = 0
    writes: int = 0
    """Writes of the answer so far."""
    end: str = ""
    """Empty while the answer goes on; then complete, broken, refused or left (by the asker)."""


class Upstream:
    """The server in a thread of its own: `with Upstream() as upstream:`."""

    def __init__(self) -> None:
        self.url = ""
        self._record: list[Asked] = []
        self._spoilt: Counter[str] = Counter()
        self._changed = Condition()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    def __enter__(self) -> Self:
        self._thread.start()
        self._until(lambda: self.url != "", 10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    # For tests, in their own thread.

    def asked(self, run: str) -> list[Asked]:
        """The requests whose cue bears `run`, oldest first."""
        with self._changed:
            return [asked for asked in self._record if asked.cue.get("run") == run]

    def violations(self) -> list[str]:
        """What any request did that a strict provider refuses."""
        with self._changed:
            return [text for asked in self._record for text in asked.violations]

    def until(self, run: str, wanted: Callable[[Asked], bool], seconds: float) -> Asked | None:
        """The newest request of `run`, once it is as `wanted`; None if that takes too long."""
        last: list[Asked] = []

        def arrived() -> bool:
            last[:] = [asked for asked in self._record if asked.cue.get("run") == run][-1:]
            return bool(last) and wanted(last[0])

        return last[0] if self._until(arrived, seconds) else None

    def _until(self, wanted: Callable[[], bool], seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(wanted, seconds)

    # In the server's thread.

    def _note(self, asked: Asked | None = None, **changes: Any) -> None:
        with self._changed:
            if asked is not None:
                for name, value in changes.items():
                    setattr(asked, name, value)
            self._changed.notify_all()

    async def _serve(self) -> None:
        app = web.Application(client_max_size=1 << 28)
        app.router.add_post("/v1/chat/completions", self._answer)
        app.router.add_get("/v1/models", _models)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/v1"
        self._note()
        await self._stop.wait()
        await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        asked = Asked(json.loads(raw), dict(request.headers))
        asked.violations = _judge(request, asked.body)
        seen = scene(asked.body) if not asked.violations else Scene()
        asked.cue, asked.step = seen.cue, seen.step
        with self._changed:
            self._record.append(asked)
        refusal = self._refusal(asked, seen)
        if refusal is not None:
            self._note(asked, status=refusal.status, end="refused")
            return refusal
        if not asked.body.get("stream"):
            return self._whole(asked, self._prepared(asked, seen))
        return await self._stream(request, asked, seen)

    def _refusal(self, asked: Asked, seen: Scene) -> web.Response | None:
        if asked.headers.get("Authorization") != f"Bearer {KEY}":
            return _error(401, "Incorrect API key provided", "invalid_api_key")
        if asked.violations:
            return _error(400, "; ".join(asked.violations), None)
        status = int(seen.cue.get("status", "0"))
        if status and self._spoils(seen):
            after = seen.cue.get("retry_after")
            headers = {"Retry-After": after} if after else {}
            return _error(status, f"scripted refusal {status}", None, headers)
        if overflows(seen):
            return _error(400, TOO_LONG, "context_length_exceeded")
        return None

    def _spoils(self, seen: Scene) -> bool:
        """Whether this one is among the answers that go wrong."""
        key = seen.cue.get("run") + (seen.said if seen.cue.get("anew") else "")
        self._spoilt[key] += 1
        return self._spoilt[key] <= int(seen.cue.get("times", "1000000"))

    def _prepared(self, asked: Asked, seen: Scene) -> Answer:
        cue = seen.cue
        if cue.get("fault") and not self._spoils(seen):
            cue = Cue(cue.name, {k: v for k, v in cue.options.items() if k != "fault"})
        tokens = len(json.dumps(asked.body)) // 4
        usage = {
            "prompt_tokens": tokens,
            "completion_tokens": 20,
            "total_tokens": tokens + 20,
            "prompt_tokens_details": {"cached_tokens": tokens // 2},
        }
        ident = f"{id(asked):x}"
        return Answer(reply(seen), cue, asked.body["model"], ident, usage)

    def _whole(self, asked: Asked, answer: Answer) -> web.Response:
        if answer.cue.get("fault") or answer.cue.get("empty"):
            self._note(asked, status=502, end="refused")
            return _error(502, FAULT, None)
        self._note(asked, status=200, end="complete")
        return web.json_response(answer.message())

    async def _stream(self, request: web.Request, asked: Asked, seen: Scene) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        self._note(asked, status=200)
        await response.prepare(request)
        acts: list[Act] = [b"data: [DONE]\n\n"]
        if not seen.cue.get("empty"):
            acts = self._prepared(asked, seen).acts()
        try:
            end = await self._play(request, response, asked, acts)
        except (ConnectionResetError, asyncio.CancelledError):
            self._note(asked, end="left")
            raise
        self._note(asked, end=end)
        return response

    async def _play(
        self, request: web.Request, response: web.StreamResponse, asked: Asked, acts: list[Act]
    ) -> str:
        for act in acts:
            if isinstance(act, bytes):
                await response.write(act)
                self._note(asked, writes=asked.writes + 1)
            elif isinstance(act, float):
                await asyncio.sleep(act)
            elif act is Break.RESET:
                assert request.transport is not None
                request.transport.abort()
                return "broken"
            else:
                return "broken"
        await response.write_eof()
        return "complete"


def _judge(request: web.Request, body: dict[str, Any]) -> list[str]:
    found = problems(body, Rules(alternate=True))
    if request.content_type != "application/json":
        found.append(f"content type {request.content_type}")
    if body.get("model") not in (MODEL, OTHER_MODEL):
        found.append(f"model {body.get('model')!r} does not exist")
    return found


def _error(
    status: int, message: str, code: str | None, headers: dict[str, str] | None = None
) -> web.Response:
    kind = "invalid_request_error" if status < 500 else "server_error"
    error = {"message": message, "type": kind, "param": None, "code": code}
    return web.json_response({"error": error}, status=status, headers=headers)


async def _models(_: web.Request) -> web.Response:
    data = [
        {
            "id": name,
            "object": "model",
            "created": 1,
            "owned_by": "nobody",
            "context_length": WINDOW,
        }
        for name in (MODEL, OTHER_MODEL)
    ]
    return web.json_response({"object": "list", "data": data})
