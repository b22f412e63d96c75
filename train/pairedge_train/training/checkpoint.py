"""Checkpoints: safetensors files that hold the weights, the recipe, and what the round measured.

Nothing in one depends on the clock or the machine's name, so the same round gives the same bytes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError, safe_open

from pairedge_train.errors import CheckpointError, RecipeError
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.files import write_atomically
from pairedge_train.networks.network import Network, build_network

SCHEMA = 1
_KEY = "pairedge"  # one metadata entry only: safetensors keeps no order among several


@dataclass(frozen=True)
class Checkpoint:
    """A trained network and where it comes from.

    Attributes:
        network: in evaluation mode, on the CPU.
        recipe: how it was trained.
        seed: of its round.
        training_sha256: digest of the pairs that it was trained on.
        metrics: what the round measured, for instance {"test_accuracy": 0.953, "test_pairs": 1000}.
    """

    network: Network
    recipe: Recipe
    seed: int
    training_sha256: str
    metrics: dict[str, Any]


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, whole or not at all.

    Raises:
        OutputError: when it cannot be written.
    """
    facts = {
        "schema": SCHEMA,
        "recipe": checkpoint.recipe.to_dict(),
        "seed": checkpoint.seed,
        "training_sha256": checkpoint.training_sha256,
        "metrics": checkpoint.metrics,
    }
    tensors = {name: tensor.cpu().contiguous() for name, tensor in checkpoint.network.state_dict().items()}
    content = safetensors.torch.save(tensors, metadata={_KEY: json.dumps(facts, sort_keys=True)})
    write_atomically(path, content)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        CheckpointError: when it is missing, damaged, of another schema, or does not fit its own recipe.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such checkpoint")
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(_KEY)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: not a safetensors file, or a damaged one") from error
    if text is None:
        raise CheckpointError(f"{path}: not a checkpoint of pairedge-train: it holds no recipe")
    facts = json.loads(text)
    if facts.get("schema") != SCHEMA:
        raise CheckpointError(
            f"{path}: a checkpoint of schema {facts.get('schema')}; this version reads {SCHEMA}; train anew"
        )
    try:
        recipe = Recipe.from_dict(facts["recipe"])
        network = build_network(recipe)
        network.load_state_dict(tensors)
    except (RecipeError, RuntimeError) as error:
        raise CheckpointError(f"{path}: its weights or recipe do not fit this version; train anew") from error
    network.eval()
    return Checkpoint(network, recipe, facts["seed"], facts["training_sha256"], facts["metrics"])
