"""The page in a real browser, while requests of every kind run: what it shows is what happened."""

import asyncio
import json
import os
import random
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.e2e.chromium import Line, Tab, chromium, tab
from tests.e2e.daemon import TOKEN, daemon
from tests.e2e.script import cue
from tests.e2e.upstream import MODEL, OTHER_MODEL, Upstream
from tests.planted import planted

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(chromium() is None, reason="there is no Chromium here"),
]

OPUS = "claude-opus-5-5"
CONFIG = (
    f'[models]\nopus = "{MODEL}"\nhaiku = "{OTHER_MODEL}"\n[fallback]\nopus = ["{OTHER_MODEL}"]\n'
)
PROFILE = (
    'title = "scripted"\nbase_url = "{url}"\napi_key_env = "FCC_API_KEY"\n'
    "[retry]\nattempts = 2\nbase = 0.0\n[limits]\nconcurrency = 1\n"
)
PICTURES = os.environ.get("FCC_SCREENSHOTS", "")
"""A folder for pictures of the page, for the documentation."""

STATE = "document.getElementById('state')?.textContent"
ENDED = "[...document.querySelectorAll('#ended tbody tr')].map(r => [...r.cells].map(c => c.textContent))"
OPEN = "[...document.querySelectorAll('#open tbody tr')].map(r => [...r.cells].map(c => c.textContent))"
USAGE = (
    "Object.fromEntries([...document.querySelectorAll('#usage div')]"
    ".map(d => [d.children[0].textContent, d.children[1].textContent]))"
)
ERRORS = "[...document.querySelectorAll('#errors li')].map(li => li.innerText)"


class Truth:
    """What clients were told: requests in the order in which they ended, as rows of the page."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.rows: list[tuple[str, str, str, str, str]] = []
        """Model asked for, who answered, outcome, tokens in and out."""
        self.errors: list[tuple[str, str]] = []
        """Words, request id."""
        self._session = session

    async def ask(self, words: str, **fields: Any) -> dict[str, Any]:
        """The whole message of an answer that is one; what the client got of others."""
        asked = {
            "model": OPUS,
            "max_tokens": 100,
            "messages": [{"role": "user", "content": words}],
        } | fields
        headers = {"x-api-key": TOKEN}
        url = f"{self.url}/v1/messages"
        async with self._session.post(url, json=asked, headers=headers) as response:
            target = response.headers.get("x-fcc-route", "")
            said = await response.text()
            request_id = response.headers["request-id"]
            status = response.status
        told = _streamed(said) if response.content_type == "text/event-stream" else json.loads(said)
        if told["type"] == "error":
            message = told["error"]["message"].removesuffix(f" (request_id={request_id})")
            self.errors.append((message, request_id))
            outcome = told["error"]["type"]
        else:
            outcome = told["stop_reason"]
        usage = told.get("usage", {})
        prompt = usage.get("input_tokens", 0) + usage.get("cache_read_input_tokens", 0)
        tokens = (f"{prompt:,}", f"{usage.get('output_tokens', 0):,}")
        self.rows.append((asked["model"], target, f"{status} {outcome}", *tokens))
        return told


def _streamed(said: str) -> dict[str, Any]:
    """The message that the events amount to, without its content."""
    message: dict[str, Any] = {"type": "message"}
    for data in re.findall(r"^data: (.*)$", said, re.MULTILINE):
        event = json.loads(data)
        match event["type"]:
            case "message_delta":
                message |= {"usage": event["usage"], "stop_reason": event["delta"]["stop_reason"]}
            case "error":
                return event
    return message


async def shown(page: Tab) -> list[tuple[str, ...]]:
    """The last requests, the oldest first: what of a row does not depend on the clock."""
    rows = reversed(await page.evaluate(ENDED))
    return [(row[1], row[2], row[3], row[7], row[9].removesuffix(" (estimated)")) for row in rows]


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Tab]:
    async with tab(tmp_path / "browser") as page:
        yield page


@pytest.fixture
def home(tmp_path: Path) -> Iterator["Home"]:
    with ExitStack() as stack:
        yield Home(tmp_path, stack)


class Home:
    """Where daemons live, one after the other."""

    def __init__(self, place: Path, stack: ExitStack) -> None:
        self._place, self._stack = place, stack
        self._count = 0

    async def start(self, upstream: Upstream | str) -> str:
        self._count += 1
        there = upstream if isinstance(upstream, str) else upstream.url
        return await asyncio.to_thread(
            self._stack.enter_context,
            daemon(
                self._place / f"daemon{self._count}",
                there,
                config=CONFIG,
                profile=PROFILE.format(url=there),
            ),
        )

    async def stop(self) -> None:
        """The running one, which must end well and soon though a page is open."""
        await asyncio.to_thread(self._stack.close)


async def let_in(page: Tab, url: str) -> None:
    """Open the page and type the token, as a person would."""
    await page.go(url)
    await page.until("document.activeElement?.id", "token")
    await page.write(TOKEN)
    await page.until(STATE, "Connected")


def port(url: str) -> int:
    return urlsplit(url).port or 0


async def every_kind(truth: Truth, run: str) -> None:
    """One after the other, as the page lists requests in the order in which they end."""
    await truth.ask(cue("text", run=f"{run}-ok", reasoning="reasoning_content"), stream=True)
    await truth.ask(cue("text", run=f"{run}-whole"))
    await truth.ask(cue("text", run=f"{run}-again", status=429, times=1), stream=True)
    await truth.ask(cue("text", run=f"{run}-refused", status=404), model="claude-haiku-5-5")
    await truth.ask(cue("text", run=f"{run}-limit", status=429), model="claude-haiku-5-5")
    await truth.ask(cue("text", run=f"{run}-fallback", status=404, times=1), stream=True)
    await truth.ask(cue("text", run=f"{run}-cut", fault="cut"), stream=True)
    await truth.ask(cue("text", run=f"{run}-error", fault="error"), stream=True)
    await truth.ask("quota", max_tokens=1)


# Three daemons and a browser start here, and answers must last long enough to be seen.
@pytest.mark.slow
async def test_the_page_shows_what_happened_before_during_and_after_an_interruption(
    page: Tab, home: Home, upstream: Upstream, run: str
) -> None:
    url = await home.start(upstream)
    line = Line(port(url))
    async with aiohttp.ClientSession() as session, line.listening() as address:
        truth = Truth(url, session)
        await truth.ask(cue("text", run=f"{run}-first"))
        await let_in(page, address)
        await every_kind(truth, run)
        await compare(page, truth)
        await queue(page, truth, run)
        await compare(page, truth)
        assert page.problems == []

        line.cut()
        await page.until(f"{STATE}?.startsWith('Disconnected')")
        assert len(await shown(page)) == len(truth.rows)
        await every_kind(truth, f"{run}-unseen")
        line.mend()
        await page.until(STATE, "Connected")
        await compare(page, truth)

        await home.stop()
        await page.until(f"{STATE}?.startsWith('Disconnected')")
        url = await home.start(upstream)
        line.mend(port(url))
        await page.until(STATE, "Connected")
        assert await shown(page) == []
        truth = Truth(url, session)
        await every_kind(truth, f"{run}-restarted")
        await compare(page, truth)
    # What the browser itself says of a connection that it could not have.
    assert {said.partition("net::")[0] for said in page.problems} <= {
        "network: Failed to load resource: "
    }


def rows_of(truth: Truth) -> list[tuple[str, ...]]:
    """An answer of fcc's own took no tokens, and ended for no model's reason."""
    return [
        (asked, target, words, *tokens)
        if target or not words.startswith("200")
        else (asked, "fcc (quota)", "200", "0", "0")
        for asked, target, words, *tokens in truth.rows
    ]


async def compare(page: Tab, truth: Truth) -> None:
    """Row by row, error by error, and the sums."""
    await page.until("document.querySelectorAll('#ended tbody tr').length", len(truth.rows))
    for row, wanted in zip(await shown(page), rows_of(truth), strict=True):
        # Of what failed no client is told which route was the last, nor what it took.
        told = slice(0, 5) if not wanted[2].endswith("_error") else slice(0, 3, 2)
        assert row[told] == wanted[told]
    errors = await page.evaluate(ERRORS)
    assert len(errors) == min(len(truth.errors), 10)
    for said, (words, request_id) in zip(errors, reversed(truth.errors), strict=False):
        assert words in said
        assert request_id in said
        assert "Next: " in said
    usage = await page.evaluate(USAGE)
    failed = sum(row[2].endswith("_error") for row in truth.rows)
    assert usage["Requests since start"] == f"{len(truth.rows)} ({failed} failed)"
    assert usage["Client left"] == "0"


SEE_STATES = """
window.seen = [];
const body = document.querySelector('#open tbody');
new MutationObserver(() => {
  const states = [...body.rows].map((row) => row.cells[1].textContent.replace(/,.*/, '')).join();
  if (states !== seen.at(-1)) seen.push(states);
}).observe(body, { childList: true, subtree: true, characterData: true });
"""


async def queue(page: Tab, truth: Truth, run: str) -> None:
    """Three at once where one may be asked: the others wait, and then are asked in turn."""
    await page.evaluate(SEE_STATES)
    names = [f"{run}-slow{at}" for at in range(3)]
    asking = [
        asyncio.create_task(truth.ask(cue("text", run=name, pause=0.15), stream=True))
        for name in names
    ]
    await page.until("seen.at(-1)", "streaming,waiting for a turn,waiting for a turn")
    row = (await page.evaluate(OPEN))[0]
    assert row[0] == OPUS
    assert row[3] == f"custom/{MODEL}"
    await page.until(f"parseFloat({OPEN}[0]?.[2]) > {float(row[2])}")
    for scheme in ("light", "dark"):
        await picture(page, scheme)
    await asyncio.gather(*asking)
    await page.until("document.querySelectorAll('#open tbody tr').length", 0)
    seen = [states for states in await page.evaluate("seen") if "asked" not in states]
    longest = seen.index("streaming,waiting for a turn,waiting for a turn")
    assert seen[longest + 1 :] == ["streaming,waiting for a turn", "streaming", ""]
    waited = [float(row[5]) for row in (await page.evaluate(ENDED))[:3]]
    assert waited == sorted(waited, reverse=True)
    assert waited[0] > 0


async def picture(page: Tab, scheme: str) -> None:
    await page.look(scheme, height=1000)
    taken = await page.picture()
    assert taken.startswith(b"\x89PNG")
    assert len(taken) < 130_000
    if PICTURES:
        Path(PICTURES).mkdir(parents=True, exist_ok=True)
        (Path(PICTURES) / f"page-{scheme}.png").write_bytes(taken)


@pytest.mark.slow  # A daemon and a browser start.
async def test_the_token_is_asked_for_kept_for_the_tab_alone_and_asked_again_when_wrong(
    page: Tab, home: Home, upstream: Upstream
) -> None:
    url = await home.start(upstream)
    await page.go(f"{url}/")
    await page.until("document.activeElement?.id", "token")
    assert await page.evaluate("document.getElementById('shown').hidden")
    assert page.problems == []
    await page.write("not-the-token")
    await page.until(
        "document.getElementById('door-words').textContent", "That is not the token of this fcc."
    )
    assert await page.evaluate("sessionStorage.length + localStorage.length") == 0
    await page.until("document.activeElement?.id", "token")
    await page.write(TOKEN)
    await page.until(STATE, "Connected")
    assert await page.evaluate("document.getElementById('door').hidden")
    assert await page.evaluate("Object.values(sessionStorage).join()") == TOKEN
    assert await page.evaluate("localStorage.length + document.cookie.length") == 0
    assert await page.evaluate("location.href") == f"{url}/"
    await page.go(f"{url}/")
    await page.until(STATE, "Connected")
    assert len(page.problems) == 1
    assert "401" in page.problems[0]


CONTRAST = """
(() => {
  const channel = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const light = (c) => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number).map(channel);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = (n) => { for (; n; n = n.parentElement) { const c = getComputedStyle(n).backgroundColor;
    if (!/, 0\\)$/.test(c) && c !== 'transparent') return c; } return 'rgb(255, 255, 255)'; };
  const found = [];
  for (const node of document.querySelectorAll('body *')) {
    const words = [...node.childNodes].some((c) => c.nodeType === 3 && c.data.trim());
    if (!words || !node.checkVisibility()) continue;
    const style = getComputedStyle(node);
    const ink = node.closest('svg') ? style.fill : style.color;
    const [a, b] = [light(ink), light(ground(node))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.push(`${node.tagName}.${node.className}: ${ratio.toFixed(2)}`);
  }
  return found;
})()
"""

NAMELESS = """
[...document.querySelectorAll('table')].filter((t) => !t.caption || !t.querySelector('thead th[scope=col]')).length
+ [...document.querySelectorAll('section')].filter((s) => !document.getElementById(s.getAttribute('aria-labelledby'))).length
+ [...document.querySelectorAll('input')].filter((i) => !i.labels.length).length
+ (document.querySelectorAll('h1').length - 1) + (document.querySelectorAll('main').length - 1)
"""

MOVED = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.mark.slow  # A daemon and a browser start.
async def test_the_page_can_be_read_by_everybody_on_every_screen(
    page: Tab, home: Home, upstream: Upstream, run: str
) -> None:
    url = await home.start(upstream)
    async with aiohttp.ClientSession() as session:
        truth = Truth(url, session)
        await every_kind(truth, run)
    await let_in(page, f"{url}/")
    await page.until("document.querySelectorAll('#ended tbody tr').length", len(truth.rows))
    for scheme in ("light", "dark"):
        for width in (1200, 360):
            await page.look(scheme, width)
            assert await page.evaluate(CONTRAST) == []
            assert await page.evaluate(MOVED) is False
    grounds = set()
    for scheme in ("light", "dark"):
        await page.look(scheme)
        grounds.add(await page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(grounds) == 2
    assert await page.evaluate(NAMELESS) == 0
    assert await page.evaluate("document.querySelectorAll('#plot circle, #plot .cross').length") > 0
    assert "half within" in await page.evaluate("document.getElementById('plot-words').textContent")
    await page.press("Tab")
    assert await page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert page.problems == []


@pytest.mark.slow  # A daemon and a browser start.
async def test_what_did_not_change_is_not_touched(
    page: Tab, home: Home, upstream: Upstream, run: str
) -> None:
    url = await home.start(upstream)
    async with aiohttp.ClientSession() as session:
        truth = Truth(url, session)
        await truth.ask(cue("text", run=f"{run}-one"))
        await let_in(page, f"{url}/")
        await page.until("document.querySelectorAll('#ended tbody tr').length", 1)
        await page.evaluate(
            "window.row = document.querySelector('#ended tbody tr'); window.touched = 0;"
            "new MutationObserver((all) => { window.touched += all.length })"
            ".observe(row, { childList: true, subtree: true, characterData: true, attributes: true })"
        )
        await truth.ask(cue("text", run=f"{run}-two"))
        await page.until("document.querySelectorAll('#ended tbody tr').length", 2)
        assert await page.evaluate("document.querySelector('#ended tbody').rows[1] === row")
        assert await page.evaluate("touched") == 0
    assert page.problems == []


HIDE = """
Object.defineProperty(document, 'hidden', { value: %s, configurable: true });
document.dispatchEvent(new Event('visibilitychange'));
"""


@pytest.mark.slow  # A daemon and a browser start.
async def test_a_tab_that_nobody_sees_gives_its_place_back_and_comes_again(
    page: Tab, home: Home, upstream: Upstream, run: str
) -> None:
    url = await home.start(upstream)
    headers = {"x-api-key": TOKEN}
    async with aiohttp.ClientSession(headers=headers) as session:
        truth = Truth(url, session)
        await let_in(page, f"{url}/")
        await page.evaluate(HIDE % "true")
        await page.until(f"{STATE}?.startsWith('Disconnected')")
        await truth.ask(cue("text", run=run))
        others = [await session.get(f"{url}/fcc/live") for _ in range(16)]
        assert [other.status for other in others] == [200] * 16
        await page.evaluate(HIDE % "false")
        await page.until(f"{STATE}?.startsWith('Refused: 16 pages')")
        for other in others:
            other.close()
        await page.until(STATE, "Connected")
        await compare(page, truth)


@pytest.mark.slow  # A daemon and a browser start.
async def test_no_secret_of_a_prompt_a_header_or_an_error_is_on_the_page(
    page: Tab, home: Home
) -> None:
    seed = random.randrange(10**9)
    secrets = random.Random(seed).sample(planted(seed), 24)
    told = iter(secrets)

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        said = next(told).text
        return web.json_response(
            {"error": {"message": f"{said} is wrong", "code": said}}, status=400
        )

    app = web.Application()
    app.router.add_post("/v1/chat/completions", answer)
    async with TestServer(app) as provider, aiohttp.ClientSession() as session:
        url = await home.start(str(provider.make_url("/v1")))
        await let_in(page, f"{url}/")
        for number, one in enumerate(secrets, 1):
            flat = " ".join(one.text.split()).encode("ascii", "replace").decode()
            headers = {"x-api-key": TOKEN, "User-Agent": flat, "x-claude-code-session-id": flat}
            turns = [{"role": "user", "content": one.text}]
            asked = {"model": f"haiku {one.text}", "max_tokens": 9, "messages": turns}
            await (await session.post(f"{url}/v1/messages", json=asked, headers=headers)).read()
            if number % 8 == 0:
                await page.until("document.querySelectorAll('#ended tbody tr').length", number)
                text = await page.evaluate(
                    "document.documentElement.outerHTML + document.body.innerText"
                )
                assert [found for one in secrets if (found := one.shown(text))] == [], seed
        assert len(await page.evaluate(ERRORS)) == 10
        assert TOKEN not in await page.evaluate("document.documentElement.outerHTML")
