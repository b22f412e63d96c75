"""Collect the hands that hands.toml lists: fetch their fonts from the npm registry and draw hands.npz.

    python -m pairedge_train.rendering.collect_hands

A font that is not under OFL-1.1 or Apache-2.0, that lacks a digit, or whose digits another hand has already,
is refused by name.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pairedge_train.rendering.hands import BOX, DIGITS, NEGATIVES, Bitmap, Hand, listed, store
from pairedge_train.rendering.split import Split

REGISTRY = "https://registry.npmjs.org/@fontsource"
LICENSES = ("OFL-1.1", "Apache-2.0")
ALPHABETS = ("latin", "greek", "cyrillic")
SAME_HAND = 0.06  # two hands whose digits' ink differs by less, as a share of what either has, are one

_SIZE = 160  # points that a glyph is drawn at, before it is scaled into its box
_NOTHING = "\ue123"  # a private character, which no font has: what is drawn in place of any that is missing


def main() -> None:
    """Fetch, check and draw all hands; nothing is written when one is refused."""
    jobs = [(split, name, settings) for split, named in listed().items() for name, settings in named.items()]
    with ThreadPoolExecutor(8) as pool:
        collected = list(pool.map(lambda job: collect(*job), jobs))
    check_different(collected)
    store(collected)
    print(f"{len(collected)} hands, {sum(len(hand.glyphs) for hand in collected):,} glyphs")


def collect(split: Split, name: str, settings: dict[str, Any]) -> Hand:
    """Fetch one hand's package in its listed version and draw its glyphs.

    Raises:
        ValueError: when the package is not what the registry says, its license is another, or a digit lacks.
    """
    files = fetched(name, settings["version"])
    license_ = json.loads(files["metadata.json"])["license"]
    if license_["type"] not in LICENSES:
        raise ValueError(f"{name}: license {license_['type']}, not {' or '.join(LICENSES)}")
    glyphs: dict[str, Bitmap] = {}
    for alphabet in ALPHABETS:
        font = files.get(f"{name}-{alphabet}-400-normal.woff")
        if font is not None:
            glyphs |= drawn(ImageFont.truetype(io.BytesIO(font), _SIZE))
    ordered = {sign: glyphs[sign] for sign in DIGITS + NEGATIVES if sign in glyphs}
    if len({ordered[digit].tobytes() for digit in DIGITS if digit in ordered}) < len(DIGITS):
        raise ValueError(f"{name}: has not ten different digits")
    return Hand(
        name=name,
        designer=settings["designer"],
        school=settings.get("school"),
        split=split,
        version=settings["version"],
        license=license_["type"],
        copyright=license_["attribution"],
        glyphs=ordered,
    )


def fetched(name: str, version: str) -> dict[str, bytes]:
    """The files of a package by their own names, checked against the registry's digest."""
    with urllib.request.urlopen(f"{REGISTRY}/{name}/{version}", timeout=60) as answer:  # noqa: S310 (the address of the registry)
        dist = json.load(answer)["dist"]
    with urllib.request.urlopen(dist["tarball"], timeout=120) as answer:  # noqa: S310 (as above)
        package = answer.read()
    digest = "sha512-" + base64.b64encode(hashlib.sha512(package).digest()).decode()
    if digest != dist["integrity"]:
        raise ValueError(f"{name}: the package's digest is not the registry's")
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        members = [member for member in archive.getmembers() if member.isfile()]
        return {member.name.rpartition("/")[2]: _content(archive, member) for member in members}


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    assert file is not None  # a file, as its kind says
    return file.read()


def drawn(font: ImageFont.FreeTypeFont) -> dict[str, Bitmap]:
    """What a font has of the digits and negatives: bool (60, 60) by character."""
    missing = bitmap(font, _NOTHING)
    glyphs = {sign: bitmap(font, sign) for sign in DIGITS + NEGATIVES}
    return {
        sign: own
        for sign, own in glyphs.items()
        if own is not None and (missing is None or (own != missing).any())
    }


def bitmap(font: ImageFont.FreeTypeFont, character: str) -> Bitmap | None:
    """A character's ink, bool (60, 60), its longer side 60 and centered; None where nothing is drawn."""
    left, top, right, bottom = (round(edge) for edge in font.getbbox(character))
    sheet = Image.new("L", (max(right - left, 1), max(bottom - top, 1)))
    ImageDraw.Draw(sheet).text((-left, -top), character, fill=255, font=font)
    edges = sheet.getbbox()  # of the ink: the font's own box may be wider
    if edges is None:
        return None
    large = sheet.crop(edges)
    scale = BOX / max(large.size)
    width, height = (max(1, round(length * scale)) for length in large.size)
    box = Image.new("L", (BOX, BOX))
    box.paste(large.resize((width, height), Image.Resampling.BOX), ((BOX - width) // 2, (BOX - height) // 2))
    ink: Bitmap = np.asarray(box) >= 64  # a hairline that covers a quarter of a point stays
    return ink


def check_different(collected: list[Hand]) -> None:
    """Refuse a hand whose digits another has: no font counts twice.

    Raises:
        ValueError: which two are the same.
    """
    digits = [np.stack([hand.glyphs[digit] for digit in DIGITS]) for hand in collected]
    for second in range(len(digits)):
        for first in range(second):
            both = (digits[first] | digits[second]).sum(axis=(1, 2))
            differ = (digits[first] ^ digits[second]).sum(axis=(1, 2))
            if (differ / both).mean() < SAME_HAND:
                names = f"{collected[first].name} and {collected[second].name}"
                raise ValueError(f"{names} are the same hand")


if __name__ == "__main__":
    main()
