"""The reading in C gives the tiles and the refusals of the reading in Python, and stays inside its memory."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pairedge
from benchmarks.reading_in_c import (
    Levels,
    compile_reader,
    enlarged,
    levels_of,
    picture_sets,
    read_in_c,
    read_in_python,
)
from benchmarks.records import RESULTS, ReadingRecord, read_record
from pairedge.image.limits import LONGEST_SIDE
from pairedge_train.randomness import seeded
from pairedge_train.rendering.conditions import CONDITIONS
from pairedge_train.rendering.glyphs import printed_digits
from pairedge_train.rendering.pen_digits import Look, draw_digit

SANITIZED = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With sanitizers: reading beyond the memory that was asked for ends the program."""
    return compiled("gcc", tmp_path_factory.mktemp("reader"), *SANITIZED)


def compiled(compiler: str, folder: Path, *options: str) -> Path:
    if shutil.which(compiler) is None and not os.environ.get("CI"):
        pytest.skip(f"needs {compiler}")
    return compile_reader(folder, *options, compiler=compiler)


@pytest.fixture(scope="module")
def pictures() -> dict[str, list[Levels]]:
    digits, _ = printed_digits(20, seeded("test of the reading"))
    return dict(picture_sets(digits, 2))


@pytest.mark.slow
def test_every_rendered_condition_gives_the_same_tiles_and_refusals(
    reader: Path, pictures: dict[str, list[Levels]]
) -> None:
    assert set(pictures) == {*CONDITIONS, "negatives", "enlarged"}
    assert max(max(levels.shape) for levels in pictures["enlarged"]) > LONGEST_SIDE
    everything = [levels for each in pictures.values() for levels in each]
    expected, actual = [read_in_python(levels) for levels in everything], read_in_c(reader, everything)
    assert [read.status for read in actual] == [read.status for read in expected]
    apart = np.array([read.tile for read in actual], int) - [read.tile for read in expected]
    assert np.mean(np.abs(apart) <= 1) >= 0.999
    model = pairedge.load()
    in_c, in_python = (
        model.classify_batch(np.array([read.tile for read in reads])) for reads in (actual, expected)
    )
    assert np.array_equal(in_c.digit, in_python.digit)


def test_the_kept_campaign_meets_its_targets() -> None:
    sets = read_record(RESULTS / "reading_in_c.json", ReadingRecord).sets
    assert {row.name for row in sets} >= set(CONDITIONS)
    assert sum(row.pictures for row in sets) >= 10_000
    assert sum(row.levels_within_one for row in sets) >= 0.999 * sum(row.levels for row in sets)
    assert all(row.same_status == row.pictures for row in sets)


def two_digits() -> Levels:
    one = np.asarray(draw_digit(3, Look(size=(160, 160), height=0.5)))
    return np.concatenate([one, one], axis=1)


def transparent(covered: float) -> Levels:
    """A digit drawn on nothing, or on a page that is opaque but for a share of it."""
    opaque = draw_digit(5, Look(size=(120, 120), height=0.6)).convert("RGBA")
    levels = np.array(opaque)
    levels[..., 3] = np.where(levels[..., 0] < 128, 255, 0)
    levels[: round(covered * 120), :, 3] = 255
    return levels


def colorful_border() -> Levels:
    """A border of which no part is the color of its median."""
    levels = np.zeros((90, 90, 3), np.uint8)
    stripes = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)[np.arange(90) % 3]
    levels[0] = levels[-1] = levels[:, 0] = levels[:, -1] = stripes
    return levels


def faint_bar(levels_apart: int) -> Levels:
    levels = np.full((90, 90), 100, np.uint8)
    levels[20:70, 40:46] -= np.uint8(levels_apart)
    return levels


def small(*digits: int, size: tuple[int, int] = (40, 60), height: float = 0.6) -> Levels:
    """Digits side by side, in pictures of this width and height each."""
    drawn = [np.asarray(draw_digit(digit, Look(size=size, height=height))) for digit in digits]
    return np.concatenate(drawn, axis=1)


def small_page() -> Levels:
    """A small digit on a line, in a frame's corner, with specks."""
    levels = small(3, size=(60, 60)).copy()
    levels[48] = levels[:, 4] = levels[8, 50:53] = levels[20, 12] = 0
    return levels


CASES: dict[str, Levels] = {
    "two small digits": small(1, 7, size=(30, 40)),
    "two small digits in gray": small(4, 2, size=(30, 40)).min(axis=2),
    "a small digit on a line": small_page(),
    "a small digit from border to border": small(7, size=(18, 18), height=0.95)[2:-2, 2:-2],
    "a tiny digit": small(0, size=(14, 14), height=0.9),
    "blank": np.full((100, 80), 200, np.uint8),
    "one pixel": np.zeros((1, 1, 3), np.uint8),
    "a single row": np.arange(256, dtype=np.uint8)[None, :],
    "a very long row": np.tile(np.arange(256, dtype=np.uint8), (3, 40)),
    "a single column": np.arange(120, dtype=np.uint8)[:, None],
    "two digits": two_digits(),
    "nothing opaque": np.zeros((50, 50, 4), np.uint8),
    "on nothing": transparent(0.0),
    "on a page with a hole": transparent(0.7),
    "on nothing, large": enlarged(transparent(0.0)),
    "a border of many colors": colorful_border(),
    "ink at the threshold": faint_bar(8),
    "ink below the threshold": faint_bar(7),
    "a checkerboard": np.uint8(255) * (np.indices((128, 128)).sum(0) % 2).astype(np.uint8),
    "noise": np.random.default_rng(0).integers(0, 256, (401, 399, 3), np.uint8),
    "a symmetric bar": np.pad(np.full((40, 9), 255, np.uint8), 30),
    "an opaque square": np.asarray(Image.new("RGBA", (64, 64), "red")),
}


@pytest.mark.parametrize("case", CASES)
def test_odd_pictures_give_the_same_too(reader: Path, case: str) -> None:
    [actual], expected = read_in_c(reader, [CASES[case]]), read_in_python(CASES[case])
    assert actual.status == expected.status
    assert np.array_equal(actual.tile, expected.tile)


def test_the_cases_reach_every_answer() -> None:
    assert {read_in_python(levels).status for levels in CASES.values()} == {"ok", "no-ink", "several"}


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_both_compilers_take_it_without_a_word(compiler: str, tmp_path: Path) -> None:
    program = compiled(compiler, tmp_path, "-O2")
    [read] = read_in_c(program, [np.asarray(draw_digit(7, Look(size=(120, 120), height=0.6)))])
    assert read.status == "ok"


def test_pixels_of_a_file_are_those_that_python_reads() -> None:
    image = Image.new("P", (8, 8))
    assert levels_of(image).shape == (8, 8, 3)
