"""The model that ships is as accurate as its card says, on the MNIST test set."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

import pairedge
from pairedge import shipped
from pairedge.graph import CONTRACTS, open_graph
from pairedge.shipped import DIGESTS
from pairedge_train.data.datasets import DataSet
from tools.reexport import reexport, with_digests

SHIPPED = Path(__file__).parents[2] / "artifacts" / "aux_ws"


def test_exporting_the_shipped_weights_gives_the_shipped_graphs() -> None:
    graphs = {kind: (SHIPPED / f"{kind}.onnx").read_bytes() for kind in CONTRACTS}
    assert {graph.kind: content for graph, content in reexport(graphs)} == graphs


def test_the_package_knows_the_graphs_that_ship() -> None:
    graphs = {kind: (SHIPPED / f"{kind}.onnx").read_bytes() for kind in CONTRACTS}
    assert {kind: hashlib.sha256(content).hexdigest() for kind, content in graphs.items()} == DIGESTS
    source = Path(shipped.__file__).read_text()
    assert with_digests(source.replace(DIGESTS["digit"], "0" * 64), DIGESTS) == source


@pytest.mark.mnist
def test_digits_are_classified_as_the_card_says(mnist: DataSet) -> None:
    model = pairedge.load()
    right = np.mean(model.classify_batch(mnist.test.tiles).digit == mnist.test.labels.numpy())
    assert right == pytest.approx(model.metadata["metrics"]["digits"]["accuracy"], abs=1e-6)
    assert right >= 0.985


@pytest.mark.mnist
def test_pairs_are_compared_as_the_card_says(mnist: DataSet) -> None:
    model = pairedge.load()
    stated = model.metadata["metrics"]["all_pairs"]["accuracy"]
    assert stated >= 0.985
    # All 10^8 pairs would take minutes: 200,000 drawn ones agree within four standard errors.
    first, second = np.random.default_rng(0).integers(0, len(mnist.test), (2, 200_000))
    labels = mnist.test.labels.numpy()
    decided = model.predict_batch(np.stack([mnist.test.tiles[first], mnist.test.tiles[second]], axis=1)).leq
    right = np.mean(decided == (labels[first] <= labels[second]))
    assert abs(right - stated) <= 4 * np.sqrt(stated * (1 - stated) / 200_000)


def test_the_card_states_what_the_graph_carries() -> None:
    facts = pairedge.load().metadata
    text = (SHIPPED / "card.md").read_text()
    assert f"a pair is uncertain below {facts['confidence']['pair']:.3f}" in text
    assert f"a single tile below {facts['confidence']['digit']:.3f}" in text
    for metric in facts["metrics"].values():
        assert f"{100 * metric['accuracy']:.3f} % | {metric['n']:,}" in text
    assert facts["recipe"]["data"]["pairs"] == "all"
    assert facts["weights_sha256"] in text


def test_the_three_graphs_are_of_one_training() -> None:
    weights = {
        kind: open_graph(SHIPPED / f"{kind}.onnx", kind).metadata["weights_sha256"]
        for kind in ("pair", "digit", "compare")
    }
    assert len(set(weights.values())) == 1
