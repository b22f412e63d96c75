"""Handwriting fonts as writers: who they are, that none counts twice, and how they are collected."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
from collections import Counter
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import get_args

import matplotlib as mpl
import numpy as np
import pytest
from numpy.random import default_rng
from PIL import ImageFont

from pairedge_train.rendering import collect_hands
from pairedge_train.rendering import hands as hands_module
from pairedge_train.rendering.collect_hands import bitmap, check_different, collect, drawn, fetched
from pairedge_train.rendering.hands import (
    BOX,
    DIGITS,
    LOOKALIKES,
    NEGATIVES,
    NEGATIVES_OF,
    Hand,
    all_hands,
    hands,
    listed,
    store,
    written_glyph,
)
from pairedge_train.rendering.split import Split

SPLITS: tuple[Split, ...] = get_args(Split)
FONTS = Path(mpl.get_data_path()) / "fonts" / "ttf"


def test_there_are_many_hands_by_many_designers_from_many_schools() -> None:
    everyone = all_hands()
    assert len({hand.name for hand in everyone}) == len(everyone) >= 150
    assert len({hand.designer for hand in everyone}) >= 100
    assert len({hand.school for hand in everyone if hand.school}) >= 15
    assert {hand.license for hand in everyone} <= {"OFL-1.1", "Apache-2.0"}
    assert all(hand.copyright for hand in everyone)


def test_the_glyphs_are_those_of_the_list() -> None:
    flat = {
        name: (part, settings["version"], settings["designer"])
        for part, named in listed().items()
        for name, settings in named.items()
    }
    assert {hand.name: (hand.split, hand.version, hand.designer) for hand in all_hands()} == flat


def test_a_designer_has_hands_in_one_part_only() -> None:
    parts = Counter(designer for designer, _ in {(hand.designer, hand.split) for hand in all_hands()})
    assert set(parts.values()) == {1}
    assert len(hands("training")) >= 100
    assert len(hands("validation")) == 20
    assert len(hands("test")) == 30


def test_every_hand_has_ten_different_digits_that_nearly_fill_the_box() -> None:
    for hand in all_hands():
        digits = [hand.glyphs[digit] for digit in DIGITS]
        assert len({digit.tobytes() for digit in digits}) == 10, hand.name
        for digit in digits:
            rows, columns = np.flatnonzero(digit.any(axis=1)), np.flatnonzero(digit.any(axis=0))
            longest = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
            assert 58 <= longest <= BOX, hand.name


def test_no_two_hands_are_the_same() -> None:
    check_different(list(all_hands()))


def test_a_hand_that_another_is_already_is_refused() -> None:
    one = all_hands()[0]
    with pytest.raises(ValueError, match=f"{one.name} and twin are the same hand"):
        check_different([one, replace(one, name="twin")])


def test_negatives_leave_out_what_looks_like_a_digit_and_each_split_has_its_own() -> None:
    assert not set(NEGATIVES) & set(LOOKALIKES)
    assert set("OoIlSZBgq") <= set(LOOKALIKES)
    assert set(chain(*NEGATIVES_OF.values())) == set(NEGATIVES)
    for hand in all_hands():
        each = [set(hand.negatives(split)) for split in SPLITS]
        assert sum(map(len, each)) == len(set.union(*each)) == len(set(hand.glyphs) - set(DIGITS))
    for split in SPLITS:
        assert all(len(hand.negatives(split)) >= 4 for hand in hands(split)), split
    assert any("Δ" in hand.glyphs for hand in hands("training"))


def test_storing_hands_and_reading_them_gives_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = [hand for hand in all_hands() if hand.name in ("caveat", "gochi-hand", "playwrite-at")]
    monkeypatch.setattr(hands_module, "GLYPHS", tmp_path / "hands.npz")
    store(some)
    first = (tmp_path / "hands.npz").read_bytes()
    all_hands.cache_clear()
    try:
        read = all_hands()
        store(list(read))
    finally:
        all_hands.cache_clear()
    assert (tmp_path / "hands.npz").read_bytes() == first
    for stored, again in zip(some, read, strict=True):
        assert replace(again, glyphs={}) == replace(stored, glyphs={})
        assert {sign: ink.tobytes() for sign, ink in again.glyphs.items()} == {
            sign: ink.tobytes() for sign, ink in stored.glyphs.items()
        }


def test_a_glyph_written_twice_differs_a_little_and_by_one_seed_not_at_all() -> None:
    glyph = hands("training")[0].glyphs["4"]
    one, same, other = (written_glyph(glyph, default_rng(seed)) for seed in (1, 1, 2))
    assert one.shape == (84, 84)
    assert (one == same).all()
    ink = (one >= 0.5) | (other >= 0.5)
    assert 0.02 < ((one >= 0.5) != (other >= 0.5)).sum() / ink.sum() < 0.7


def test_a_font_gives_its_own_glyphs_and_not_the_sign_of_a_missing_one() -> None:
    font = ImageFont.truetype(FONTS / "cmr10.ttf", 160)  # it has no Cyrillic
    glyphs = drawn(font)
    assert set(DIGITS) <= set(glyphs)
    assert "Ж" not in glyphs
    one = bitmap(font, "1")
    assert one is not None
    assert one.shape == (BOX, BOX)
    assert bitmap(font, " ") is None


def _registry(folder: Path, *, license_: str = "OFL-1.1", broken: bool = False, lacks: str = "") -> str:
    """A package registry of one hand in a folder; its address."""
    font = (FONTS / "DejaVuSans.ttf").read_bytes()
    about = {"license": {"type": license_, "attribution": "Copyright 2003 Bitstream"}}
    package = io.BytesIO()
    with tarfile.open(fileobj=package, mode="w:gz") as archive:
        for name, content in {
            "metadata.json": json.dumps(about).encode(),
            "plain-latin-400-normal.woff": b"" if lacks else font,
        }.items():
            member = tarfile.TarInfo(f"package/files/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    (folder / "plain.tgz").write_bytes(package.getvalue())
    digest = base64.b64encode(hashlib.sha512(b"" if broken else package.getvalue()).digest()).decode()
    dist = {"tarball": (folder / "plain.tgz").as_uri(), "integrity": f"sha512-{digest}"}
    (folder / "plain").mkdir()
    (folder / "plain" / "1.0.0").write_text(json.dumps({"dist": dist}))
    return folder.as_uri()


SETTINGS = {"version": "1.0.0", "designer": "Somebody"}


def test_a_hand_is_collected_from_the_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect_hands, "REGISTRY", _registry(tmp_path))
    hand = collect("training", "plain", SETTINGS)
    assert isinstance(hand, Hand)
    assert (hand.license, hand.copyright, hand.school) == ("OFL-1.1", "Copyright 2003 Bitstream", None)
    assert list(hand.glyphs)[:10] == list(DIGITS)
    assert set(hand.glyphs) <= set(DIGITS + NEGATIVES)


def test_another_license_and_a_changed_package_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, changed, match in (
        ("license", {"license_": "CC-BY-NC-4.0"}, "plain: license CC-BY-NC-4.0, not OFL-1.1 or Apache-2.0"),
        ("digest", {"broken": True}, "plain: the package's digest is not the registry's"),
    ):
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.setattr(collect_hands, "REGISTRY", _registry(folder, **changed))
        with pytest.raises(ValueError, match=match):
            collect("training", "plain", SETTINGS)
    assert "metadata.json" in fetched_names(tmp_path, monkeypatch)


def fetched_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    folder = tmp_path / "good"
    folder.mkdir()
    monkeypatch.setattr(collect_hands, "REGISTRY", _registry(folder))
    return set(fetched("plain", "1.0.0"))
