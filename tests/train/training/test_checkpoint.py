"""Checkpoints of schema 1, whose recipes lay flat, are still read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
from safetensors import safe_open

from pairedge_train.data.datasets import DataSet
from pairedge_train.errors import CheckpointError
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.experiments.schema_1 import to_schema_1
from pairedge_train.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from pairedge_train.training.rounds import train_round

FOLDS = {"data.folds": 3, "data.validation_pairs": 0}


def in_schema_1(path: Path, checkpoint: Checkpoint, **changes: Any) -> Path:
    """Write a checkpoint as schema 1 did: settings side by side, with the first round's seed among them."""
    save_checkpoint(path, checkpoint)
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    first = checkpoint.seed - (checkpoint.fold or 0)
    facts = {
        "schema": 1,
        "recipe": {**to_schema_1(checkpoint.recipe), "rounds": 1, "seed": first},
        "seed": checkpoint.seed,
        "training_sha256": checkpoint.training_sha256,
        "metrics": {"test_accuracy": 0.5, "test_pairs": 10, "doubt_threshold": 0.9},
        **changes,
    }
    path.write_bytes(safetensors.torch.save(tensors, metadata={"pairedge": json.dumps(facts)}))
    return path


@pytest.mark.parametrize(("changes", "number"), [({}, 0), (FOLDS, 2), ({"data.normalize": "standardize"}, 0)])
def test_a_checkpoint_of_schema_1_is_read(
    changes: dict[str, Any], number: int, tiny: DataSet, quick: Recipe, tmp_path: Path
) -> None:
    checkpoint, _ = train_round(quick.with_(changes), tiny, 5, number)
    loaded = load_checkpoint(in_schema_1(tmp_path / "a.safetensors", checkpoint))
    assert (loaded.recipe, loaded.seed, loaded.fold) == (checkpoint.recipe, 5 + number, checkpoint.fold)
    assert loaded.metrics["digit_threshold"] == 0.9
    assert loaded.machine is None
    for name, tensor in checkpoint.network.state_dict().items():
        assert loaded.network.state_dict()[name].equal(tensor)


def test_a_checkpoint_names_the_machine_that_trained_it(tiny: DataSet, quick: Recipe, tmp_path: Path) -> None:
    checkpoint, row = train_round(quick, tiny)
    save_checkpoint(tmp_path / "a.safetensors", checkpoint)
    machine = load_checkpoint(tmp_path / "a.safetensors").machine
    assert machine == row.machine
    assert machine is not None
    assert {"cpu", "kernels", "torch"} <= set(machine)


def test_a_checkpoint_names_its_classes(tiny: DataSet, quick: Recipe, tmp_path: Path) -> None:
    letters = tuple("abcdefghij")
    checkpoint, _ = train_round(quick, replace(tiny, classes=letters))
    save_checkpoint(tmp_path / "a.safetensors", checkpoint)
    assert load_checkpoint(tmp_path / "a.safetensors").classes == letters
    content = (tmp_path / "a.safetensors").read_bytes()
    edited = content.replace(rb"\"b\", \"c\"", rb"\"a\", \"c\"")  # JSON in JSON
    assert edited != content
    (tmp_path / "a.safetensors").write_bytes(edited)
    with pytest.raises(CheckpointError, match="do not fit this version"):
        load_checkpoint(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    "recipe", [None, [], {"variant": "ws", "colour": 3}, {"variant": "no_such_net"}, {"lr": -1}]
)
def test_an_edited_recipe_of_schema_1_is_refused(
    recipe: Any, tiny: DataSet, quick: Recipe, tmp_path: Path
) -> None:
    checkpoint, _ = train_round(quick, tiny)
    path = in_schema_1(tmp_path / "a.safetensors", checkpoint, recipe=recipe)
    with pytest.raises(CheckpointError, match="do not fit this version"):
        load_checkpoint(path)
