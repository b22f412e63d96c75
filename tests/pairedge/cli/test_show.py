"""`pairedge predict --show` draws a pair and its answer; the answer itself is printed as ever."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

import pairedge
from pairedge.drawing import draw_pair
from pairedge.image import Reading, read_picture

Command = Callable[..., CompletedProcess[str]]
Interpreter = Callable[..., str]

FOLDER = Path(__file__).parents[3] / "examples"
THREE, SEVEN = (FOLDER / f"{name}.png" for name in ("three", "seven"))
BASE = Path(__file__).parents[1] / "graphs" / "base.onnx"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All texts that are drawn from now on."""
    texts = []
    draw = ImageDraw.ImageDraw.text

    def keep_and_draw(pen: ImageDraw.ImageDraw, place: object, text: str, *rest: object) -> None:
        texts.append(text)
        draw(pen, place, text, *rest)  # type: ignore[arg-type]  # the rest is passed on as it came

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", keep_and_draw)
    return texts


def test_the_answer_is_printed_and_drawn(command: Command, tmp_path: Path, written: list[str]) -> None:
    path = tmp_path / "pair.png"
    answer = command("predict", SEVEN, THREE, "--show", path)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout == command("predict", SEVEN, THREE).stdout
    assert "7 > 3" in written
    assert answer.stdout.split("  ")[1].strip() in written
    with Image.open(path) as drawing:
        assert drawing.format == "PNG"


def test_an_uncertain_answer_is_drawn_as_such(command: Command, tmp_path: Path, written: list[str]) -> None:
    answer = command("predict", THREE, SEVEN, "--show", tmp_path / "pair.png", "--min-confidence", "1")
    assert answer.returncode == 1
    assert any(text.startswith("uncertain: confidence ") for text in written)


def test_a_model_without_digit_head_is_drawn_without_bars(
    command: Command, tmp_path: Path, written: list[str]
) -> None:
    for model in ([], ["--model", str(BASE)]):
        command("predict", THREE, SEVEN, "--show", tmp_path / f"{len(model)}.png", *model)
    with Image.open(tmp_path / "0.png") as bars, Image.open(tmp_path / "2.png") as none:
        assert none.width < bars.width
        assert none.height == bars.height
    assert written.count("which digit?") == 1


def test_ready_tiles_can_be_drawn(model: pairedge.PairModel, tiles: NDArray[np.uint8]) -> None:
    readings = [read_picture(tile) for tile in tiles[[4, 9]]]
    drawing = draw_pair(readings, ("four", "nine"), model.predict(tiles[4], tiles[9]))
    whole = draw_pair(
        [read_picture(path) for path in (THREE, SEVEN)], ("three", "seven"), model.predict(THREE, SEVEN)
    )
    assert drawing.width < whole.width


def test_nothing_is_drawn_of_a_pair_that_was_refused(command: Command, tmp_path: Path) -> None:
    answer = command("predict", THREE, "gone.png", "--show", tmp_path / "pair.png")
    assert answer.returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_images_of_the_steps_are_made_only_when_they_are_asked_for(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn, drawings = [], Reading.drawings

    def keep_and_draw(reading: Reading) -> dict[str, NDArray[Any]]:
        drawn.append(reading)
        return drawings(reading)

    monkeypatch.setattr(Reading, "drawings", keep_and_draw)
    assert command("predict", THREE, SEVEN).returncode == 0
    assert len(drawn) == 0
    assert command("predict", THREE, SEVEN, "--show", tmp_path / "pair.png").returncode == 0
    assert len(drawn) == 2


def test_drawing_is_imported_only_when_it_is_asked_for(interpreter: Interpreter) -> None:
    code = "import sys; from pairedge.cli import main; main(sys.argv[1:], standalone_mode=False)"
    code += "; print(sorted({'pairedge.drawing', 'PIL.ImageDraw', 'PIL.ImageFont'} & set(sys.modules)))"
    assert interpreter(code, "predict", THREE, SEVEN).splitlines()[-1] == "[]"
