"""A picture costs little memory and time, whatever its file announces."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from PIL import Image, ImageOps

from pairedge import GraphError, ImageError, load
from pairedge.image import limits
from pairedge.image.decode import open_picture, to_pixels
from pairedge.image.shrink import shrink
from pairedge.image.tile import to_tile

from .hostile import HOSTILE

Command = Callable[..., CompletedProcess[str]]
Interpreter = Callable[..., str]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_small_file_that_would_cost_much_is_refused(name: str) -> None:
    make, reason = HOSTILE[name]
    with pytest.raises(ImageError) as refusal:
        to_tile(make())
    assert reason in str(refusal.value)


def test_none_of_them_takes_memory_before_it_is_refused(interpreter: Interpreter) -> None:
    code = """
import pairedge
from pairedge.cold_start import peak_memory
from pairedge.image.tile import to_tile
from tests.pairedge.image.hostile import HOSTILE
contents = [make() for make, _ in HOSTILE.values()]
before = peak_memory()
for content in contents:
    try:
        to_tile(content)
    except pairedge.ImageError:
        pass
print(peak_memory() - before)
"""
    assert int(interpreter(code)) < 64_000_000


def test_a_picture_of_the_most_pixels_takes_at_most_300_mb(interpreter: Interpreter) -> None:
    code = """
from pairedge.cold_start import peak_memory
from pairedge.image.decode import open_picture, to_pixels
from tests.pairedge.image.hostile import deep_png
content = deep_png()
before = peak_memory()
pixels = to_pixels(open_picture(content))
assert pixels.shape == (400, 400, 1) and pixels[0, 0] == 0 and pixels[0, -1] == 255, pixels
print(peak_memory() - before)
"""
    assert int(interpreter(code)) < 300_000_000


@pytest.mark.parametrize("mode", ["P", "CMYK", "1", "LA", "I;16", "F"])
def test_shrinking_strip_by_strip_equals_shrinking_at_once(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of a height without ties, where a row would lie exactly on the edge of the filter.
    levels = np.random.default_rng(0).integers(0, 256, (1232, 777), np.uint8)
    image = (
        Image.fromarray(levels.astype({"I;16": np.uint16, "F": np.float32}[mode]))
        if mode in ("I;16", "F")
        else Image.fromarray(levels).convert(mode)
    )
    target = {"P": "RGB", "CMYK": "RGB", "1": "L", "LA": "RGBA"}.get(mode, "F")
    at_once = np.asarray(shrink(image, target), np.float32)
    monkeypatch.setattr("pairedge.image.shrink._STRIP", 20_000)
    by_strips = np.asarray(shrink(image, target), np.float32)
    assert at_once.shape[:2] == (400, 252)
    np.testing.assert_allclose(by_strips, at_once, atol=1)  # a level of rounding


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_picture_is_turned_as_exif_says(turn: int) -> None:
    # What Pillow does is the reference; turning comes after shrinking here, to turn less.
    levels = np.random.default_rng(1).integers(0, 256, (30, 50), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = turn
    for kind in ("PNG", "TIFF", "WEBP", "JPEG"):
        stream = io.BytesIO()
        Image.fromarray(levels).save(stream, kind, exif=exif)
        stored = Image.open(stream)
        upright = np.asarray(ImageOps.exif_transpose(stored).convert("L"), np.float32)
        pixels = to_pixels(open_picture(stream.getvalue()))
        np.testing.assert_allclose(pixels.mean(axis=2), upright, atol=1)


def test_limits_can_be_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LARGEST_PICTURE", 10_000)
    with pytest.raises(ImageError, match="101 x 100 pixels: a picture may have 1 to"):
        to_tile(Image.new("L", (101, 100)))
    monkeypatch.setattr(limits, "LARGEST_FILE", 10)
    with pytest.raises(ImageError, match="is larger than"):
        to_tile(io.BytesIO(bytes(11)))


@pytest.fixture
def endless(tmp_path: Path) -> dict[str, tuple[Path, str]]:
    """Files that are no regular files, or too large."""
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(2_200_000_000)
    not_regular = "is not a regular file"
    return {
        "device": (Path("/dev/zero"), not_regular),
        "pipe": (tmp_path / "pipe", not_regular),
        "sparse": (tmp_path / "sparse", "is larger than"),
    }


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
@pytest.mark.parametrize("name", ["device", "pipe", "sparse"])
def test_what_has_no_end_is_not_read(
    endless: dict[str, tuple[Path, str]], command: Command, name: str
) -> None:
    path, reason = endless[name]
    with pytest.raises(ImageError, match=rf"^{path}: {reason}"):
        to_tile(path)
    with pytest.raises(GraphError, match=rf"^{path}: {reason}"):
        load(path)
    for arguments in (["classify", path], ["predict", "--model", path, "a.png", "b.png"], ["info", path]):
        answer = command(*arguments)
        row = f"{path}: no answer  unreadable\n" if arguments[0] == "classify" else ""
        assert (answer.returncode, answer.stdout) == (1, row)
        assert answer.stderr.startswith(f"Error: {path}: {reason}")
        assert answer.stderr.count("\n") == 1
