"""GET / and the page's files: what a browser gets, and nobody else; and under which name."""

import re
from typing import Any

import pytest

from fcc.server.page.files import FILES
from fcc.settings.config import Config, ServerOptions
from tests.conftest import Ask, app_of

CHROMIUM = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;"
    "q=0.8,application/signed-exchange;v=b3;q=0.7"
)
BROWSER = {"Accept": CHROMIUM}
GUARDED = Config(auth_token="the-token")


async def html(client: Any, **headers: str) -> str:
    response = await client.get("/", headers=BROWSER | headers)
    assert response.status == 200
    assert response.content_type == "text/html"
    return await response.text()


@pytest.mark.parametrize(
    "accept",
    [
        None, "", "*/*", "application/json", "text/plain", "application/json, text/html",
        "text/html;q=0.5, application/json", "text/html;q=0", "text/html; q=x", "text/*",
        "application/json, text/plain, */*", ";;,,q=1",
    ],
)  # fmt: skip
async def test_who_does_not_ask_for_html_gets_the_words(connect: Ask, accept: str | None) -> None:
    client = await connect()
    usual = await (await client.get("/")).text()
    response = await client.get("/", headers={} if accept is None else {"Accept": accept})
    assert response.status == 200
    assert response.content_type == "text/plain"
    assert await response.text() == usual
    assert "Claude Code on Test" in usual
    assert response.headers["Vary"] == "Accept"


@pytest.mark.parametrize(
    "accept", [CHROMIUM, "text/html", "TEXT/HTML", "text/html, application/json;q=0.9"]
)
async def test_a_browser_gets_the_page(connect: Ask, accept: str) -> None:
    response = await (await connect()).get("/", headers={"Accept": accept})
    assert response.content_type == "text/html"
    assert response.charset == "utf-8"
    assert response.headers["Vary"] == "Accept"
    assert (await response.text()).startswith("<!doctype html>")


@pytest.mark.parametrize("path", ["/", *FILES])
async def test_nothing_of_the_page_comes_from_elsewhere_or_is_written_into_it(
    connect: Ask, path: str
) -> None:
    response = await (await connect()).get(path, headers=BROWSER)
    policy = dict(
        part.split(" ", 1) for part in response.headers["Content-Security-Policy"].split("; ")
    )
    assert policy == {
        "default-src": "'none'", "script-src": "'self'", "style-src": "'self'",
        "connect-src": "'self'", "img-src": "'self'", "base-uri": "'none'",
        "frame-ancestors": "'none'", "form-action": "'none'",
    }  # fmt: skip
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    text = await response.text()
    addresses = re.findall(r"https?://[^\s\"'<>]+", text)
    assert set(addresses) <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"\son\w+=|\sstyle=|<style|javascript:|innerHTML|eval\(", text)


async def test_every_file_that_the_page_names_is_there(connect: Ask) -> None:
    client = await connect()
    named = {f"/{name}" for name in re.findall(r'(?:href|src)="(fcc/[^"]+)"', await html(client))}
    assert named == set(FILES)
    for path in named:
        assert (await client.get(path)).status == 200


async def test_the_page_is_small(connect: Ask) -> None:
    client = await connect()
    sizes = [len(await (await client.get(path, headers=BROWSER)).read()) for path in ("/", *FILES)]
    assert sum(sizes) < 30_000


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/fcc/page.css", "text/css"), ("/fcc/page.js", "text/javascript"),
        ("/fcc/icon.svg", "image/svg+xml"), ("/", "text/html"),
    ],
)  # fmt: skip
async def test_a_file_that_is_known_is_not_sent_again(connect: Ask, path: str, kind: str) -> None:
    client = await connect()
    first = await client.get(path, headers=BROWSER)
    assert first.content_type == kind
    tag = first.headers["ETag"]
    for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        again = await client.get(path, headers=BROWSER | {"If-None-Match": known})
        assert (again.status, await again.read()) == (304, b"")
        assert again.headers["ETag"] == tag
    other = await client.get(path, headers=BROWSER | {"If-None-Match": '"other"'})
    assert (other.status, await other.read()) == (200, await first.read())


async def test_every_id_that_the_module_looks_for_is_on_the_page_once(connect: Ask) -> None:
    client = await connect()
    page, module = await html(client), await (await client.get("/fcc/page.js")).text()
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    wanted = {*re.findall(r'\$\("([^"]+)"\)', module), *re.findall(r'table\("([^"]+)"', module)}
    assert wanted <= set(ids)
    for words in re.findall(r'(?:labelledby|describedby|for)="([^"]+)"', page):
        assert set(words.split()) <= set(ids)


async def test_that_requests_are_not_noted_stands_under_a_heading_of_its_own(connect: Ask) -> None:
    client = await connect()
    page, module = await html(client), await (await client.get("/fcc/page.js")).text()
    (section,) = [part for part in page.split("</section>") if "observe = false" in part]
    shown = section[section.index("<section") :]
    assert shown.startswith('<section id="unobserved" aria-labelledby="unobserved-title" hidden>')
    assert '<h2 id="unobserved-title">Requests are not noted</h2>' in shown
    assert '$("unobserved").hidden = observed;' in module


async def test_the_page_asks_for_a_token_only_where_one_is_wanted(connect: Ask) -> None:
    assert "data-locked" in await html(await connect(app_of(config=GUARDED)))
    assert "data-locked" not in await html(await connect())


async def test_the_page_is_loaded_without_a_token_and_what_it_shows_is_not(connect: Ask) -> None:
    client = await connect(app_of(config=GUARDED))
    await html(client)
    for path in FILES:
        assert (await client.get(path)).status == 200
    assert (await client.get("/fcc/live")).status == 401
    assert (await client.get("/fcc/live", headers={"Authorization": "Bearer wrong"})).status == 401


HERE = ["127.0.0.1:8082", "localhost:8082", "LOCALHOST", "localhost.", "[::1]:8082", "192.168.1.5",
        "fcc.localhost:1"]  # fmt: skip
ELSEWHERE = ["evil.example:8082", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example",
             "notlocalhost", "", "[::1", "0x7f.1"]  # fmt: skip


@pytest.mark.parametrize("host", HERE)
async def test_the_page_is_shown_under_a_name_that_nobody_else_can_give(
    connect: Ask, host: str
) -> None:
    client = await connect()
    await html(client, Host=host)
    response = await client.get("/fcc/live", headers={"Host": host})
    assert response.status == 200
    response.close()


@pytest.mark.parametrize("path", ["/", "/fcc/live", "/fcc/page.js"])
@pytest.mark.parametrize("host", ELSEWHERE)
async def test_the_page_is_not_shown_under_a_name_of_elsewhere(
    connect: Ask, path: str, host: str
) -> None:
    client = await connect()
    response = await client.get(path, headers=BROWSER | {"Host": host})
    assert response.status == 403
    assert "http://127.0.0.1:8082" in (await response.json())["error"]["message"]


@pytest.mark.parametrize("path", ["/", "/health", "/v1/models"])
async def test_who_is_no_browser_may_use_any_name(connect: Ask, path: str) -> None:
    app = app_of()
    response = await (await connect(app)).get(path, headers={"Host": "gateway.internal"})
    assert response.status != 403


@pytest.mark.parametrize("path", ["/status", "/metrics"])
@pytest.mark.parametrize("host", [*ELSEWHERE, "gateway.internal:8082"])
async def test_what_the_daemon_tells_of_itself_is_not_told_under_a_name_of_elsewhere(
    connect: Ask, path: str, host: str
) -> None:
    response = await (await connect()).get(path, headers={"Host": host})
    assert response.status == 403
    words = (await response.json())["error"]["message"]
    assert path in words
    assert "http://127.0.0.1:8082" in words
    assert "set auth_token in config.toml" in words


@pytest.mark.parametrize("path", ["/status", "/metrics"])
@pytest.mark.parametrize("host", HERE)
async def test_what_the_daemon_tells_of_itself_is_told_under_its_own_names(
    connect: Ask, path: str, host: str
) -> None:
    assert (await (await connect()).get(path, headers={"Host": host})).status == 200


@pytest.mark.parametrize("path", ["/status", "/metrics"])
async def test_a_scraper_with_the_token_may_use_any_name(connect: Ask, path: str) -> None:
    client = await connect(app_of(config=GUARDED))
    named = {"Host": "gateway.internal:8082"}
    assert (await client.get(path, headers=named)).status == 401
    with_token = named | {"Authorization": "Bearer the-token"}
    assert (await client.get(path, headers=with_token)).status == 200


async def test_the_name_that_was_configured_is_a_name_of_ours(connect: Ask) -> None:
    config = Config(server=ServerOptions(host="MyBox"))
    await html(await connect(app_of(config=config)), Host="mybox:8082")


async def test_with_a_token_any_name_will_do(connect: Ask) -> None:
    client = await connect(app_of(config=GUARDED))
    await html(client, Host="home.example")
    headers = {"Host": "home.example", "Authorization": "Bearer the-token"}
    response = await client.get("/fcc/live", headers=headers)
    assert response.status == 200
    response.close()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "HEAD"])
async def test_nothing_can_be_changed_there(connect: Ask, method: str) -> None:
    client = await connect()
    assert (await client.request(method, "/fcc/live")).status == 405
    if method != "HEAD":
        assert (await client.request(method, "/", headers=BROWSER)).status == 405
