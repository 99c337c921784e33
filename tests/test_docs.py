"""What the documentation says is what the code has."""

import pytest

from tests.docs import GENERATED, ROOT, filled


@pytest.mark.parametrize("place", GENERATED, ids="-".join)
def test_a_generated_part_is_up_to_date(place: tuple[str, str]) -> None:
    name, marker = place
    text = (ROOT / name).read_text("utf-8")
    assert f"<!-- {marker} -->" in text
    assert filled(text, marker, GENERATED[place]()) == text, "run: python -m tests.docs"
