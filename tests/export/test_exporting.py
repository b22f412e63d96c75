"""A checkpoint becomes graphs that meet the contract, describe themselves, and decide as torch does."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from click.testing import CliRunner

import pairedge
from pairedge.cli import main as pairedge_command
from pairedge.confidence import DEFAULT_THRESHOLD
from pairedge.digest import append_digest
from pairedge.graph import CONTRACTS, SCHEMA, open_graph
from pairedge_export import exporting
from pairedge_export.card import card
from pairedge_export.doc_strings import GRAPHS, TENSORS
from pairedge_export.errors import ExportError
from pairedge_export.exporting import describe, example_inputs, export_checkpoint
from pairedge_export.graphs import graphs_of
from pairedge_export.parity import BATCHES, TOLERANCE, Check, Parity, check_parity
from pairedge_export.to_onnx import to_onnx
from pairedge_train.data.datasets import DataSet
from pairedge_train.errors import CheckpointError
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.networks.two_branches import TwoBranches
from pairedge_train.training.checkpoint import Checkpoint
from pairedge_train.training.rounds import train_round

from .conftest import VARIANTS, Exports

WITHOUT_BRANCHES = "TwoChannels"  # a variant that is not evaluated on all pairs


@pytest.mark.parametrize("variant", VARIANTS)
def test_parity_holds_at_every_batch_and_for_every_decision(variant: str, exports: Exports) -> None:
    folder, parity = exports[variant]
    assert parity.passed
    assert parity.difference() <= TOLERANCE
    names = {check.name for check in parity.checks if check.graph == "pair"}
    assert {check.kind for check in parity.checks} == {"contract", "values", "decisions"}
    assert all((check.difference is None) == (check.kind != "values") for check in parity.checks)
    assert names >= {f"values, batch {size}" for size in BATCHES}
    assert names >= {"contract", "values, extremes", "decisions, all 500 tiles"}
    written = json.loads((folder / "parity.json").read_text())
    assert written == parity.to_dict()
    assert Parity.from_dict(written) == parity


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_shared_branch_with_a_digit_head_gives_three_graphs(variant: str, exports: Exports) -> None:
    folder, _ = exports[variant]
    kinds = {path.stem for path in folder.glob("*.onnx")}
    assert kinds == ({"pair", "digit", "compare"} if variant == "aux_ws" else {"pair"})
    assert ("digits" in open_graph(folder / "pair.onnx", "pair").outputs) == (variant in ("aux", "aux_ws"))


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_graph_keeps_to_opset_18_ir_8_one_file_and_names_no_machine(variant: str, exports: Exports) -> None:
    folder, _ = exports[variant]
    assert {path.name for path in folder.iterdir()} >= {"pair.onnx", "parity.json", "card.md"}
    for path in folder.glob("*.onnx"):
        model = onnx.load(path, load_external_data=False)
        assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 18)]
        assert model.ir_version == 8
        assert not any(tensor.external_data for tensor in model.graph.initializer)
        assert not any(node.metadata_props or node.doc_string for node in model.graph.node)
        assert all(tensor.doc_string for tensor in (model.graph, *model.graph.input, *model.graph.output))
        assert not re.search(rb"/home|/root|/tmp|site-packages|\.py\b", path.read_bytes())
        assert not any(
            node.op_type == "BatchNormalization" for node in model.graph.node if len(node.output) > 1
        )


def test_the_doc_strings_name_the_axes_of_the_contract() -> None:
    assert set(GRAPHS) == set(CONTRACTS)
    tensors = [spec for contract in CONTRACTS.values() for spec in (contract.inputs, contract.outputs)]
    assert set(TENSORS) == {name for specs in tensors for name in specs}
    for specs in tensors:
        for name, spec in specs.items():
            axes = ", ".join(map(str, spec.axes))
            dtype = {"tensor(uint8)": "uint8", "tensor(float)": "float32"}[spec.dtype]
            assert f"{dtype} ({axes}{',' * (len(spec.axes) == 1)})" in TENSORS[name]


def test_an_exported_graph_carries_the_digest_of_its_content(exports: Exports) -> None:
    folder, _ = exports["ws"]
    content = (folder / "pair.onnx").read_bytes()
    entries = {entry.key: entry.value for entry in onnx.load_from_string(content).metadata_props}
    assert content.endswith(hashlib.sha256(content[:-85]).hexdigest().encode())
    assert content.endswith(entries["pairedge.sha256"].encode())


def test_a_graph_describes_itself(exports: Exports, checkpoints: dict[str, Checkpoint]) -> None:
    folder, _ = exports["aux_ws"]
    facts = pairedge.load(folder / "pair.onnx").metadata
    checkpoint = checkpoints["aux_ws"]
    assert (facts["schema"], facts["variant"], facts["seed"]) == (SCHEMA, "aux_ws", 2021)
    assert facts["recipe"] == checkpoint.recipe.to_dict()
    assert facts["training_sha256"] == checkpoint.training_sha256
    assert facts["labels"] == list("0123456789")
    assert facts["metrics"]["all_pairs"]["n"] == 500**2
    assert facts["license"] == "not stated"
    by_digit = facts["metrics"]["digits"]["by_digit"]
    right = sum(metric["accuracy"] * metric["n"] for metric in by_digit.values())
    assert right / 500 == pytest.approx(facts["metrics"]["digits"]["accuracy"])
    assert facts["contract"]["inputs"]["images"]["axes"] == ["N", 2, 14, 14]


def test_a_graph_names_the_classes_of_its_data(checkpoints: dict[str, Checkpoint], uci: DataSet) -> None:
    letters = tuple("abcdefghij")
    assert describe(replace(checkpoints["aux_ws"], classes=letters), uci.test)["labels"] == list(letters)


@pytest.mark.parametrize(
    ("variant", "measured_by_export"), [("aux_ws", {"all_pairs", "digits"}), (WITHOUT_BRANCHES, set())]
)
def test_a_recipe_that_evaluates_on_validation_pairs_only_is_exported(
    variant: str, measured_by_export: set[str], uci: DataSet, tmp_path: Path
) -> None:
    recipe = Recipe().with_(
        {
            "network.variant": variant,
            "data.dataset": "uci",
            "data.pairs": 200,
            "data.test_pairs": 200,
            "data.hold_out": 50,
            "data.validation_pairs": 0,
            "evaluation.validation_only": True,
            "optim.epochs": 1,
        }
    )
    checkpoint, _ = train_round(recipe, uci)
    assert "test_accuracy" not in checkpoint.metrics
    export_checkpoint(checkpoint, uci.test, tmp_path)
    metrics = pairedge.load(tmp_path / "pair.onnx", digits=False).metadata["metrics"]
    assert metrics["validation"] == {"accuracy": checkpoint.metrics["validation_accuracy"], "n": 50}
    assert set(metrics) == {"validation"} | measured_by_export
    share = f"{100 * checkpoint.metrics['validation_accuracy']:.3f} %"
    assert f"| validation pairs held out of the training pairs | {share} | 50 |" in (
        (tmp_path / "card.md").read_text()
    )
    result = CliRunner().invoke(pairedge_command, ["info", str(tmp_path / "pair.onnx")])
    assert result.exit_code == 0, result.output
    assert "of validation, n = 50" in result.stdout


def test_a_round_that_measured_nothing_is_exported(uci: DataSet, tmp_path: Path) -> None:
    recipe = Recipe().with_(
        {
            "network.variant": WITHOUT_BRANCHES,
            "data.dataset": "uci",
            "data.pairs": 50,
            "data.test_pairs": 50,
            "data.validation_pairs": 0,
            "optim.epochs": 1,
        }
    )
    checkpoint, _ = train_round(recipe, uci)
    export_checkpoint(replace(checkpoint, metrics={}), uci.test, tmp_path)
    facts = pairedge.load(tmp_path / "pair.onnx", digits=False).metadata
    assert facts["metrics"] == {}
    assert "confidence" not in facts
    assert "Not measured." in (tmp_path / "card.md").read_text()


@pytest.mark.parametrize(
    ("fitted", "expected"),
    [
        ({"pair_threshold": 0.7, "digit_threshold": 0.9}, {"pair": 0.7, "digit": 0.9}),
        ({"pair_threshold": 0.7, "digit_threshold": None}, {"pair": 0.7, "digit": DEFAULT_THRESHOLD}),
        ({"pair_threshold": None, "digit_threshold": None}, None),
        ({}, None),
    ],
)
def test_confidence_thresholds_go_into_the_metadata(
    fitted: dict[str, float | None],
    expected: dict[str, float] | None,
    checkpoints: dict[str, Checkpoint],
    uci: DataSet,
) -> None:
    checkpoint = checkpoints["base"]
    facts = describe(replace(checkpoint, metrics={**checkpoint.metrics, **fitted}), uci.test)
    assert facts.get("confidence") == expected


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        ({}, None),
        ({"held_out_digits": 0}, None),
        ({"held_out_digits": 10}, {"digits": 10}),
        (
            {"held_out_digits": 10, "negatives": 4, "negatives_rejected": 0.75},
            {"digits": 10, "negatives": 4, "negatives_rejected": 0.75},
        ),
    ],
)
def test_what_was_held_out_goes_into_the_metadata(
    measured: dict[str, float],
    expected: dict[str, float] | None,
    checkpoints: dict[str, Checkpoint],
    uci: DataSet,
) -> None:
    checkpoint = checkpoints["base"]
    facts = describe(replace(checkpoint, metrics={**checkpoint.metrics, **measured}), uci.test)
    assert facts.get("held_out") == expected


def test_what_a_model_was_adapted_from_goes_into_the_metadata_and_the_card(
    checkpoints: dict[str, Checkpoint], uci: DataSet
) -> None:
    checkpoint = checkpoints["base"]
    paired = {"n": 40, "before": 0.75, "after": 1.0, "gained": 10, "lost": 0, "p": 0.002}
    adapted = {"start": "5eed", "pictures": 70, "own": paired, "test": {**paired, "n": 10_000}}
    facts = describe(replace(checkpoint, metrics={**checkpoint.metrics, "adapted": adapted}), uci.test)
    assert facts["adapted"] == adapted
    assert "adapted" not in describe(checkpoint, uci.test)
    lines = card(facts, {}, Parity([Check("pair", "values", "values", True, "", 0.0)])).splitlines()
    [start] = [line for line in lines if "SHA-256 `5eed`" in line]
    assert start.startswith("- Adapted to 70 pictures of its owner's")
    assert (
        "- On 40 of the owner's held-out pictures: 75.00 % correct before adapting, 100.00 % after "
        "(p = 0.002, McNemar's exact test)"
    ) in lines
    assert any(line.startswith("- On 10,000 test digits of others: ") for line in lines)


@pytest.mark.parametrize("name", ["test_accuracy", "pair_threshold", "negatives_rejected"])
@pytest.mark.parametrize("value", ["high", 1.5, float("nan")])
def test_a_metric_that_is_no_probability_is_refused(
    name: str, value: object, checkpoints: dict[str, Checkpoint], uci: DataSet, tmp_path: Path
) -> None:
    checkpoint = checkpoints["base"]
    edited = replace(checkpoint, metrics={**checkpoint.metrics, name: value})
    with pytest.raises(CheckpointError, match=f"the checkpoint's {name} is no number from 0 to 1"):
        export_checkpoint(edited, uci.test, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_metrics_are_what_the_runtime_measures(exports: Exports, uci: DataSet) -> None:
    folder, _ = exports["aux_ws"]
    model = pairedge.load(folder / "pair.onnx")
    labels = uci.test.labels.numpy()
    first, second = (side.ravel() for side in np.meshgrid(np.arange(500), np.arange(500), indexing="ij"))
    tiles = uci.test.tiles
    answers = model.predict_batch(np.stack([tiles[first], tiles[second]], axis=1))
    right = answers.leq == (labels[first] <= labels[second])
    assert right.mean() == pytest.approx(model.metadata["metrics"]["all_pairs"]["accuracy"], abs=1e-9)
    digits = model.classify_batch(tiles).digit
    assert np.mean(digits == labels) == pytest.approx(
        model.metadata["metrics"]["digits"]["accuracy"], abs=1e-6
    )


def test_digit_and_compare_give_together_what_pair_gives(exports: Exports, uci: DataSet) -> None:
    folder, _ = exports["aux_ws"]
    graphs = {
        kind: open_graph(folder / f"{kind}.onnx", kind).session for kind in ("pair", "digit", "compare")
    }
    first, second = uci.test.tiles[:50], uci.test.tiles[50:100]
    leq, digits = graphs["pair"].run(["leq", "digits"], {"images": np.stack([first, second], axis=1)})
    sides = [graphs["digit"].run(["posterior", "embedding"], {"tiles": side}) for side in (first, second)]
    [compared] = graphs["compare"].run(["leq"], {"first": sides[0][1], "second": sides[1][1]})
    assert np.abs(compared - leq).max() <= TOLERANCE
    assert np.abs(np.stack([side[0] for side in sides], axis=1) - digits).max() <= TOLERANCE


def test_exporting_twice_gives_the_same_bytes(
    exports: Exports, checkpoints: dict[str, Checkpoint], uci: DataSet, tmp_path: Path
) -> None:
    folder, _ = exports["aux_ws"]
    export_checkpoint(checkpoints["aux_ws"], uci.test, tmp_path)
    for path in sorted(folder.iterdir()):
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


def test_a_graph_that_decides_otherwise_is_not_written(
    converted_before: Callable[..., bytes],
    checkpoints: dict[str, Checkpoint],
    uci: DataSet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def wrong(*arguments: Any) -> bytes:
        """Export, then change one weight by a little, as a faulty converter would."""
        model = onnx.load_from_string(converted_before(*arguments))
        tensor = next(
            tensor for tensor in model.graph.initializer if onnx.numpy_helper.to_array(tensor).ndim > 1
        )
        weights = onnx.numpy_helper.to_array(tensor).copy()
        weights.flat[0] += 0.05
        tensor.CopyFrom(onnx.numpy_helper.from_array(weights, tensor.name))
        return append_digest(model.SerializeToString())

    monkeypatch.setattr(exporting, "to_onnx", wrong)
    with pytest.raises(ExportError, match=r"nothing was written: pair: values"):
        export_checkpoint(checkpoints["aux_ws"], uci.test, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_parity_sees_a_broken_contract(checkpoints: dict[str, Checkpoint], uci: DataSet) -> None:
    [graph, *_] = graphs_of(checkpoints["ws"].network)
    parity = check_parity([(graph, b"not a graph")], uci.test.tiles)
    assert not parity.passed
    assert [check.name for check in parity.checks] == ["contract"]


def test_folding_both_tiles_into_one_batch_changes_nothing(checkpoints: dict[str, Checkpoint]) -> None:
    network = checkpoints["aux_ws"].network
    images = torch.rand(6, 2, 14, 14, generator=torch.Generator().manual_seed(0)) * 255
    body = network.body
    assert isinstance(body, TwoBranches)
    apart = [body.branches[0](network.normalize(images)[:, i : i + 1]) for i in (0, 1)]
    for folded, alone in zip(body.embed(network.normalize(images)), apart, strict=True):
        assert torch.allclose(folded, alone, atol=1e-5)


@pytest.mark.slow
@pytest.mark.mnist
@pytest.mark.parametrize("variant", VARIANTS)
def test_parity_holds_on_all_ten_thousand_test_tiles(variant: str, mnist: DataSet) -> None:
    recipe = Recipe().with_({"network.variant": variant, "data.validation_pairs": 0, "optim.epochs": 3})
    checkpoint, _ = train_round(recipe, mnist)
    graphs = graphs_of(checkpoint.network)
    metadata = {"schema": SCHEMA, "variant": variant}
    exported = [
        (graph, to_onnx(graph, {**metadata, "graph": graph.kind}, example_inputs(graph, checkpoint)))
        for graph in graphs
    ]
    parity = check_parity(exported, mnist.test.tiles)
    assert parity.passed
    assert parity.difference() <= TOLERANCE
    assert "decisions, all 10000 tiles" in {check.name for check in parity.checks}
