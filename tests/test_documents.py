"""PDFs: their text reaches a provider that takes text only, read once and in bounded time."""

import json
import random
from base64 import b64encode
from typing import Any

import pytest

from fcc.server.documents import Documents
from fcc.server.pdf import MAX_BYTES, MAX_CHARACTERS, pdf_text
from fcc.settings.profile import Ask, Model, Profile
from fcc.settings.routing import Route
from fcc.translate.request.body import translate
from fcc.wire.messages import MessagesRequest, decode_request
from tests.pdf_files import pdf, pdf_base64
from tests.strict import Rules, assert_legal


def route(**ask: Any) -> Route:
    return Route("claude", Profile(name="p"), Model(name="m", provider="p", ask=Ask(**ask)))


def source(data: str, **fields: Any) -> dict[str, Any]:
    return {"type": "base64", "media_type": "application/pdf", "data": data, **fields}


def document(data: str, **fields: Any) -> dict[str, Any]:
    return {"type": "document", "source": source(data), **fields}


def asked(*blocks: dict[str, Any]) -> MessagesRequest:
    call = {"type": "tool_use", "id": "a", "name": "Read", "input": {}}
    messages = [{"role": "assistant", "content": [call]}, {"role": "user", "content": [*blocks]}]
    return decode_request(
        json.dumps({"model": "c", "max_tokens": 9, "messages": messages}).encode()
    )


async def sent(request: MessagesRequest, reader: Documents, **ask: Any) -> list[Any]:
    one = route(**ask)
    await reader.read(request, [one])
    data = translate(request, one.model).data
    assert_legal(data, Rules(parts=("text", "image_url", "file")))
    return [message["content"] for message in json.loads(data)["messages"][1:]]


RESULT = {"type": "tool_result", "tool_use_id": "a"}
TWO_PAGES = "[page 1 of 2]\nHello (world)\nagain\n[page 2 of 2]\nThe end"


def two_pages() -> str:
    return pdf_base64("Hello (world)\nagain", "The end")


async def test_a_pdf_is_told_as_its_text_page_by_page() -> None:
    request = asked({**RESULT, "content": "ok"}, document(two_pages(), title="The book"))
    assert await sent(request, Documents()) == ["ok", f"The book\n{TWO_PAGES}"]


async def test_a_pdf_in_a_tool_result_is_told_there() -> None:
    request = asked({**RESULT, "content": [document(two_pages())]})
    assert await sent(request, Documents()) == [TWO_PAGES]


async def test_a_provider_that_takes_files_gets_the_file() -> None:
    request = asked({**RESULT, "content": "ok"}, document(two_pages()))
    _, [part] = await sent(request, Documents(), documents="file")
    assert part["file"]["file_data"].endswith(two_pages())


async def test_a_pdf_is_read_once() -> None:
    documents = Documents()
    await sent(asked({**RESULT, "content": [document(two_pages())]}), documents)
    assert list(documents._texts.values()) == [TWO_PAGES]
    [key] = documents._texts
    documents._texts[key] = "from memory"
    assert await sent(asked({**RESULT, "content": [document(two_pages())]}), documents) == [
        "from memory"
    ]


async def test_only_the_last_texts_stay_in_memory() -> None:
    documents = Documents()
    for number in range(40):
        await documents.read(asked(document(pdf_base64(str(number)))), [route()])
    assert len(documents._texts) == 32
    assert "[page 1 of 1]\n39" in documents._texts.values()


async def test_what_is_no_pdf_in_base64_is_left_alone() -> None:
    blocks: list[Any] = [
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a"}},
        {"type": "document", "source": {"type": "url", "url": "https://x/y.pdf"}},
        {"type": "document", "source": source("eA==", media_type="text/plain")},
        {**RESULT, "content": [{"type": "document", "source": 5}, "x", 5]},
    ]
    documents = Documents()
    await documents.read(asked(*blocks), [route()])
    assert not documents._texts


def test_a_line_says_what_is_missing() -> None:
    assert pdf_text(two_pages(), seconds=-1) == (
        "[page 1 of 2]\nHello (world)\nagain\n[the rest of the PDF is omitted: it has 2 pages]"
    )
    assert pdf_text(pdf_base64("", "")) == "[PDF of 2 pages without text: they may be images]"
    assert pdf_text("A" * (MAX_BYTES * 4 // 3 + 4)) == "[PDF omitted: it is larger than 32 MB]"


def test_the_text_has_a_limit() -> None:
    page = "\n".join(["word " * 100] * 100)
    text = pdf_text(pdf_base64(*[page] * 10))
    assert MAX_CHARACTERS <= len(text) < MAX_CHARACTERS + 1000
    assert text.endswith("[the rest of the PDF is omitted: it has 10 pages]")


@pytest.mark.parametrize("raw", [b"", b"%PDF-1.4", b"not a pdf at all", b"\0" * 5000])
def test_what_is_no_pdf_says_so(raw: bytes) -> None:
    assert pdf_text(b64encode(raw).decode()).startswith("[PDF")


@pytest.mark.parametrize("data", ["%%%", "A", "é", "data:application/pdf;base64,"])
def test_what_is_no_base64_says_so(data: str) -> None:
    assert pdf_text(data).startswith("[PDF")


def test_a_damaged_pdf_never_fails() -> None:
    whole = pdf("Hello", "World")
    dice = random.Random(1)
    for _ in range(150):
        damaged = bytearray(whole)
        for _ in range(dice.choice((1, 5, 40))):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        assert pdf_text(b64encode(damaged[: dice.randrange(len(damaged) + 1)]).decode())
