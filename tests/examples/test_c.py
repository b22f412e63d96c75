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
from numpy.typing import NDArray
from PIL import Image

import pairedge
from pairedge.cli.predict import command
from pairedge.graph import CONTRACTS
from pairedge_export.c.writing import c_files
from pairedge_export.precision import reduce_precision
from pairedge_train.data.datasets import DataSet

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "artifacts" / "aux_ws"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of examples/c/, in which to build."""
    return Path(shutil.copytree(ROOT / "examples" / "c", tmp_path / "c"))


def make(
    folder: Path, target: str, *settings: str, model: Path = SHIPPED
) -> subprocess.CompletedProcess[str]:
    paths = (
        f"MODEL={model}",
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


def in_int8(folder: Path, training: NDArray[np.uint8]) -> Path:
    """The model that ships with its graphs and C in int8."""
    fp32 = {kind: (SHIPPED / f"{kind}.onnx").read_bytes() for kind in CONTRACTS}
    graphs = reduce_precision(fp32, "int8", training)
    folder.mkdir()
    for name, content in (c_files(graphs) | {"pair.onnx": graphs["pair"]}).items():
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize(("precision", "most_flash"), [("fp32", 150_000), ("int8", 46_000)])
def test_a_cortex_m_gives_the_same_digits_and_probabilities(
    precision: str, most_flash: int, folder: Path, uci: DataSet, tmp_path: Path, needs: Callable[..., None]
) -> None:
    needs("make", "arm-none-eabi-gcc", "qemu-system-arm")
    model = SHIPPED if precision == "fp32" else in_int8(tmp_path / "int8", uci.training.tiles[:100])
    tiles = uci.test.tiles[:100]
    pairs = np.stack([tiles, np.roll(tiles, 1, axis=0)], axis=1)
    (folder / "pairs.bin").write_bytes(pairs.tobytes())
    sizes = make(folder, "cortex_m.elf", model=model).stdout
    flash, memory = (int(size) for size in re.findall(r"^\s*(\d+)\s+\d+\s+(\d+)", sizes, re.MULTILINE)[0])
    assert (
        flash < most_flash
    )  # bytes, of which the weights are 141,256 in fp32, and a quarter of that in int8
    assert memory < 1_000  # beside the stack
    done = make(folder, "run", model=model)
    lines = re.findall(r"^(\d) (\d) ([\d.]+)$", done.stdout + done.stderr, re.MULTILINE)
    expected = pairedge.load(model / "pair.onnx").predict_batch(pairs)
    assert [(int(first), int(second)) for first, second, _ in lines] == [
        (first, second) for first, second in expected.digits.tolist()
    ]
    found = np.array([float(probability) for *_, probability in lines])
    assert np.abs(found - expected.probability).max() <= 1e-5
