"""No key of any issuer is left in a text, and no other word is taken out of it."""

import base64
import hashlib
import json
import random
import uuid
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fcc
from fcc.diagnosis.redact import MASK, redact, secrets
from fcc.diagnosis.verdict import Source, finish_error, in_stream, refusal
from tests.planted import planted

SECRET = "Zq7Rk2Wm9Xc4Vb8Nt5Lp3Hs6Jd1Fg0Ya"
HEX = "0123456789abcdef0123456789abcdef"

KEYS = [
    f"sk-{SECRET}",
    f"sk-proj-{SECRET}_{SECRET}",
    f"sk-or-v1-{HEX}{HEX}",
    f"sk-ant-api03-{SECRET}-{SECRET}AA",
    f"nvapi-{SECRET}-{SECRET}",
    f"gsk_{SECRET}",
    f"hf_{SECRET}",
    f"AIzaSy{SECRET}",
    f"xai-{SECRET}",
    f"csk-{SECRET}",
    f"ghp_{SECRET}",
    f"github_pat_{SECRET}_{SECRET}",
    f"pplx-{SECRET}",
    f"tgp_v1_{SECRET}",
    f"fw_{SECRET}",
    f"{HEX}.{SECRET[:16]}",
    f"eyJhbGciOiJIUzI1NiJ9.{SECRET}.{SECRET}",
]

PLACES = [
    "{}",
    "Incorrect API key provided: {}. You can find your key at https://x",
    "invalid key '{}'",
    '{{"headers":{{"Authorization":"Bearer {}"}}}}',
    "Authorization: Bearer {}\n",
    "https://host/v1?api_key={}&a=1",
    "key={}",
    "(`{}`)",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("key", KEYS)
def test_a_key_does_not_show_anywhere_in_a_text(key, place):
    text = redact(place.format(key))
    assert SECRET[:12] not in text
    assert HEX[:12] not in text
    assert "***" in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"sk-or-v1-{HEX}", "sk-or-v1-***"),
        (f"nvapi-{SECRET}", "nvapi-***"),
        (f"gsk_{SECRET}", "gsk_***"),
        ("https://me:pass@host/x", "https://***@host/x"),
        ("https://token123@host/x", "https://***@host/x"),
        (f"api_key={SECRET}", "api_key=***"),
        ("api_key=letters", "api_key=***"),
        (f'"x-api-key": "{HEX}"', '"x-api-key": "***"'),
        ("password: hunter22", "password: ***"),
        ("API key provided: fake-key-123", "API key provided: ***"),
        ("API key provided: sk-pr***********abcd", "API key provided: sk-***"),
        ("API key provided: ab*********yz", "API key provided: ***"),
    ],
)
def test_of_a_key_its_issuers_sign_is_left(text, shown):
    assert redact(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "missing Bearer authentication",
        "Basic authentication is required",
        "max_tokens: 64000",
        "model token limit: 262144 (requested: 269030)",
        "the API key is missing",
        "token: expected a string",
        "a task-force, a risk-free sk-learn and an xai-sdk-python",
        "Function id '0a1b2c3d-1111-2222-3333-444455556666': DEGRADED",
        "qwen/qwen3-coder:free is temporarily rate-limited upstream",
        "https://openrouter.ai/settings/keys and mail me@host.test",
        "",
    ],
)
def test_other_words_stay(text):
    assert redact(text) == text


@given(st.text())
def test_a_redacted_text_has_nothing_more_to_redact(text):
    once = redact(text)
    assert redact(once) == once


@pytest.mark.parametrize("key", KEYS)
def test_no_error_shows_a_key(key):
    source = Source("P", "m", "P_API_KEY")
    said = f"bad key: {key}"
    errors = [
        refusal(source, 401, {}, json.dumps({"error": {"message": said}}).encode()),
        refusal(source, 401, {}, said.encode()),
        refusal(source, 401, {}, f"<html><title>{said}</title></html>".encode()),
        refusal(source, 400, {}, f"maximum context length {said}".encode()),
        refusal(source, 200, {}, json.dumps({"x": {"api_key": key}}).encode()),
        in_stream(source, {"message": "x", "code": "tool_use_failed", "failed_generation": said}),
        finish_error(source, said),
    ]
    for error in errors:
        assert SECRET[:12] not in error.message
        assert HEX[:12] not in error.message


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "framed", [str, json.dumps, lambda text: json.dumps({"a": [json.dumps({"b": text}), 7]})]
)
def test_a_hundred_secrets_of_real_shapes_do_not_show(seed, framed) -> None:
    found = planted(seed)
    assert len(found) >= 100
    for one in found:
        text = redact(framed(f"first\n{one.text}\nlast"))
        assert not one.shown(text), text
        assert "first" in text
        assert "last" in text
        assert redact(text) == text


@pytest.mark.parametrize("seed", range(5))
def test_what_frames_a_secret_stays(seed) -> None:
    for one in planted(seed):
        inner = json.dumps({"text": one.text, "tokens": 12345678, "key": 1.25e-7})
        raw = json.dumps({"arguments": inner, "total_tokens": 31415926535897932384, "token": None})
        outer = json.loads(redact(raw))
        assert (outer["total_tokens"], outer["token"]) == (31415926535897932384, None)
        assert json.loads(outer["arguments"])["tokens"] == 12345678
        line = redact(f"data: {raw}\n\nevent: x\n")
        assert (line.count("\n"), line[:6]) == (3, "data: ")


PLANTED = planted(0)


@given(st.text(), st.integers(0, 126), st.text())
def test_whatever_stands_around_a_secret_it_is_masked_once(before, which, after) -> None:
    one = PLANTED[which]
    text = redact(f"{before}\n{one.text}\n{after}")
    assert not one.shown(text)
    assert redact(text) == text


@given(st.text(alphabet="aE1-_=:./\\\"' \n@;{[key tokn*sw", max_size=60))
def test_a_mask_never_holds_white_space_a_quote_or_a_backslash(text) -> None:
    for secret in secrets(text):
        assert not set(text[secret.start : secret.end]) & set(" \n\r\t\"'\\")


def hashes() -> list[str]:
    dice = random.Random(3)
    raw = dice.randbytes(3000)
    return [
        f"commit {hashlib.sha1(raw).hexdigest()}",
        f"sha256:{hashlib.sha256(raw).hexdigest()}",
        f'"integrity": "sha512-{base64.b64encode(hashlib.sha512(raw).digest()).decode()}"',
        f"md5 = {hashlib.md5(raw).hexdigest()!r}",
        f'{{"key": "{hashlib.md5(raw).hexdigest()}"}}',
        f'{{"id": "{uuid.UUID(bytes=raw[:16])}", "key": "{uuid.UUID(bytes=raw[16:32])}"}}',
        f"cache_key = '{hashlib.sha256(raw).hexdigest()}'",
        f'{{"data": "{base64.b64encode(raw).decode()}"}}',
        f"data:image/png;base64,{base64.b64encode(raw).decode()}",
    ]


@pytest.mark.parametrize(
    "text",
    [
        *hashes(),
        "rows = sorted(rows, key=lambda row: row[1])",
        "min(found, key=operator.attrgetter('size'))",
        "self.token = token",
        "next_token = tokens[index2]",
        "token: Token = self.next_token()",
        "if token.type == TokenType2: return token",
        "Client(api_key=api_key, token=settings2.token)",
        "api_key = os.environ['ACME_API_KEY']",
        "api_key: str | None = None",
        "password: str, secret: bytes",
        "const token = await getToken2(user);",
        "API_KEY=$OTHER_KEY make",
        'password = "${DB_PASSWORD1}"',
        "max_tokens=4096, token_count: 123456789012345678901234",
        '{"prompt_tokens": 1234567, "key": "messages.settings2.title"}',
        "export SSH_KEY=~/.ssh/id_ed25519",
        "PRIMARY KEY (user_id2), FOREIGN KEY (order_id3)",
        "<th>Key</th><td>value1</td>",
        'if key.startswith("-----BEGIN PRIVATE KEY-----") and key.endswith("-----END PRIVATE KEY-----"):',
        "-----BEGIN CERTIFICATE-----",
        '<div class="sk-toggleable__content sk-learn"></div>',
        "git clone ssh://git@github.com/acme/x.git",
        "https://h.test/a?email=me@h.test",
        "docker run -u 1000:1000 image2",
        "the keyword2 arguments, monkey=banana12, hotkey: ctrl+shift+k2",
        "authorization: the user must be logged in",
        "Cookie: the browser's",
    ],
)
def test_ordinary_code_stays(text) -> None:
    assert redact(text) == text
    assert redact(json.dumps(text)) == json.dumps(text)


def test_the_source_of_fcc_itself_has_no_secret() -> None:
    for path in Path(fcc.__file__).parent.rglob("*.py"):
        text = path.read_text("utf-8")
        assert redact(text) == text, path


@pytest.mark.parametrize(
    "part",
    ["sk-", "eyJ-", "xai-", "key=", "key: ", "token: a1", "cookie=a=b;", "://a", "Bearer a",
     "curl -u ", "-----BEGIN PRIVATE KEY-----", "authorization: digest a=", "SG.a", "login a ",
     "0123456789abcdef.", "--token ", "\\u0026", 'password="a', "xoxb"],
)  # fmt: skip
def test_redaction_is_linear(part) -> None:
    def seconds(size: int) -> float:
        text = part * (size // len(part))
        begin = process_time()
        redact(text)
        return process_time() - begin

    small = min(seconds(20_000) for _ in range(3))
    assert seconds(160_000) < 24 * small + 0.1


def test_letters_whose_small_form_is_longer_do_not_move_a_mask() -> None:
    assert redact("\u0130\u0130 PASSWORD: hunter22!") == f"\u0130\u0130 PASSWORD: {MASK}"
