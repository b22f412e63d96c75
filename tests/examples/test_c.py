"""The programs of examples/c/ give the answers of pairedge: on this machine, and on an emulated Cortex-M4."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import pairedge
from pairedge.cli.predict import command
from pairedge_train.data.datasets import DataSet

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of examples/c/, in which to build."""
    return Path(shutil.copytree(ROOT / "examples" / "c", tmp_path / "c"))


def make(folder: Path, target: str, *settings: str) -> subprocess.CompletedProcess[str]:
    paths = (
        f"MODEL={ROOT / 'artifacts' / 'aux_ws'}",
        f"READING={ROOT / 'export' / 'pairedge_export' / 'reading'}",
    )
    return subprocess.run(
        ["make", target, *paths, *settings], cwd=folder, capture_output=True, text=True, check=True
    )


def test_two_files_are_compared_as_pairedge_predict_does(
    folder: Path, monkeypatch: pytest.MonkeyPatch, needs: Callable[..., None]
) -> None:
    needs("make", "gcc")
    make(folder, "compare", "CC=gcc", "CFLAGS=-O1 -fsanitize=address,undefined")
    monkeypatch.chdir(folder)
    for name in ("three", "seven", "nine", "zero"):
        Image.open(ROOT / "examples" / f"{name}.png").convert("L").save(f"{name}.pgm")
    for pair in (["three.pgm", "seven.pgm"], ["nine.pgm", "zero.pgm"]):
        done = subprocess.run(["./compare", *pair], capture_output=True, text=True, check=True)
        assert done.stdout == CliRunner().invoke(command, pair).stdout


def test_what_is_no_picture_of_a_digit_is_one_sentence(folder: Path, needs: Callable[..., None]) -> None:
    needs("make", "gcc")
    make(folder, "compare", "CC=gcc", "CFLAGS=-O1 -fsanitize=address,undefined")
    Image.new("L", (50, 50), 200).save(folder / "blank.pgm")
    (folder / "cut.pgm").write_bytes((folder / "blank.pgm").read_bytes()[:1000])
    (folder / "huge.pgm").write_bytes(b"P5\n99999 99999\n255\n")
    (folder / "text.pgm").write_bytes(b"three")
    (folder / "empty.pgm").write_bytes(b"")
    unusable = "is not a picture that can be read"
    for name, reason in {
        "blank.pgm": "shows no digit",
        "cut.pgm": unusable,
        "huge.pgm": unusable,
        "text.pgm": unusable,
        "empty.pgm": unusable,
        "missing.pgm": "cannot be opened",
    }.items():
        done = subprocess.run(
            ["./compare", name, name], cwd=folder, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr, done.stdout) == (1, f"{name}: {reason}\n", "")


def test_a_cortex_m_gives_the_same_digits_and_probabilities(
    folder: Path, uci: DataSet, needs: Callable[..., None]
) -> None:
    needs("make", "arm-none-eabi-gcc", "qemu-system-arm")
    tiles = uci.test.tiles[:100]
    pairs = np.stack([tiles, np.roll(tiles, 1, axis=0)], axis=1)
    (folder / "pairs.bin").write_bytes(pairs.tobytes())
    sizes = make(folder, "cortex_m.elf").stdout
    flash, memory = (int(size) for size in re.findall(r"^\s*(\d+)\s+\d+\s+(\d+)", sizes, re.MULTILINE)[0])
    assert flash < 150_000  # bytes, of which the weights are 141,256
    assert memory < 1_000  # beside the stack
    done = make(folder, "run")
    lines = re.findall(r"^(\d) (\d) ([\d.]+)$", done.stdout + done.stderr, re.MULTILINE)
    expected = pairedge.load().predict_batch(pairs)
    assert [(int(first), int(second)) for first, second, _ in lines] == [
        (first, second) for first, second in expected.digits.tolist()
    ]
    found = np.array([float(probability) for *_, probability in lines])
    assert np.abs(found - expected.probability).max() <= 1e-5
