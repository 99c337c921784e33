"""No key of any issuer is left in a text, and no other word is taken out of it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.diagnosis.redact import redact
from fcc.diagnosis.verdict import Source, finish_error, in_stream, refusal

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
