"""The token in a signature: what goes in comes out, and nothing else does."""

import json
import zlib
from base64 import urlsafe_b64encode
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.settings.profile import Ask, Model
from fcc.translate.entries import merged
from fcc.translate.foreign_ids import original, spelled
from fcc.translate.reply.ids import ToolIds
from fcc.translate.request.ids import RULES
from fcc.translate.signature import MAX_BYTES, PREFIX, Kept, Sealed, seal, sealer, tag, unseal


def raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode())


def loaded(entries: Any) -> list[Any]:
    return [json.loads(bytes(entry)) for entry in entries]


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(words.filter(lambda key: key != "type"), json_values, max_size=4)
texts = st.builds(
    lambda kind, words, index: {"type": f"reasoning.{kind}", kind: words, "index": index},
    st.sampled_from(["text", "summary"]),
    words,
    st.integers(0, 2),
)
encrypted = st.builds(lambda data: {"type": "reasoning.encrypted", "data": data}, words)
chunks = st.builds(
    lambda words: {"type": "thinking", "thinking": [{"type": "text", "text": words}]}, words
)
entries = st.lists(texts | encrypted | chunks | objects, max_size=8)


def text_in(entry: dict[str, Any]) -> str:
    kind = entry.get("type", "")
    if kind == "thinking":
        return "".join(item["text"] for item in entry["thinking"])
    return entry.get(kind.removeprefix("reasoning."), "") if kind.startswith("reasoning.") else ""


@given(entries, st.dictionaries(words, objects, max_size=3), st.booleans())
def test_what_is_sealed_is_unsealed(
    given_entries: list[Any], calls: dict[str, Any], shown: bool
) -> None:
    text = "".join(map(text_in, given_entries)) if shown else "Something else."
    sealed_calls = {id: raw(extra) for id, extra in calls.items()}
    token = seal("p/m", Kept([*map(raw, given_entries)], sealed_calls, [text[:3], text[3:]]))
    assert token.isascii() and " " not in token and token.startswith(PREFIX)
    sealed = unseal(token, text)
    assert sealed is not None and sealed.model == "p/m"
    back = loaded(sealed.entries)
    assert "".join(map(text_in, back)) == "".join(map(text_in, given_entries))
    other = [entry for entry in given_entries if entry.get("type") not in MERGED]
    assert [entry for entry in back if entry.get("type") not in MERGED] == other
    assert {id: json.loads(bytes(extra)) for id, extra in sealed.calls.items()} == calls


MERGED = ("reasoning.text", "reasoning.summary", "thinking")


@given(st.lists(words, min_size=1, max_size=6), st.booleans())
def test_parts_of_one_text_become_one_entry_with_its_late_signature(
    parts: list[str], late: bool
) -> None:
    deltas: list[Any] = [{"type": "reasoning.text", "text": part, "index": 0} for part in parts]
    if late:
        deltas.append({"type": "reasoning.text", "signature": "S", "index": 0})
    else:
        deltas[-1]["signature"] = "S"
    whole = {"type": "reasoning.text", "text": "".join(parts), "index": 0, "signature": "S"}
    assert merged(map(raw, deltas)) == [whole]


@pytest.mark.parametrize(
    "entries_",
    [
        [("text", "a", 0, "S"), ("text", "b", 0, None)],  # signed is finished
        [("text", "a", 0, None), ("text", "b", 1, None)],
        [("text", "a", 0, None), ("summary", "b", 0, None)],
    ],
)
def test_what_does_not_belong_together_stays_apart(entries_: list[Any]) -> None:
    given_ = [
        {"type": f"reasoning.{kind}", kind: words, "index": index, "signature": signature}
        for kind, words, index, signature in entries_
    ]
    assert merged(map(raw, given_)) == given_


def test_what_stands_between_mistrals_texts_stays_there() -> None:
    def thinking(*items: Any, **more: Any) -> dict[str, Any]:
        return {"type": "thinking", "thinking": [*items], **more}

    def text(words: str) -> dict[str, Any]:
        return {"type": "text", "text": words}

    reference = {"type": "reference", "reference_ids": [1]}
    deltas = [
        thinking(),
        thinking(text("a")),
        thinking(text("b"), reference),
        thinking(reference, text("c"), closed=True),
    ]
    whole = thinking(text("ab"), reference, reference, text("c"), closed=True)
    assert merged(map(raw, deltas)) == [whole]
    token = seal("p/m", Kept([*map(raw, deltas)], texts=["abc"]))
    sealed = unseal(token, "abc")
    assert sealed is not None and loaded(sealed.entries) == [whole]
    assert merged([raw(thinking())]) == [thinking()]


def test_a_signature_finds_its_text_behind_another_entry() -> None:
    text = {"type": "reasoning.text", "text": "a", "index": 0}
    other = {"type": "reasoning.encrypted", "data": "x", "index": 1}
    late = {"type": "reasoning.text", "text": None, "signature": "S", "index": 0}
    first, second = merged(map(raw, [text, other, late]))
    assert first == {**text, "signature": "S"}
    assert json.loads(bytes(second)) == other  # type: ignore[arg-type]


def test_every_byte_of_an_encrypted_entry_is_kept() -> None:
    entry = b'{ "type":"reasoning.encrypted", "data":"\\u00e4\\/", "n":1.0e2 }'
    sealed = unseal(seal("p/m", Kept([msgspec.Raw(entry)])))
    assert sealed is not None and [bytes(e) for e in sealed.entries] == [entry]


def test_shown_text_is_not_carried_twice() -> None:
    thought = "".join(chr(97 + (i * i) % 26) for i in range(20_000))
    entry = raw({"type": "reasoning.text", "text": thought, "signature": "S" * 40})
    assert len(seal("p/m", Kept([entry], texts=[thought]))) < 200


def test_entries_whose_text_the_client_changed_do_not_go_back() -> None:
    entry = raw({"type": "reasoning.text", "text": "abc", "signature": "S"})
    token = seal("p/m", Kept([entry], {"a": raw({"x": 1})}, ["abc"]))
    for text in ("", "ab", "abcd"):
        sealed = unseal(token, text)
        assert sealed is not None and sealed.entries == () and list(sealed.calls) == ["a"]


@given(st.text() | st.text().map(lambda rest: PREFIX + rest))
def test_a_foreign_signature_is_nothing(signature: str) -> None:
    assert unseal(signature, "text") is None


@given(st.data())
def test_a_damaged_token_is_nothing_or_what_it_was(data: st.DataObject) -> None:
    token = seal("p/m", Kept([raw({"type": "reasoning.encrypted", "data": "x" * 50})]))
    at = data.draw(st.integers(0, len(token) - 1))
    damage = data.draw(st.sampled_from([token[:at], token[:at] + "A" + token[at + 1 :]]))
    damage = data.draw(st.sampled_from([damage, token[:at] + token[at + 1 :]]))
    unsealed = unseal(damage)
    whole = unseal(token)
    assert unsealed is None or list(map(bytes, unsealed.entries)) == list(
        map(bytes, whole.entries if whole else ())
    )


def packed(content: bytes) -> str:
    return PREFIX + urlsafe_b64encode(zlib.compress(content)).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"[1]",
        b'["p/m",{}]',
        b'["p/m",[],[]]',
        b"[" * 100_000,
        b'["p/m",' + b"[" * 100_000,
        b'["p/m",[' + b" " * MAX_BYTES + b"]]",
        b'["\xff"]',
    ],
)
def test_a_forged_token_is_nothing(content: bytes) -> None:
    assert unseal(packed(content)) is None


@pytest.mark.parametrize("size", [-5, 0, 2**70, 1])
def test_a_forged_size_gives_no_entry(size: int) -> None:
    content = json.dumps(["p/m", [{"type": "reasoning.text", "text": size}]]).encode()
    sealed = unseal(packed(content), "abc")
    assert sealed is None or sealed.entries == ()


def test_more_than_a_token_can_hold_is_not_carried() -> None:
    huge = raw({"type": "reasoning.encrypted", "data": "x" * MAX_BYTES})
    assert unseal(seal("p/m", Kept([huge]))) == Sealed("p/m")


def test_an_entry_that_is_no_object_is_not_carried() -> None:
    broken = [msgspec.Raw(b) for b in (b"1", b'"x"', b'{"a":"\xff"}', b"[" * 9999)]
    assert unseal(seal("p/m", Kept(broken))) == Sealed("p/m")


def test_every_thinking_block_is_signed_and_nothing_more_for_those_that_return_text() -> None:
    sign = sealer(Model(name="m", provider="p", ask=Ask(reasoning_history="reasoning_content")))
    assert unseal(sign(Kept([raw({})], texts=["Hm."]))) == Sealed("p/m")
    assert sign(Kept([raw({})], {"a": raw({})})) == ""


def test_a_tag_names_provider_and_model() -> None:
    assert tag(Model(name="a/b:free", provider="openrouter")) == "openrouter/a/b:free"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=120))
def test_any_id_is_spelled_in_letters_that_clients_take(id: str) -> None:
    ids = ToolIds("msg_1_2")
    shown = [ids.claim(id), ids.claim(id)]
    assert len(set(shown)) == 2
    assert all(name.replace("_", "").replace("-", "").isascii() for name in shown)
    assert RULES["original"](shown[0]) == (id if len(id) > 64 or shown[0] != id else shown[0])


@pytest.mark.parametrize(
    "id", ["", "toolu_1", "toolu_f_", "toolu_f_x", "toolu_f_A_1", "toolu_f__1"]
)
def test_an_id_that_was_never_spelled_is_its_own_original(id: str) -> None:
    assert original(id) == id


def test_an_id_of_any_length_is_claimed() -> None:
    assert len(ToolIds("msg_1").claim("é" * 5000)) < 64
    assert original(spelled("functions.Bash:0", "a-1")) == "functions.Bash:0"
