"""By which sign of its issuer is a key known wherever it stands?

Sources: the issuers' own documentation, and the rules of secret scanners
(https://docs.github.com/en/code-security/secret-scanning/introduction/supported-secret-scanning-patterns,
https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml).
"""

import re
from collections.abc import Iterator
from typing import Final

from fcc.diagnosis.pattern import Pattern

__all__ = ["anchored", "signed", "unsigned"]

_DIGIT: Final = r"(?=[\w*.-]{0,80}?[0-9*])"
"""Among what follows: without one it is a word."""

# Each line: how signs begin, how they may go on, and what follows them and is not shown. What
# follows is taken to its very end, so that a text that was redacted once stays as it is.
_SIGNS: Final = (
    # OpenAI, Anthropic, OpenRouter, and all who write their keys as they do. The classes of
    # scikit-learn's pages begin alike.
    ("sk-", r"(?:or-v[0-9]-|ant-[a-z0-9]{1,8}-|proj-|svcacct-|admin-|lf-|kimi-|cp-)?+",
     r"(?![a-z-]{1,30}__)[\w*.-]{6,}+"),
    ("nvapi-", "", r"[\w*.-]{6,}+"),
    (("xai- xai_ csk- csk_ dsk- dsk_ pplx- pplx_ fw_ fw- fpk_ fpk- tgp_v1_ vck_ pypi- dckr_pat_ "
     "npm_ whsec_ glpat- gldt- glrt- glptt- glft- glimt- glcbt- gloas- glagent-"), "",
     _DIGIT + r"[\w*.-]{8,}+"),
    (("gsk_ hf_ r8_ ghp_ gho_ ghr_ ghs_ ghu_ api_org_ ntn_ sbp_ rpa_ glsa_ glc_ shpat_ shpss_ "
     "shpca_ shppa_ lin_api_ dop_v1_ doo_v1_ dor_v1_ figd_ sntrys_ sntryu_ pscale_tkn_ pscale_pw_ "
     "pscale_oauth_ sk_live_ sk_test_ rk_live_ rk_test_"), "",
     _DIGIT + r"[A-Za-z0-9*_-]{10,}+"),
    ("github_pat_", "", r"\w{10,}+"),
    ("AIza", "", r"[\w*-]{20,60}+(?![\w+/=])"),
    ("AKIA ASIA", "", r"[A-Z0-9]{12,40}+(?![\w+/=])"),
    ("ya29.", "", r"[\w.-]{10,}+"),
    ("GOCSPX- xapp-", "", r"[\w-]{16,}+"),
    ("1//0", "", r"[\w-]{30,}+"),
    ("xox", r"[a-z](?:\.xox[a-z])?[.-]", r"[\w.-]{8,}+"),
    ("hvs. hvb.", "", r"[\w-]{24,}+"),
    ("SG.", "", r"[\w-]{16,}+\.[\w-]{16,}+"),
    ("PMAK- NRAK- HRKU- ATATT3 ATCTT3 AGE-SECRET-KEY-1", "", r"[\w=-]{20,}+"),
    ("dapi SK key-", "", r"[0-9a-f]{32}+(?![\w+/=])"),
    ("eyJ", "", r"(?<![\w-]eyJ)[\w-]{8,}+\.[\w.-]{8,}+"),
    ("hooks.slack.com/", "(?:services|workflows|triggers)/", r"[\w/]{16,}+"),
    ("discord.com/api/webhooks/ discordapp.com/api/webhooks/", "[0-9]{5,20}+/", r"[\w-]{16,}+"),
)  # fmt: skip

_BEGINNINGS: Final = tuple(begin for begins, _, _ in _SIGNS for begin in begins.split())


def _alternative(begins: str, more: str, rest: str) -> str:
    return f"((?:{'|'.join(map(re.escape, begins.split()))}){more}){rest}"


_SIGNED: Final = Pattern(
    r"(?<![A-Za-z0-9])(?:" + "|".join(_alternative(*sign) for sign in _SIGNS) + ")", re.ASCII
)

_UNSIGNED: Final = Pattern(
    # Z.ai: an id and a secret with a dot between them.
    r"\.(?:(?<=(?<![A-Za-z0-9])[0-9a-f]{32}\.)[A-Za-z0-9]{12,}+"
    # Discord's bots: a number in base64, a time, a secret.
    r"|(?<=(?<![\w.-])[MNO][\w-]{23}\.)[\w-]{6}\.[\w-]{27,}+"
    r"|(?<=(?<![\w.-])[MNO][\w-]{25}\.)[\w-]{6}\.[\w-]{27,}+)"
    # Telegram's bots: a number and a secret.
    r"|:(?<=[0-9]{8}:)AA[\w-]{32,}+",
    re.ASCII,
)


def anchored(
    pattern: Pattern, text: str, words: tuple[str, ...], lower: str | None = None
) -> Iterator["re.Match[str]"]:
    """The matches that begin with one of `words`: far cheaper than to try at every letter.

    With `lower`, the text in small letters, the words stand in any case.
    """
    searched = text if lower is None else lower
    for word in words:
        at = searched.find(word)
        while at >= 0:
            found = pattern.match(text, at)
            if found:
                yield found
            at = searched.find(word, found.end() if found else at + len(word))


def signed(text: str) -> Iterator[tuple[int, int, int]]:
    """Where the sign, the secret behind it and its end are."""
    for found in anchored(_SIGNED, text, _BEGINNINGS):
        yield found.start(), found.end(found.lastindex or 0), found.end()


def unsigned(text: str) -> Iterator[tuple[int, int]]:
    """From where to where there are keys that are known by their shape alone."""
    for found in _UNSIGNED.finditer(text):
        start = found.start()
        while start and (text[start - 1].isalnum() or text[start - 1] in "_-"):
            start -= 1
        yield start, found.end()
