"""The page of all hands, with the sheet of their digits: who writes, and what serves what.

python -m tools.hands docs
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import click
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pairedge_train.files import write_atomically
from pairedge_train.rendering.hands import BOX, DIGITS, Hand, all_hands, hands
from pairedge_train.rendering.split import Split
from tools.markdown import table

PARTS: dict[Split, str] = {
    "training": "Hands that train",
    "validation": "Hands that choices are made by",
    "test": "Hands that are kept for tests",
}
_DIGIT = BOX // 2  # side of a digit on the sheet, pixels
_NAME = 170  # width of a name on the sheet, pixels


def page() -> str:
    """The page: a table of each part."""
    designers = {hand.designer for hand in all_hands()}
    schools = {hand.school for hand in all_hands() if hand.school}
    tables = "\n".join(f"## {heading}\n\n{_table(hands(part))}" for part, heading in PARTS.items())
    return f"""# Hands

Handwriting fonts as writers: {len(all_hands())} hands by {len(designers)} designers, among them what schools
of {len(schools)} countries teach. Training draws their digits and, as negatives, those of their letters and
signs that no person would take for a digit. No designer has hands in two of the tables below. The fonts are
packages `@fontsource/NAME` of the npm registry; `make hands` fetches them and draws their glyphs anew.
Training needs no network.

![The digits of every hand](hands.png)

{tables}"""


def _table(writers: tuple[Hand, ...]) -> str:
    rows = [
        [hand.name, hand.designer, hand.school or "", hand.version, hand.license, _plain(hand.copyright)]
        for hand in writers
    ]
    return table(["hand", "designer", "school", "version", "license", "copyright"], rows)


def _plain(text: str) -> str:
    """The text on one line, without what a table takes for its own."""
    return " ".join(text.split()).replace("|", "/")


def sheet(columns: int = 4) -> Image.Image:
    """The digits of every hand, "L", dark on white, part after part."""
    everyone = [hand for part in PARTS for hand in hands(part)]
    rows = -(-len(everyone) // columns)
    width, height = _NAME + len(DIGITS) * (_DIGIT + 2) + 16, _DIGIT + 6
    image = Image.new("L", (columns * width, rows * height), 255)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(13)
    for index, hand in enumerate(everyone):
        left, top = index // rows * width, index % rows * height
        pen.text((left + 4, top + height / 2), hand.name, fill=90, font=font, anchor="lm")
        for place, digit in enumerate(DIGITS):
            ink = Image.fromarray(np.where(hand.glyphs[digit], 0, 255).astype(np.uint8))
            small = ink.resize((_DIGIT, _DIGIT), Image.Resampling.BOX)
            image.paste(small, (left + _NAME + place * (_DIGIT + 2), top + 3))
    return image


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def main(folder: Path) -> None:
    """Write hands.md and hands.png into FOLDER."""
    drawn = BytesIO()
    sheet().quantize(16).save(drawn, "PNG", optimize=True)
    write_atomically(folder / "hands.png", drawn.getvalue())
    write_atomically(folder / "hands.md", page().encode())


if __name__ == "__main__":
    main()
