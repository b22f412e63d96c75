"""fp16, int8 and .ort: other files of the same model, written only when the acceptance criterion is met."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner

import pairedge
from pairedge.graph import CONTRACTS, open_graph
from pairedge_export import cli, precision
from pairedge_export.errors import ExportError
from pairedge_export.exporting import export_checkpoint
from pairedge_export.mobile import OPERATORS
from pairedge_export.precision import Change, changes, decisions, reduce_precision
from pairedge_train.data.datasets import DataSet
from pairedge_train.training.checkpoint import Checkpoint

from .conftest import SHARED, Exports

KINDS = ("pair", "digit", "compare")
REDUCED = ("fp16", "int8")


@pytest.fixture(scope="module")
def fp32(exports: Exports) -> dict[str, bytes]:
    """The graphs of the model that has three, by kind."""
    folder, _ = exports[SHARED]
    return {kind: (folder / f"{kind}.onnx").read_bytes() for kind in KINDS}


@pytest.mark.parametrize("bits", REDUCED)
def test_graphs_of_reduced_precision_keep_the_contract_and_name_their_precision(
    bits: str, fp32: dict[str, bytes], uci: DataSet
) -> None:
    for kind, content in reduce_precision(fp32, bits, uci.training.tiles).items():
        graph = open_graph(content, kind)
        assert set(graph.outputs) == set(CONTRACTS[kind].outputs)
        assert graph.metadata == {**open_graph(fp32[kind], kind).metadata, "precision": bits}
        model = onnx.load_from_string(content)
        assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 18)]
        assert model.ir_version == 8


def test_fp16_halves_the_weights_and_int8_quantizes_every_layer_that_has_some(
    fp32: dict[str, bytes], uci: DataSet
) -> None:
    def weights(content: bytes) -> int:
        return sum(len(tensor.raw_data) for tensor in onnx.load_from_string(content).graph.initializer)

    half = reduce_precision(fp32, "fp16", uci.training.tiles)["pair"]
    assert weights(half) < 0.55 * weights(fp32["pair"])
    nodes = onnx.load_from_string(reduce_precision(fp32, "int8", uci.training.tiles)["pair"]).graph.node
    made = {output: node.op_type for node in nodes for output in node.output}
    layers = [node for node in nodes if node.op_type in ("Conv", "Gemm")]
    assert layers
    assert {made.get(name) for node in layers for name in node.input[:2]} == {"DequantizeLinear"}


@pytest.mark.parametrize("bits", REDUCED)
def test_reducing_precision_twice_gives_the_same_bytes(
    bits: str, fp32: dict[str, bytes], uci: DataSet
) -> None:
    assert reduce_precision(fp32, bits, uci.training.tiles) == reduce_precision(
        fp32, bits, uci.training.tiles
    )


def test_the_same_graphs_agree_with_themselves_and_are_as_right_as_they_claim(
    fp32: dict[str, bytes], uci: DataSet
) -> None:
    unchanged = changes(fp32, fp32, uci.test.tiles, uci.test.labels.numpy())
    assert {(change.graph, change.decision) for change in unchanged} == {
        ("pair", "comparisons"),
        ("pair", "digits"),
        ("digit", "digits"),
        ("compare", "comparisons"),
    }
    assert all(change.agreement == 1 and change.accuracy == change.fp32_accuracy for change in unchanged)
    claimed = open_graph(fp32["pair"], "pair").metadata["metrics"]["digits"]["accuracy"]
    assert unchanged[1].accuracy == pytest.approx(claimed, abs=1e-6)


def test_a_comparison_is_of_each_tile_with_twenty_others(fp32: dict[str, bytes], uci: DataSet) -> None:
    tiles = uci.test.tiles[:50]
    model = pairedge.load(fp32["pair"])
    decided = decisions(fp32, tiles)["pair", "comparisons"]
    expected = [
        model.predict(tiles[i], tiles[(i - 2 * turn) % 50]).leq for turn in range(1, 21) for i in range(50)
    ]
    assert decided.tolist() == expected


@pytest.mark.usefixtures("converted_before")
@pytest.mark.parametrize("bits", REDUCED)
def test_a_model_of_reduced_precision_states_its_own_metrics(
    bits: str,
    checkpoints: dict[str, Checkpoint],
    uci: DataSet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(precision, "AGREEMENT", 0.9)  # three epochs of training leave many cases close
    monkeypatch.setattr(precision, "LOSS", 0.05)
    parity = export_checkpoint(
        checkpoints[SHARED], uci.test, tmp_path, precision=bits, calibration=uci.training.tiles
    )
    assert parity.passed
    model = pairedge.load(tmp_path / "pair.onnx")
    right = np.mean(model.classify_batch(uci.test.tiles).digit == uci.test.labels.numpy())
    assert model.metadata["metrics"]["digits"]["accuracy"] == pytest.approx(right, abs=1e-9)
    assert set(model.metadata["metrics"]) == {"digits", "pairs"}
    proof = json.loads((tmp_path / "parity.json").read_text())
    assert {check["kind"] for check in proof["checks"]} == {"contract", "values", "decisions", "precision"}
    assert any(
        (check["kind"], check["name"]) == ("precision", "reduced precision, comparisons")
        for check in proof["checks"]
    )
    text = (tmp_path / "card.md").read_text()
    assert f"Precision: {bits}" in text
    assert "Parity of the fp32 graphs with torch" in text
    assert "- compare, reduced precision, comparisons: " in text
    assert len(model.rank(uci.test.tiles[:5])) == 5


@pytest.mark.usefixtures("converted_before")
def test_a_model_that_does_not_meet_the_criterion_is_not_written(
    checkpoints: dict[str, Checkpoint], uci: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "AGREEMENT", 1.01)
    with pytest.raises(
        ExportError, match=r"the fp16 graphs .* nothing was written: pair: reduced precision, comp"
    ):
        export_checkpoint(checkpoints[SHARED], uci.test, tmp_path / "out", precision="fp16")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("agreement", "accuracy", "accepted"), [(0.995, 0.958, True), (0.994, 0.96, False), (1.0, 0.957, False)]
)
def test_the_criterion_is_995_in_1000_decisions_and_two_thousandths_of_accuracy(
    agreement: float, accuracy: float, accepted: bool
) -> None:
    change = Change("pair", "digits", 1000, agreement, accuracy, 0.9599)
    assert change.accepted is accepted
    assert change.check().passed is accepted


def test_int8_needs_tiles_and_other_precisions_are_refused(fp32: dict[str, bytes], uci: DataSet) -> None:
    with pytest.raises(ExportError, match="int8 needs training tiles"):
        reduce_precision(fp32, "int8", uci.training.tiles[:0])
    with pytest.raises(ExportError, match="unknown precision 'int4'; there are fp32, fp16, int8"):
        reduce_precision(fp32, "int4", uci.training.tiles)


@pytest.mark.usefixtures("converted_before")
def test_mobile_adds_files_that_answer_alike_and_what_a_build_must_hold(
    checkpoint_files: dict[str, Path], uci: DataSet, tmp_path: Path
) -> None:
    result = CliRunner().invoke(cli.main, [str(checkpoint_files[SHARED]), "--mobile", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "Parity of the `.ort` files with the graphs: 6 checks" in (tmp_path / "card.md").read_text()
    assert re.search(r"✓ compare +decisions, as .ort +0 of 500 differ", result.stdout)
    assert {path.name for path in tmp_path.glob("*.ort")} == {f"{kind}.ort" for kind in KINDS}
    answers, same = (pairedge.load(tmp_path / f"pair{ending}") for ending in (".onnx", ".ort"))
    assert same.metadata == answers.metadata
    tiles = uci.test.tiles[:20]
    np.testing.assert_array_equal(same.classify_batch(tiles).digit, answers.classify_batch(tiles).digit)
    operators = (tmp_path / OPERATORS).read_text()
    assert "Cast" in operators
    assert str(tmp_path) not in operators


@pytest.mark.usefixtures("converted_before")
def test_the_precision_is_an_option_and_part_of_the_folder(
    checkpoint_files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(precision, "AGREEMENT", 0.9)
    monkeypatch.setattr(precision, "LOSS", 0.05)
    result = CliRunner().invoke(cli.main, [str(checkpoint_files[SHARED]), "--precision", "int8"])
    assert result.exit_code == 0, result.output
    [graph] = tmp_path.glob("exports/*/*-int8/pair.onnx")
    assert pairedge.load(graph).metadata["precision"] == "int8"
