"""The proof of the C finds what is wrong with it, and what ships passes it in every vector width."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pairedge.graph import CONTRACTS
from pairedge_export.c.proof import FAST, SANITIZED, Build, builds, c_checks
from pairedge_export.errors import ExportError
from pairedge_export.parity import TOLERANCE
from pairedge_train.data.datasets import DataSet

SHIPPED = Path(__file__).parents[3] / "artifacts" / "aux_ws"
GRAPHS = {kind: (SHIPPED / f"{kind}.onnx").read_bytes() for kind in CONTRACTS}
FILES = {name: (SHIPPED / name).read_bytes() for name in ("pairedge.h", "pairedge.c")}
SMALL = Build("gcc", "gcc", ("-O1",))


@pytest.fixture(scope="module")
def tiles(uci: DataSet) -> NDArray[np.uint8]:
    return uci.test.tiles[:50]


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize(
    "flags", [SANITIZED, FAST, (*SANITIZED, "-DPAIREDGE_NO_VECTORS")], ids=["sanitized", "fast", "scalar"]
)
def test_what_ships_is_at_parity(
    compiler: str, flags: tuple[str, ...], tiles: NDArray[np.uint8], needs: Callable[..., None]
) -> None:
    needs(compiler)
    checks = c_checks(GRAPHS, FILES, tiles, [Build(compiler, compiler, flags)])
    assert {(check.graph, check.name.split(",")[0]) for check in checks} == {
        (kind, what) for kind in CONTRACTS for what in ("values", "decisions")
    }
    assert all(check.passed for check in checks)
    assert max(check.difference for check in checks if check.difference is not None) <= TOLERANCE


def broken(pattern: str, replacement: str) -> dict[str, bytes]:
    source, count = re.subn(pattern, replacement, FILES["pairedge.c"].decode(), count=1)
    assert count == 1
    return {**FILES, "pairedge.c": source.encode()}


def test_a_wrong_weight_is_found(tiles: NDArray[np.uint8], needs: Callable[..., None]) -> None:
    needs("gcc")
    checks = c_checks(GRAPHS, broken(r"(WEIGHTS_2\[\d+\] = \{\s+)[-.\d]+F", r"\g<1>1.0F"), tiles, [SMALL])
    assert not next(check for check in checks if check.graph == "pair").passed
    assert all(check.passed for check in checks if check.graph == "compare")


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_a_step_out_of_the_memory_is_found(
    compiler: str, tiles: NDArray[np.uint8], needs: Callable[..., None]
) -> None:
    needs(compiler)
    files = broken(r"float memory\[\d+\]", "float memory[4096]")
    with pytest.raises(ExportError, match=r"pairedge_pair was stopped: .*(overflow|space|bounds)"):
        c_checks(GRAPHS, files, tiles, [Build(compiler, compiler, SANITIZED)])


def test_a_warning_is_an_error(tiles: NDArray[np.uint8], needs: Callable[..., None]) -> None:
    needs("gcc")
    files = broken(r"float \*digits\)\n\{", "float *digits)\n{\n    int unused;")
    with pytest.raises(ExportError, match=r"gcc does not compile the C: .*unused"):
        c_checks(GRAPHS, files, tiles, [SMALL])


def test_without_a_compiler_there_is_no_proof() -> None:
    with pytest.raises(ExportError, match=r"^the C is proven by compiling it: install cc-1 or cc-2$"):
        builds(["cc-1", "cc-2"])


@pytest.mark.parametrize("flags", [FAST, ("-O2",), ("-Os", "-DPAIREDGE_NO_VECTORS")], ids=" ".join)
def test_no_call_needs_more_stack_than_the_header_says(
    flags: tuple[str, ...], tmp_path: Path, needs: Callable[..., None]
) -> None:
    needs("gcc")
    stated = int(re.search(rb"PAIREDGE_STACK (\d+)", FILES["pairedge.h"])[1])  # type: ignore[index]  # it is there
    command = ["gcc", "-std=c99", "-fstack-usage", *flags, "-c", str(SHIPPED / "pairedge.c")]
    subprocess.run(command, cwd=tmp_path, check=True)
    used = re.findall(
        r":(pairedge_\w+)\t(\d+)\t(?:static|dynamic,bounded)", (tmp_path / "pairedge.su").read_text()
    )
    assert {name for name, _ in used} == {f"pairedge_{kind}" for kind in CONTRACTS}
    assert max(int(size) for _, size in used) <= stated + 1024
