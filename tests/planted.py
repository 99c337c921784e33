"""Secrets of real shapes, each made anew from random parts, so that no file has one in it.

`planted(dice)` gives a hundred and more: where each stands, and the part that must not be seen.
"""

import base64
import json
import random
import string
from dataclasses import dataclass
from functools import cache

BASE62 = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase + string.digits


@dataclass
class Planted:
    """A secret in its natural place."""

    name: str
    text: str
    secrets: tuple[str, ...]
    """What must not be seen, nor a dozen letters of it in a row."""

    def shown(self, text: str) -> str:
        """What of it is seen in `text`; "" is well."""
        for secret in self.secrets:
            for at in range(0, max(1, len(secret) - 7), 4):
                if secret[at : at + 8] in text:
                    return f"{self.name}: {secret[at : at + 8]}"
        return ""


class Dice:
    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def of(self, letters: str, count: int) -> str:
        """Random, with a digit and a letter in every eight, as nearly every key has."""
        drawn = [self._dice.choice(letters) for _ in range(count)]
        for at in range(0, count, 8):
            place = min(at + self._dice.randrange(8), count - 1)
            drawn[place] = self._dice.choice("23456789")
        return "".join(drawn)

    def base62(self, count: int) -> str:
        return self.of(BASE62, count)

    def hex(self, count: int) -> str:
        return self.of(HEX, count)

    def raw(self, count: int) -> bytes:
        return self._dice.randbytes(count)


@cache
def planted(seed: int) -> list[Planted]:
    """The same for the same seed."""
    dice = Dice(random.Random(seed))
    return [*_signed(dice), *_named(dice), *_framed(dice)]


def _signed(dice: Dice) -> list[Planted]:
    """Keys that their issuers' signs tell, in places that say nothing."""
    b, h = dice.base62, dice.hex
    shapes = {
        "openai": ("sk-", b(48)),
        "openai project": ("sk-proj-", f"{b(40)}_{b(40)}-{b(40)}"),
        "openai service account": ("sk-svcacct-", f"{b(60)}_{b(50)}"),
        "openai admin": ("sk-admin-", b(60)),
        "anthropic": ("sk-ant-api03-", f"{b(50)}-{b(41)}AA"),
        "anthropic oauth": ("sk-ant-oat01-", f"{b(60)}-{b(30)}AA"),
        "anthropic session": ("sk-ant-sid01-", f"{b(60)}-{b(30)}AA"),
        "openrouter": ("sk-or-v1-", h(64)),
        "deepseek": ("sk-", h(32)),
        "moonshot": ("sk-", b(48)),
        "litellm": ("sk-", b(22)),
        "langfuse": ("sk-lf-", f"{h(8)}-{h(4)}-{h(4)}-{h(4)}-{h(12)}"),
        "nvidia": ("nvapi-", f"{b(30)}-{b(33)}"),
        "google": ("AIza", f"Sy{b(33)}"),
        "google oauth": ("ya29.", f"a0{b(40)}-{b(60)}_{b(40)}"),
        "google client": ("GOCSPX-", b(28)),
        "google refresh": ("1//0", f"{b(30)}-{b(60)}"),
        "groq": ("gsk_", b(52)),
        "huggingface": ("hf_", b(34)),
        "replicate": ("r8_", b(37)),
        "xai": ("xai-", b(80)),
        "cerebras": ("csk-", b(48)),
        "perplexity": ("pplx-", b(48)),
        "fireworks": ("fw_", b(24)),
        "together": ("tgp_v1_", b(43)),
        "vercel": ("vck_", b(56)),
        "zai": ("", f"{h(32)}.{b(16)}"),
        "aws": ("AKIA", dice.of(UPPER, 16)),
        "aws session": ("ASIA", dice.of(UPPER, 16)),
        "github": ("ghp_", b(36)),
        "github oauth": ("gho_", b(36)),
        "github app": ("ghs_", b(36)),
        "github refresh": ("ghr_", b(76)),
        "github fine": ("github_pat_", f"{b(22)}_{b(59)}"),
        "gitlab": ("glpat-", b(20)),
        "gitlab deploy": ("gldt-", b(20)),
        "slack bot": ("xoxb-", f"{dice.of('123456789', 12)}-{dice.of('123456789', 12)}-{b(24)}"),
        "slack user": ("xoxp-", f"{dice.of('123456789', 12)}-{dice.of('123456789', 12)}-{h(32)}"),
        "slack app": ("xapp-", f"1-A{dice.of(UPPER, 10)}-{dice.of('123456789', 13)}-{h(64)}"),
        "slack refresh": ("xoxe.xoxp-", f"1-{b(100)}"),
        "slack hook": ("https://hooks.slack.com/services/",
                       f"T{dice.of(UPPER, 8)}/B{dice.of(UPPER, 8)}/{b(24)}"),
        "discord hook": (f"https://discord.com/api/webhooks/{dice.of('123456789', 18)}/", b(68)),
        "discord bot": ("", f"M{b(23)}.{b(6)}.{b(38)}"),
        "telegram": ("", f"{dice.of('123456789', 10)}:AA{b(33)}"),
        "stripe": ("sk_live_", b(24)),
        "stripe test": ("sk_test_", b(24)),
        "stripe restricted": ("rk_live_", b(24)),
        "stripe webhook": ("whsec_", b(32)),
        "sendgrid": ("SG.", f"{b(22)}.{b(43)}"),
        "twilio": ("SK", h(32)),
        "mailgun": ("key-", h(32)),
        "npm": ("npm_", b(36)),
        "pypi": ("pypi-", f"AgEIcHlwaS5vcmc{b(60)}"),
        "docker": ("dckr_pat_", b(27)),
        "digitalocean": ("dop_v1_", h(64)),
        "databricks": ("dapi", h(32)),
        "linear": ("lin_api_", b(40)),
        "notion": ("ntn_", b(46)),
        "figma": ("figd_", b(40)),
        "postman": ("PMAK-", f"{h(24)}-{h(34)}"),
        "newrelic": ("NRAK-", dice.of(UPPER, 27)),
        "grafana": ("glsa_", f"{b(32)}_{h(8)}"),
        "shopify": ("shpat_", h(32)),
        "supabase": ("sbp_", h(40)),
        "vault": ("hvs.", b(90)),
        "atlassian": ("ATATT3", f"xFfGF0{b(120)}={dice.of(UPPER, 8)}"),
        "age": ("AGE-SECRET-KEY-1", dice.of(UPPER, 58)),
        "planetscale": ("pscale_tkn_", b(43)),
        "jwt": ("eyJ", f"hbGciOiJIUzI1NiJ9.eyJ{b(60)}.{b(43)}"),
    }  # fmt: skip
    return [
        Planted(name, f"it is {sign}{secret}, take it", (secret,))
        for name, (sign, secret) in shapes.items()
    ]


def _named(dice: Dice) -> list[Planted]:
    """Secrets without a sign, beside the name that makes them ones."""
    b, h = dice.base62, dice.hex
    places = {
        "env api key": ("\nexport ACME_API_KEY={}\n", b(32)),
        "env quoted": ('\nACME_SECRET="{}"\n', b(24)),
        "env password": ("\nDB_PASSWORD={}\n", f"{b(6)}!{b(3)}#{b(4)}"),
        "env pass": ("\nSMTP_PASS={}\n", b(12)),
        "env pgpassword": ("PGPASSWORD={} psql -h db", b(14)),
        "env token": ("\nACME_TOKEN={}\n", b(40)),
        "aws secret": ("aws_secret_access_key = {}\n", f"{b(18)}/{b(10)}+{b(10)}"),
        "aws json": ('{{"SecretAccessKey": "{}"}}', f"{b(20)}/{b(19)}"),
        "aws session json": ('{{"SessionToken": "{}"}}', f"{b(120)}=="),
        "azure": ("api-key: {}\n", h(32)),
        "azure storage": ("AccountName=x;AccountKey={};EndpointSuffix=y", f"{b(86)}=="),
        "azure bus": ("Endpoint=sb://x/;SharedAccessKey={}", f"{b(43)}="),
        "client secret": ('client_secret: "{}"', f"{b(3)}8Q~{b(34)}"),
        "json token": ('{{"access_token":"{}","token_type":"bearer"}}', b(64)),
        "json password": ('{{"user":"me","password":"{}"}}', f"{b(5)}@{b(6)}$"),
        "yaml": ("database:\n  password: {}\n", b(18)),
        "toml": ('auth_token = "{}"\n', b(24)),
        "kwarg": ('Client(api_key="{}", timeout=3)', b(36)),
        "typed": ('api_key: str = "{}"', b(36)),
        "setter": ("headers.set('x-api-key', '{}')", b(36)),
        "npmrc": ("//registry.npmjs.org/:_authToken={}\n", b(36)),
        "heroku": ("HEROKU_API_KEY={}", f"{h(8)}-{h(4)}-{h(4)}-{h(4)}-{h(12)}"),
        "url parameter": ("GET https://h.test/v1?a=1&api_key={}&b=2", b(32)),
        "url key": ("GET https://h.test/v1?key={}", b(39)),
        "url token": ("https://h.test/x?token={}", h(40)),
        "flag": ("mysqldump --password {} db", b(16)),
        "flag with equals": ("tool --api-key={} run", b(30)),
        "flag token": ("gh auth --token {}", h(40)),
        "said": ("Incorrect API key provided: {}. Look it up", b(32)),
        "said quoted": ("invalid api key '{}'", b(32)),
        "xml": ("<server><password>{}</password></server>", b(20)),
        "netrc": ("machine h.test login me password {}\n", b(20)),
        "curl": ("curl -s -u me:{} https://h.test/", b(20)),
        "sshpass": ("sshpass -p '{}' ssh h.test", b(14)),
    }
    return [
        Planted(name, text.format(secret), (secret,)) for name, (text, secret) in places.items()
    ]


def _framed(dice: Dice) -> list[Planted]:
    """Secrets that their frame tells: headers, addresses, files."""
    b, h = dice.base62, dice.hex
    basic = base64.b64encode(f"me:{b(16)}".encode()).decode()
    user, word, cookie, other = b(12), b(20), b(32), h(40)
    found = [
        Planted("bearer", f"Authorization: Bearer {word}{user}", (word + user,)),
        Planted("bearer json", json.dumps({"Authorization": f"Bearer {other}"}), (other,)),
        Planted("bearer words", f"it was called with Bearer {cookie} in it", (cookie,)),
        Planted("basic", f"Authorization: Basic {basic}", (basic,)),
        Planted("token scheme", f"Authorization: Token {other}", (other,)),
        Planted(
            "digest",
            f'Authorization: Digest username="me", realm="r", response="{other}"',
            (other,),
        ),
        Planted(
            "sigv4",
            f"Authorization: AWS4-HMAC-SHA256 SignedHeaders=host, Signature={other}",
            (other,),
        ),
        Planted("cookie", f"Cookie: theme=dark12; sid={cookie}; t={other}", (cookie, other)),
        Planted("set-cookie", f"Set-Cookie: sid={cookie}; Path=/; HttpOnly", (cookie,)),
        Planted("cookie json", json.dumps({"cookie": f"sid={cookie}"}), (cookie,)),
        Planted("basic url", f"git clone https://me:{word}@h.test/x.git", (word,)),
        Planted("token url", f"git clone https://{word}@h.test/x.git", (word,)),
        Planted("postgres", f"DATABASE_URL=postgres://me:{word}@db.test:5432/x", (word,)),
        Planted("redis", f"redis://:{word}@cache.test:6379/0", (word,)),
        Planted("mongodb", f"mongodb+srv://me:{word}@c0.test/?w=majority", (word,)),
        Planted("amqp", f"amqps://me:{word}@mq.test/v", (word,)),
    ]
    for kind in ("RSA PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "PRIVATE KEY"):
        text = base64.b64encode(dice.raw(400)).decode()
        lines = [text[at : at + 64] for at in range(0, len(text), 64)]
        body = "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----"])
        found.append(Planted(kind, body, tuple(lines)))
        numbered = "\n".join(f"{n:6}\u2192{line}" for n, line in enumerate(body.splitlines(), 1))
        found.append(Planted(f"{kind} numbered", numbered, tuple(lines)))
    return found
