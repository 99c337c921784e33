"""What the documentation says is what the code has."""

import re
import shutil
import subprocess

import pytest

from tests.docs import GENERATED, ROOT, filled
from tests.reference import config_reference, profile_reference


@pytest.mark.parametrize("place", GENERATED, ids="-".join)
def test_a_generated_part_is_up_to_date(place: tuple[str, str]) -> None:
    name, marker = place
    text = (ROOT / name).read_text("utf-8")
    assert f"<!-- {marker} -->" in text
    assert filled(text, marker, GENERATED[place]()) == text, "run: python -m tests.docs"


def test_every_variable_of_the_code_is_in_the_reference() -> None:
    named = {
        word
        for path in (ROOT / "fcc").rglob("*.py")
        for word in re.findall(r"[\"'](FCC_[A-Z_]+)[\"'=]", path.read_text("utf-8"))
    }
    assert len(named) > 10
    rows = (ROOT / "config" / "REFERENCE.md").read_text("utf-8")
    assert {name for name in named if f"| `{name}` |" not in rows} == set()


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
def test_what_each_target_does_stands_in_one_column() -> None:
    shown = subprocess.run(
        ["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert len(shown) > 5
    columns = {found.end() for line in shown if (found := re.match(r"make \S+ +", line))}
    assert len(columns) == 1


def test_every_key_of_config_toml_and_of_a_profile_has_a_meaning_in_the_reference() -> None:
    rows = [
        row.split(" | ")
        for row in config_reference().splitlines() + profile_reference().splitlines()
    ]
    keys = [row for row in rows if row[0].startswith("| `")]
    assert {"provider", "port", "context_window", "think_tags"} <= {
        row[0].strip("| `") for row in keys
    }
    assert [row for row in keys if not row[-1].strip(" |")] == []
