"""`pairedge tile` draws the steps of reading a picture, and what it draws is what was read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import click
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from pairedge.cli.shared import save
from pairedge.drawing import draw_steps
from pairedge.errors import SeveralDigitsError
from pairedge.image import read_picture, to_tile
from pairedge_train.rendering.pen_digits import Look, draw_digit

Command = Callable[..., CompletedProcess[str]]

FOLDER = Path(__file__).parents[3] / "examples"
NAMES = sorted(path.name for path in FOLDER.glob("*.png"))


def blocks(drawing: Image.Image, right: int, top: int, side: int) -> NDArray[np.uint8]:
    """The gray levels of a tile drawn with its upper right corner there: the middle of each of its pixels."""
    gray = np.asarray(drawing.convert("L"))[top : top + side, right - side : right]
    half = side // 14 // 2
    return gray[half :: side // 14, half :: side // 14]


@pytest.mark.parametrize("name", NAMES)
def test_the_last_step_drawn_is_the_tile(name: str, tmp_path: Path, command: Command) -> None:
    path = tmp_path / "steps.png"
    answer = command("tile", FOLDER / name, "-o", path)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    with Image.open(path) as drawing:
        drawn = blocks(drawing, drawing.width - 40, 78, 252)
    np.testing.assert_array_equal(drawn, to_tile(FOLDER / name))


def test_each_step_adds_an_image(tmp_path: Path) -> None:
    reading = read_picture(FOLDER / "three.png")
    steps = ("pixels", "ink", "strokes", "field", "tile")
    partial = [replace(reading, **dict.fromkeys(steps[count:])) for count in range(2, len(steps))]
    widths = [draw_steps(each, "three").width for each in partial]
    assert len(set(np.diff(widths))) == 1
    assert min(np.diff(widths)) > 252


def test_a_ready_tile_is_its_only_step(tiles: NDArray[np.uint8]) -> None:
    drawing = draw_steps(read_picture(tiles[4]), "tile")
    np.testing.assert_array_equal(blocks(drawing, 40 + 252, 78, 252), tiles[4])


def test_a_picture_from_standard_input_is_drawn(tmp_path: Path, command: Command) -> None:
    answer = command("tile", "-", "-o", tmp_path / "a.jpg", stdin=(FOLDER / "nine.png").read_bytes())
    assert answer.returncode == 0
    with Image.open(tmp_path / "a.jpg") as drawing:
        assert drawing.format == "JPEG"


@pytest.mark.parametrize(
    ("name", "reason"), [("a.digit", "unknown file extension: .digit"), ("no/a.png", "no such file")]
)
def test_a_drawing_that_cannot_be_written_is_reported_in_one_sentence(
    name: str, reason: str, tmp_path: Path, command: Command
) -> None:
    answer = command("tile", FOLDER / "nine.png", "-o", tmp_path / name)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith(f"Error: {tmp_path / name}: {reason}")


def test_names_of_any_kind_and_length_are_written(tiles: NDArray[np.uint8]) -> None:
    reading = read_picture(tiles[4])
    for name in ("", "a" * 500, "\udcff.png", "八\n.png"):
        assert draw_steps(reading, name).size == draw_steps(reading, "tile").size


def test_the_steps_before_a_refusal_are_drawn(tmp_path: Path, command: Command) -> None:
    path, drawn = tmp_path / "two.png", tmp_path / "steps.png"
    digits = [np.asarray(draw_digit(digit, Look(size=(160, 240)))) for digit in (3, 7)]
    Image.fromarray(np.hstack(digits)).save(path)
    answer = command("tile", path, "-o", drawn)
    assert answer.returncode == 4
    assert answer.stderr.startswith(f"Error: {path}: several digits found")
    with Image.open(drawn) as drawing, pytest.raises(SeveralDigitsError) as refused:
        to_tile(path)
    assert refused.value.reading is not None
    assert list(refused.value.reading.drawings()) == ["picture", "ink"]
    assert drawing.size == draw_steps(refused.value.reading, "two").size


def test_nothing_is_drawn_of_what_cannot_be_read(tmp_path: Path, command: Command) -> None:
    answer = command("tile", tmp_path / "no.png", "-o", tmp_path / "steps.png")
    assert answer.returncode == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("size", [(1, 40), (40, 1), (1, 1)])
def test_a_picture_of_one_line_is_drawn(size: tuple[int, int], tmp_path: Path, command: Command) -> None:
    Image.new("L", size, 255).save(tmp_path / "line.png")
    answer = command("tile", tmp_path / "line.png", "-o", tmp_path / "steps.png")
    assert answer.returncode == 3
    assert "no ink found" in answer.stderr
    assert (tmp_path / "steps.png").exists()


def test_an_ending_that_is_not_written_is_refused_in_one_sentence(tmp_path: Path, command: Command) -> None:
    Image.init()
    unwritten = {end for end, kind in Image.registered_extensions().items() if kind not in Image.SAVE}
    assert len(unwritten) > 10
    for ending in (*unwritten, ".xyz", ""):
        path = str(tmp_path / f"steps{ending}")
        with pytest.raises(click.ClickException, match=rf"^{re.escape(path)}: [^\n]+$"):
            save(Image.new("RGB", (4, 4)), path)
    assert list(tmp_path.iterdir()) == []
    answer = command("tile", FOLDER / "nine.png", "-o", tmp_path / "steps.psd")
    assert answer.returncode == 1
    assert answer.stderr == f"Error: {tmp_path / 'steps.psd'}: Pillow writes no psd pictures; name it .png\n"
