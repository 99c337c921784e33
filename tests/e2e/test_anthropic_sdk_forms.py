"""Are the official SDK's own forms taken: of keys, documents, and answers that obey a schema?"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from anthropic import Anthropic, DefaultHttpxClient
from pydantic import BaseModel

from tests.e2e.daemon import TOKEN
from tests.e2e.script import TRICKY, cue
from tests.e2e.sdk import MODEL, SDK, answer, ask, body_of, texts
from tests.e2e.upstream import Upstream
from tests.pdf_files import pdf_base64

pytestmark = pytest.mark.e2e

VERSIONS = {1: "2023-06-01", 2: "2026-10-21"}
"""The API version of each major version of the SDK."""


@pytest.fixture
def sent() -> list[Any]:
    """The requests as they left the SDK."""
    return []


@pytest.fixture
def transport(sent: list[Any]) -> Iterator[Any]:
    hooks = {"request": [sent.append]}
    with DefaultHttpxClient(trust_env=False, event_hooks=hooks) as transport:
        yield transport


@pytest.mark.parametrize(
    ("credential", "headers"),
    [
        # The second API version has one form for both.
        ({"api_key": TOKEN}, ({"x-api-key": TOKEN}, {"authorization": f"Bearer {TOKEN}"})),
        ({"auth_token": TOKEN}, 2 * ({"authorization": f"Bearer {TOKEN}"},)),
    ],
    ids=["api_key", "auth_token"],
)
def test_the_sdks_own_header_of_the_key_is_taken(
    url: str,
    run: str,
    transport: Any,
    sent: list[Any],
    credential: dict[str, str],
    headers: tuple[dict[str, str], dict[str, str]],
) -> None:
    client = Anthropic(base_url=url, http_client=transport, max_retries=0, **credential)
    assert texts(client.messages.create(**ask(cue("text", run=run)))) == [answer(run)]
    assert client.messages.count_tokens(model=MODEL, messages=ask("Hi.")["messages"]).input_tokens
    assert client.models.list(limit=1).data
    assert len(sent) == 3
    for request in sent:
        known = {name: request.headers.get(name) for name in ("x-api-key", "authorization")}
        assert {name: value for name, value in known.items() if value} == headers[SDK - 1]
        assert request.headers["anthropic-version"] == VERSIONS[SDK]


DOCUMENTS: dict[str, dict[str, Any]] = {
    "pdf": {
        "type": "base64",
        "media_type": "application/pdf",
        "data": pdf_base64("Page one says aardvark.", "Page two says zebra."),
    },
    "text": {"type": "text", "media_type": "text/plain", "data": f"aardvark {TRICKY} zebra"},
    "content": {
        "type": "content",
        "content": [{"type": "text", "text": word} for word in ("aardvark", "zebra")],
    },
}


@pytest.mark.parametrize("kind", DOCUMENTS)
@pytest.mark.parametrize("place", ["prompt", "tool_result"])
def test_the_text_of_a_document_goes_up_with_its_title(
    client: Anthropic, upstream: Upstream, run: str, kind: str, place: str
) -> None:
    document = {
        "type": "document",
        "source": DOCUMENTS[kind],
        "title": "Of animals",
        "context": "A field guide",
    }
    prompt = {"type": "text", "text": cue("text", run=run)}
    messages: list[Any] = [{"role": "user", "content": [document, prompt]}]
    if place == "tool_result":
        use = {"type": "tool_use", "id": "toolu_1", "name": "fetch", "input": {}}
        result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [document]}
        messages = [
            {"role": "user", "content": [prompt]},
            {"role": "assistant", "content": [use]},
            {"role": "user", "content": [result]},
        ]
    assert texts(client.messages.create(**ask("", messages=messages))) == [answer(run)]
    told = json.dumps(body_of(upstream, run)["messages"], ensure_ascii=False)
    places = [told.find(word) for word in ("Of animals", "aardvark", "zebra")]
    assert places == sorted(places)
    assert min(places) >= 0
    assert "A field guide" in told


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_a_document_counts_as_tokens(client: Anthropic, kind: str) -> None:
    prompt = {"type": "text", "text": "What is it about?"}
    document = {"type": "document", "source": DOCUMENTS[kind]}
    counts = [
        client.messages.count_tokens(
            model=MODEL, messages=[{"role": "user", "content": content}]
        ).input_tokens
        for content in ([prompt], [document, prompt], [document, document, prompt])
    ]
    assert counts == sorted(set(counts))


class Weather(BaseModel):
    """What the script `form` says."""

    city: str
    rain: str


def test_an_answer_that_obeys_a_schema_is_parsed(
    client: Anthropic, upstream: Upstream, run: str
) -> None:
    request = ask(cue("form", run=run), output_format=Weather)
    parsed = client.messages.parse(**request).parsed_output
    with client.messages.stream(**request) as stream:
        streamed = stream.get_final_message().parsed_output
    assert parsed == streamed == Weather(city=TRICKY, rain=run)
    for asked in upstream.asked(run):
        schema = asked.body["response_format"]["json_schema"]["schema"]
        assert schema["properties"].keys() == {"city", "rain"}
