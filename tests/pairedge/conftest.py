"""What the runtime's tests share: the shipped model, drawn tiles, the command, and a fresh interpreter."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Mapping
from os import environ
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from numpy.typing import NDArray

import pairedge
from pairedge.cli import main
from pairedge.image.tile import to_tile
from pairedge_train.rendering.pen_digits import Look, draw_digit


@pytest.fixture(scope="session")
def model() -> pairedge.PairModel:
    return pairedge.load()


@pytest.fixture(scope="session")
def tiles() -> NDArray[np.uint8]:
    """Tiles of the digits 0 to 9, drawn upright and leaning, uint8 (20, 14, 14)."""
    return np.stack([to_tile(draw_digit(digit, Look(slant=s))) for s in (0.0, 0.2) for digit in range(10)])


@pytest.fixture(scope="session")
def pairs(tiles: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pairs of those tiles in random order, uint8 (2500, 2, 14, 14)."""
    return tiles[np.random.default_rng(0).integers(0, len(tiles), (2500, 2))]


@pytest.fixture
def command(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., CompletedProcess[str]]:
    """Run `pairedge` with arguments and standard input, as a shell would."""

    def run(*arguments: str | Path, stdin: bytes = b"") -> CompletedProcess[str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as done:
            main([str(argument) for argument in arguments], prog_name="pairedge")
        return CompletedProcess(arguments, int(done.value.code or 0), *capfd.readouterr())

    return run


@pytest.fixture
def interpreter() -> Callable[..., str]:
    """Run code in a fresh interpreter and give what it printed."""

    def run(code: str, *arguments: str | Path, env: Mapping[str, str] | None = None) -> str:
        completed = subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            capture_output=True,
            text=True,
            env={**environ, **(env or {})},
            check=False,
        )
        assert completed.returncode == 0, completed.stderr
        assert completed.stderr == ""
        return completed.stdout

    return run
