"""The parts of the documentation that are generated: `python -m tests.docs` writes them."""

import re
from collections.abc import Callable
from pathlib import Path

from fcc.cli.main import _SECTIONS
from fcc.settings.files import Providers, shipped_dir
from fcc.translate.request.destinations import markdown
from tests.reference import config_reference, environment_reference, profile_reference

ROOT = Path(__file__).parent.parent


def providers_table() -> str:
    providers = Providers(shipped_dir() / "providers")
    rows = [
        "| name | provider | key | models by default (opus / sonnet / haiku) |",
        "|---|---|---|---|",
    ]
    for name in providers.names:
        profile = providers.get(name)
        key = f"`{profile.api_key_env}`" if profile.api_key_env else "none"
        key = f"{key} (optional)" if profile.api_key_optional else key
        models = dict.fromkeys(profile.models.values()) or dict.fromkeys([profile.default_model])
        shown = " / ".join(f"`{model}`" for model in models if model)
        loaded = "what is loaded" if profile.local else "`--model`"
        rows.append(f"| `{name}` | {profile.label} | {key} | {shown or loaded} |")
    return "\n".join(rows)


def commands_table() -> str:
    rows = ["| command | what it does |", "|---|---|"]
    rows += [
        f"| `fcc {name}` | {line} |"
        for commands in _SECTIONS.values()
        for name, line in commands.items()
    ]
    return "\n".join(rows)


GENERATED: dict[tuple[str, str], Callable[[], str]] = {
    ("config/REFERENCE.md", "environment"): environment_reference,
    ("config/REFERENCE.md", "config"): config_reference,
    ("config/REFERENCE.md", "profile"): profile_reference,
    ("README.md", "providers"): providers_table,
    ("README.md", "commands"): commands_table,
    ("fcc/translate/request/DESTINATIONS.md", "destinations"): markdown,
}


def filled(text: str, marker: str, content: str) -> str:
    begin, end = f"<!-- {marker} -->", f"<!-- /{marker} -->"
    pattern = re.compile(re.escape(begin) + r".*?" + re.escape(end), re.DOTALL)
    return pattern.sub(lambda _found: f"{begin}\n{content}\n{end}", text)


def main() -> None:
    for (name, marker), content in GENERATED.items():
        path = ROOT / name
        path.write_text(filled(path.read_text("utf-8"), marker, content()), "utf-8")


if __name__ == "__main__":
    main()
