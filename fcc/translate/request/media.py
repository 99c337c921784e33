"""How do images and documents reach a provider, or what stands in their place?"""

from base64 import b64decode
from collections.abc import Iterable

from fcc.translate.request.parts import Part
from fcc.wire.messages import Block, Message, Source

__all__ = [
    "DOCUMENT_BELOW",
    "IMAGE_BELOW",
    "IMAGE_LOST",
    "IMAGE_OMITTED",
    "carries_image",
    "document_head",
    "document_text",
    "file_part",
    "image_part",
]

IMAGE_OMITTED = "[image omitted: this model has no vision]"
IMAGE_LOST = "[image omitted: its source can't be reached through this provider]"
IMAGE_BELOW = "[image attached below]"
DOCUMENT_BELOW = "[document attached below]"


def carries_image(messages: Iterable[Message]) -> bool:
    """Whether there is an image in them, also in a tool result or among a document's texts."""
    blocks = (b for m in messages if isinstance(m.content, list) for b in m.content)
    return any(
        block.type == "image"
        or (block.type == "tool_result" and _shows_image(block.content))
        or (block.type == "document" and _document_shows_image(block.source))
        for block in blocks
    )


def _shows_image(said: object) -> bool:
    items = [item for item in said if isinstance(item, dict)] if isinstance(said, list) else []
    return any(
        item.get("type") == "image"
        or (item.get("type") == "document" and _document_shows_image(item.get("source")))
        for item in items
    )


def _document_shows_image(source: object) -> bool:
    if isinstance(source, Source):
        return _shows_image(source.content)
    return isinstance(source, dict) and _shows_image(source.get("content"))


def image_part(block: Block) -> Part | None:
    """The image as a part, or None where its source means nothing to a provider."""
    url = _image_url(block.source)
    return None if url is None else {"type": "image_url", "image_url": {"url": url}}


def _image_url(source: Source | str | None) -> str | None:
    if not isinstance(source, Source):
        return None
    if source.data:
        return _data_url(source, "image/jpeg")
    return source.url or None


def _data_url(source: Source, media_type: str) -> str:
    data = source.data or ""
    if data.startswith("data:"):
        return data
    if "\n" in data:
        # MIME encoders break lines; providers' decoders are strict.
        data = "".join(data.split())
    return f"data:{source.media_type or media_type};base64,{data}"


def file_part(block: Block) -> Part | None:
    """A PDF as a native file part, or None where the block carries no file."""
    source = block.source
    if not isinstance(source, Source) or source.type != "base64" or not source.data:
        return None
    if source.media_type not in (None, "application/pdf"):
        return None
    name = block.title or "document.pdf"
    data = _data_url(source, "application/pdf")
    return {"type": "file", "file": {"filename": name, "file_data": data}}


def document_head(block: Block) -> list[str]:
    """What is said of a document before its own words."""
    return [line for line in (block.title, block.context) if line]


def document_text(block: Block) -> str:
    """What can be read of a document, under its title; a visible marker where that is nothing."""
    return "\n".join([*document_head(block), _source_text(block.source)])


def _source_text(source: Source | str | None) -> str:
    if not isinstance(source, Source):
        return "[document omitted: it has no source]"
    own = source.data if source.type == "text" else source.content
    words = own if isinstance(own, str) else source.extracted
    if words is not None:
        return words
    if source.url:
        return f"[document at {source.url}: not fetched]"
    if source.file_id:
        return f"[document {source.file_id} omitted: files can't be reached through this provider]"
    return _data_text(source)


def _data_text(source: Source) -> str:
    kind = source.media_type or "application/pdf"
    if source.data and kind.startswith("text/"):
        try:
            return b64decode(source.data).decode("utf-8", "replace")
        except ValueError:
            return f"[{kind} document omitted: its base64 is broken]"
    return f"[{kind} document omitted: this provider takes text only]"
