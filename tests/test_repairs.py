"""What was recovered from text or mended is counted as long as the daemon lives."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from fcc.errors import CutError
from fcc.server.gateway import GATEWAY
from fcc.server.repairs import Repairs
from tests.conftest import Ask, app_of
from tests.scripted import ASKED, DONE, Scripted, call, chunk, text
from tests.test_chain import app_of_two
from tests.test_metrics import number, scraped

TOOL = {"name": "Read", "input_schema": {"type": "object"}}
WRITTEN = '<tool_call>\n{"name": "Read", "arguments": {"a": 1}}\n</tool_call>'


def test_counts_are_kept_apart_by_provider_model_and_kind() -> None:
    repairs = Repairs()
    repairs.count("b", "m", {"hermes": 2, "python": 1})
    repairs.count("a", "m", {"hermes": 1})
    repairs.count("b", "m", {"hermes": 3})
    repairs.count("b", "n", {})
    assert repairs.totals() == [("a", "m", "hermes", 1), ("b", "m", "hermes", 5), ("b", "m", "python", 1)]  # fmt: skip


def test_models_without_end_are_counted_together_in_the_end() -> None:
    repairs = Repairs()
    for place in range(Repairs.MOST + 5):
        repairs.count("p", f"m{place}", {"hermes": 1})
    repairs.count("p", "m0", {"hermes": 1})
    totals = repairs.totals()
    assert len(totals) == Repairs.MOST + 1
    assert ("p", "other", "hermes", 5) in totals
    assert ("p", "m0", "hermes", 2) in totals
    assert sum(count for *_, count in totals) == Repairs.MOST + 6


@pytest.mark.parametrize("stream", [True, False])
async def test_every_answer_is_counted_with_its_provider_and_model(
    connect: Ask, stream: bool
) -> None:
    app = app_of()
    backend = Scripted(
        text(WRITTEN),
        [call("{'a': 1}", name="Read"), chunk("tool_calls"), DONE],
        text(WRITTEN, WRITTEN),
        text("nothing of the kind"),
    )
    client = await connect(app, backend)
    for _ in range(4):
        asked: dict[str, Any] = {**ASKED, "tools": [TOOL], "stream": stream}
        await (await client.post("/v1/messages", json=asked)).read()
    assert app[GATEWAY].repairs.totals() == [("test", "m", "hermes", 3), ("test", "m", "python", 1)]


async def test_an_answer_that_breaks_off_counts_what_had_gone_out(connect: Ask) -> None:
    app = app_of()
    client = await connect(app, Scripted([chunk(content=WRITTEN + "\nand"), CutError("x")]))
    asked = {**ASKED, "tools": [TOOL], "stream": True}
    raw = await (await client.post("/v1/messages", json=asked)).read()
    assert json.dumps("tool_use").encode() in raw
    assert app[GATEWAY].repairs.totals() == [("test", "m", "hermes", 1)]


async def test_status_and_the_numbers_tell_the_same_of_an_answer_that_was_tried_twice(
    connect: Ask,
) -> None:
    broken = [chunk(content=WRITTEN + "\nand"), CutError("x")]
    client = await connect(app_of(), Scripted(broken, text(WRITTEN)))
    response = await client.post("/v1/messages", json={**ASKED, "tools": [TOOL]})
    assert (await response.json())["stop_reason"] == "tool_use"
    said = await (await client.get("/status")).json()
    assert said["repairs"] == [{"provider": "test", "model": "m", "kind": "hermes", "count": 2}]
    labels = {"provider": "test", "model": "m", "kind": "hermes"}
    assert number(await scraped(client), "fcc_repairs_total", **labels) == 2


async def test_a_key_that_a_client_took_for_a_model_is_not_told(
    connect: Ask, tmp_path: Path
) -> None:
    secret = "sk-ant-api03-" + "Zk9x7Q" * 8
    app = await asyncio.to_thread(app_of_two, tmp_path, {})
    client = await connect(app, Scripted(text(WRITTEN)))
    asked = {**ASKED, "model": f"one/{secret}", "tools": [TOOL]}
    assert (await client.post("/v1/messages", json=asked)).status == 200
    (repair,) = (await (await client.get("/status")).json())["repairs"]
    assert (repair["provider"], repair["kind"]) == ("one", "hermes")
    assert repair["model"].startswith("sk-ant")
    assert "Zk9x7Q" not in json.dumps(repair) + await scraped(client)
