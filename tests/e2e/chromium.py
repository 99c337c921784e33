"""A headless Chromium, spoken to over its DevTools protocol, and a line to the daemon that can be cut.

Protocol: https://chromedevtools.github.io/devtools-protocol/.
"""

import asyncio
import base64
import itertools
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-port=0",
)  # fmt: skip
_START = 30.0
"""Seconds to be ready; it takes one or two."""
_PATIENCE = 20.0
"""Seconds for what a test waits for on a page."""


def chromium() -> str | None:
    """The program, if there is one."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


class Tab:
    """A page that is open: `evaluate`, `until`, and what went wrong in it."""

    def __init__(self, wire: aiohttp.ClientWebSocketResponse) -> None:
        self._wire = wire
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._session = ""
        self.problems: list[str] = []
        """Errors and warnings of the console, and exceptions that nobody caught."""

    async def open(self) -> None:
        """A tab of its own."""
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            await self.call(f"{domain}.enable")

    async def listen(self) -> None:
        """Take what comes, for as long as there is a connection."""
        async for message in self._wire:
            said = json.loads(message.data)
            waiting = self._answers.pop(said.get("id", 0), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(said)
            self._note(said)

    def _note(self, said: dict[str, Any]) -> None:
        told = said.get("params", {})
        match said.get("method"):
            case "Runtime.exceptionThrown":
                details = told["exceptionDetails"]
                self.problems.append(f"exception: {details.get('exception', details)}")
            case "Runtime.consoleAPICalled" if told["type"] in ("error", "warning", "assert"):
                self.problems.append(f"console: {told['args']}")
            case "Log.entryAdded" if told["entry"]["level"] in ("error", "warning"):
                self.problems.append(f"{told['entry']['source']}: {told['entry']['text']}")

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        asked = {"id": number, "method": method, "params": params}
        await self._wire.send_json(asked | ({"sessionId": self._session} if self._session else {}))
        said = await asyncio.wait_for(self._answers[number], _PATIENCE)
        assert "error" not in said, f"{method}: {said['error']}"
        return said["result"]

    async def evaluate(self, expression: str) -> Any:
        """The value of the expression in the page."""
        said = await self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in said, said["exceptionDetails"]
        return said["result"].get("value")

    async def until(self, expression: str, wanted: Any = True) -> Any:
        """The expression's value, once it is as wanted."""
        loop = asyncio.get_running_loop()
        limit = loop.time() + _PATIENCE
        while (found := await self.evaluate(expression)) != wanted:
            if loop.time() > limit:
                text = await self.evaluate("document.body.innerText")
                raise AssertionError(f"{expression} is {found!r}, not {wanted!r}, on\n{text}")
            await asyncio.sleep(0.05)
        return found

    async def go(self, url: str) -> None:
        await self.call("Page.navigate", url=url)

    async def write(self, text: str, key: str = "Enter") -> None:
        """Type `text` where the focus is, and a key behind it."""
        await self.call("Input.insertText", text=text)
        await self.press(key)

    async def press(self, key: str) -> None:
        code = {"Enter": 13, "Tab": 9}[key]
        pressed = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        text = {"text": "\r"} if key == "Enter" else {}
        await self.call("Input.dispatchKeyEvent", type="keyDown", **pressed, **text)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **pressed)

    async def look(self, scheme: str, width: int = 1200, height: int = 900) -> None:
        """As somebody would see it who prefers this scheme, on a screen of this size."""
        preferred = [{"name": "prefers-color-scheme", "value": scheme}]
        await self.call("Emulation.setEmulatedMedia", features=preferred)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self.call("Emulation.setDeviceMetricsOverride", **size)

    async def picture(self) -> bytes:
        """What is seen, as PNG."""
        said = await self.call("Page.captureScreenshot", format="png")
        return base64.b64decode(said["data"])


@asynccontextmanager
async def tab(home: Path) -> AsyncIterator[Tab]:
    """A page of a browser of its own, whose profile is in `home`."""
    program = chromium()
    assert program is not None
    process = await asyncio.create_subprocess_exec(
        program, *_OPTIONS, f"--user-data-dir={home}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        address = await _address(home / "DevToolsActivePort")
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(address, max_msg_size=0) as wire:
                found = Tab(wire)
                listening = asyncio.create_task(found.listen())
                await found.open()
                yield found
            listening.cancel()
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 10)
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _address(told: Path) -> str:
    """Chromium writes its port and path when it is ready."""
    loop = asyncio.get_running_loop()
    limit = loop.time() + _START
    while loop.time() < limit:
        lines = told.read_text().splitlines() if told.exists() else []
        if len(lines) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        await asyncio.sleep(0.05)
    raise AssertionError("Chromium did not start")


class Line:
    """A relay before a daemon: `cut()` breaks every connection and lets none in, `mend()` does."""

    def __init__(self, port: int) -> None:
        self.to = port
        """The daemon's port; may be another's after a restart."""
        self.port = 0
        self._broken = False
        self._writers: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """The URL."""
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{self.port}/"
        finally:
            self.cut()
            server.close()

    def cut(self) -> None:
        self._broken = True
        for writer in list(self._writers):
            writer.transport.abort()

    def mend(self, port: int | None = None) -> None:
        self._broken = False
        self.to = port or self.to

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._broken:
                raise ConnectionRefusedError
            there, away = await asyncio.open_connection("127.0.0.1", self.to)
        except ConnectionError:
            writer.transport.abort()
            return
        self._writers |= {writer, away}
        await asyncio.gather(_pump(reader, away), _pump(there, writer))
        self._writers -= {writer, away}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while raw := await reader.read(65536):
            writer.write(raw)
            await writer.drain()
    writer.close()
