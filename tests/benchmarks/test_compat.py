"""The compatibility check names each graph whose outputs differ or that does not load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.compat import (
    BATCHES,
    collect,
    compat_row,
    failures,
    in_the_evaluator,
    in_this_one,
    largest_difference,
    prepare,
    tiles,
)
from benchmarks.compat_check import check, judge, session
from benchmarks.records import GraphAgreement
from pairedge.graph import CONTRACTS
from pairedge_export.parity import TOLERANCE


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compat")
    prepare(folder, collect(fresh=False))
    return folder


def test_every_graph_under_artifacts_is_tried_at_every_batch(prepared: Path) -> None:
    assert {path.stem for path in prepared.glob("*.onnx")} >= {f"aux_ws {kind}" for kind in CONTRACTS}
    with np.load(prepared / "aux_ws pair.npz") as cases:
        assert {key.split("/")[0] for key in cases} == set(map(str, BATCHES))
        assert np.array_equal(cases["64/in/images"][:, 0], tiles())


def test_graphs_agree_here_and_in_the_reference_evaluator(prepared: Path) -> None:
    for row in (in_this_one(prepared), in_the_evaluator(prepared)):
        assert failures(row) == []
        for result in row.graphs.values():
            assert isinstance(result, GraphAgreement)
            assert 0 <= result.largest_difference <= TOLERANCE


def test_a_difference_is_relative_to_the_largest_value() -> None:
    cases = {
        "1/in/tiles": np.zeros(1),
        "1/out/leq": np.array([0.4]),
        "1/out/embedding": np.array([[100.0, 0]]),
    }

    def run(names: list[str], inputs: dict[str, Any]) -> list[Any]:
        assert list(inputs) == ["tiles"]
        return [np.array([0.6]) if name == "leq" else np.array([[150.0, 0]]) for name in names]

    assert judge(run, cases) == {
        "largest_difference": pytest.approx(0.5),
        "decisions_differ": 1,
        "decisions": 1,
    }


def test_what_does_not_load_or_differs_is_a_sentence(prepared: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes((prepared / "aux_ws pair.onnx").read_bytes()[:20_000])
    (tmp_path / "broken.npz").write_bytes((prepared / "aux_ws pair.npz").read_bytes())
    (tmp_path / "other.onnx").write_bytes((prepared / "aux_ws pair.onnx").read_bytes())
    with np.load(prepared / "aux_ws pair.npz") as cases:
        changed = {key: value if "leq" not in key else 1 - value for key, value in cases.items()}
    np.savez(tmp_path / "other.npz", **changed)
    row = compat_row("this one", check(tmp_path, session))
    assert largest_difference(row) == float("inf")
    broken, other = failures(row)
    assert broken.startswith("this one: broken: ")
    assert other.startswith("this one: other: differs by ")
