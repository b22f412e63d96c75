"""A graph that another tool made is used when it keeps the contract, else refused with all its problems."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

import pairedge
from pairedge.inspection import inspect_graph


class Ink(nn.Module):
    """Not of the registry: the tile with more ink is the greater, and its ink is its digit."""

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        ink = images.float().sum(dim=(2, 3)) / 1000
        return (ink[:, 1] - ink[:, 0]).sigmoid(), torch.softmax(
            -((ink[:, :, None] - torch.arange(10.0)) ** 2), 2
        )


def older_exporter(path: Path, metadata: dict[str, Any] | None, **settings: Any) -> Path:
    """Export by TorchScript, which shares nothing with our exporter; its own names, opset and IR version."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is deprecated
        torch.onnx.export(
            Ink(), (torch.zeros(2, 2, 14, 14, dtype=torch.uint8),), path, dynamo=False, **settings
        )
    model = onnx.load(path)
    if metadata:
        onnx.helper.set_model_props(model, {"pairedge": json.dumps(metadata)})
    onnx.save(model, path)
    return path


AGREED = {
    "input_names": ["images"],
    "output_names": ["leq", "digits"],
    "dynamic_axes": {name: {0: "batch"} for name in ("images", "leq", "digits")},
    "opset_version": 17,
}
FACTS = {"schema": 2, "graph": "pair", "variant": "ink"}


def test_one_that_keeps_the_contract_answers(tmp_path: Path) -> None:
    path = older_exporter(tmp_path / "pair.onnx", FACTS, **AGREED)
    assert inspect_graph(path).differences == []
    model = pairedge.load(path)
    pairs = np.random.default_rng(0).integers(0, 64, (7, 2, 14, 14), np.uint8)
    with torch.no_grad():
        leq, digits = Ink()(torch.from_numpy(pairs))
    assert model.predict_batch(pairs).probability == pytest.approx(leq.numpy(), abs=1e-5)
    assert model.predict(*pairs[0]).digits == tuple(digits[0].argmax(1).tolist())
    assert model.classify_batch(pairs[:, 0]).digit.tolist() == digits[:, 0].argmax(1).tolist()


def test_one_that_breaks_it_is_refused_with_every_difference(tmp_path: Path) -> None:
    names = {"input_names": ["pictures"], "output_names": ["probability", "digits"], "opset_version": 17}
    path = older_exporter(tmp_path / "pair.onnx", FACTS, **names)
    problems = [
        "input 'images' is missing",
        "input 'pictures' is unknown",
        "output 'leq' is missing",
        "output 'digits' is tensor(float) (2, 2, 10), not tensor(float) (N, 2, 10)",
        "output 'probability' is unknown",
    ]
    assert inspect_graph(path).differences == problems
    with pytest.raises(pairedge.GraphError) as refusal:
        pairedge.load(path)
    assert str(refusal.value) == f"{path}: breaks the contract of a 'pair' graph: {'; '.join(problems)}"


def test_one_without_metadata_is_refused_and_info_still_checks_it(tmp_path: Path) -> None:
    path = older_exporter(tmp_path / "pair.onnx", None, **AGREED)
    with pytest.raises(pairedge.GraphError, match="has no 'pairedge' metadata"):
        pairedge.load(path)
    inspection = inspect_graph(path)
    assert inspection.kind == "pair"
    assert inspection.differences == ["has no 'pairedge' metadata; was it written by pairedge-export?"]
    assert inspection.checks["answers"] == []
