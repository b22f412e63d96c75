"""The C is added to an export, with its proof; what prevents that is one sentence, and nothing is written."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from pairedge_export import cli
from pairedge_export.c import adding, proof
from pairedge_export.c.adding import add_c
from pairedge_export.c.proof import Build
from pairedge_train.data.datasets import DataSet


@pytest.fixture
def folder(tmp_path: Path, exports: dict[str, tuple[Path, object]]) -> Path:
    """A copy of an export with three graphs."""
    return Path(shutil.copytree(exports["aux_ws"][0], tmp_path / "export"))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def write_c(folder: Path) -> Result:
    return CliRunner().invoke(cli.main, ["--c", str(folder)])


def test_the_c_is_written_beside_its_graphs(
    folder: Path, monkeypatch: pytest.MonkeyPatch, needs: Callable[..., None]
) -> None:
    needs("gcc")
    monkeypatch.setattr(adding, "builds", lambda: [Build("gcc", "gcc, -O1", ("-O1",))])
    before = contents(folder)
    for _ in range(2):  # the second time replaces the first
        result = write_c(folder)
        assert result.exit_code == 0, result.output
        assert re.search(r"✓ pair +decisions, as C, gcc, -O1 +0 of 1515 differ", result.stdout)
    after = contents(folder)
    assert set(after) - set(before) == {"pairedge.h", "pairedge.c"}
    assert all(after[name] == before[name] for name in before if name.endswith(".onnx"))
    checks, others = (json.loads(each["parity.json"])["checks"] for each in (after, before))
    assert [check for check in checks if check["kind"] != "c"] == others
    assert len(checks) - len(others) == 6
    card = after["card.md"].decode()
    assert f"`pairedge.c` {len(after['pairedge.c']):,} bytes" in card
    assert "- Parity of the C with the graphs: 6 checks" in card


def no_compiler(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(proof, "COMPILERS", ("no-such-cc",))
    patch.setattr(adding, "builds", lambda: proof.builds(proof.COMPILERS))


def no_pair(folder: Path, patch: pytest.MonkeyPatch) -> None:
    (folder / "pair.onnx").unlink()


def damaged(folder: Path, patch: pytest.MonkeyPatch) -> None:
    content = bytearray((folder / "digit.onnx").read_bytes())
    content[5000] ^= 1
    (folder / "digit.onnx").write_bytes(content)


def no_proof(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(adding, "builds", list)
    (folder / "parity.json").write_text("[]")


def endless_proof(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(adding, "builds", list)
    (folder / "parity.json").write_text("[" * 9000)


def differs(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(adding, "builds", lambda: [Build("gcc", "gcc", ("-O1",))])
    patch.setattr(proof, "compile_driver", lambda *_: Path("none"))
    patch.setattr(
        proof,
        "run",
        lambda _, graph, inputs: [
            np.zeros((len(next(iter(inputs.values()))), *graph.shapes[name][1:]), np.float32)
            for name in graph.outputs
        ],
    )


@pytest.mark.parametrize(
    ("prevent", "sentence"),
    [
        (no_compiler, r"the C is proven by compiling it: install no-such-cc"),
        (no_pair, r"pair\.onnx: no such file or directory"),
        (damaged, r"digit\.onnx: is damaged, or was edited after its export: its digest does not fit"),
        (no_proof, r"parity\.json: is no proof that pairedge-export has written"),
        (endless_proof, r"parity\.json: is no proof that pairedge-export has written"),
        (differs, r"the C does not compute what the graphs do, nothing was written: pair: values, as C, .*"),
    ],
)
def test_what_prevents_it_is_one_sentence(
    prevent: Callable[[Path, pytest.MonkeyPatch], None],
    sentence: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prevent(folder, monkeypatch)
    before = contents(folder)
    result = write_c(folder)
    assert result.exit_code == 1, result.output
    assert re.search(rf"^Error: .*{sentence}\n$", result.stderr)
    assert contents(folder) == before


def test_a_folder_that_cannot_be_written_keeps_what_it_has(
    folder: Path, uci: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adding, "builds", list)
    (folder / "pairedge.c").mkdir()  # a folder in the way; root could write anywhere else
    names = {path.name for path in folder.iterdir()}
    with pytest.raises(Exception, match=r"cannot write pairedge\.h, pairedge\.c, parity\.json, card\.md: "):
        add_c(folder, uci.test.tiles)
    assert {path.name for path in folder.iterdir()} == names
