"""The page of all hands is made from the hands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from click.testing import CliRunner

from pairedge_train.rendering.hands import all_hands
from tools.hands import main, page, sheet

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_current_and_names_every_hand_with_its_license() -> None:
    text = page()
    assert (DOCS / "hands.md").read_text() == text
    for hand in all_hands():
        assert f"| {hand.name} | {hand.designer} |" in text
        assert f"| {hand.license} |" in text


def test_the_sheet_shows_every_digit_of_every_hand() -> None:
    image = np.asarray(sheet(columns=3))
    ink = sum(
        int(glyph.sum()) for hand in all_hands() for sign, glyph in hand.glyphs.items() if sign.isdigit()
    )
    names = 0.02 * image.size  # what the names cover, at most
    assert abs((255 - image.astype(np.int64)).sum() / 255 - ink / 4) < names


def test_the_command_writes_both(tmp_path: Path) -> None:
    assert CliRunner().invoke(main, [str(tmp_path)]).exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"hands.md", "hands.png"}
