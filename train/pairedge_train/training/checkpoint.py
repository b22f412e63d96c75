"""Checkpoints: safetensors files that hold the weights, the recipe, and the round's metrics.

Nothing in a checkpoint depends on the time or the machine's name, so the same round gives the same bytes.
It also holds what its network answers to one fixed pair: weights may fit a network whose code was edited.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import safetensors.torch
import torch
from pydantic import AfterValidator, ConfigDict, Field, NonNegativeInt, TypeAdapter, ValidationError
from pydantic import dataclasses as pydantic_dataclasses
from safetensors import SafetensorError, safe_open
from torch import Tensor

from pairedge.classes import DIGIT_CLASSES, wrong_classes
from pairedge_train.errors import CheckpointError, DataError, RecipeError, VariantError
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.experiments.schema_1 import from_schema_1
from pairedge_train.files import write_atomically
from pairedge_train.machine import machine
from pairedge_train.networks.network import Network, build_network
from pairedge_train.rows import check_metrics

SCHEMA = 2
_METRICS_1 = {"doubt_threshold": "digit_threshold"}  # names in schema 1, and now
_DRIFT = 1e-3  # of logits, relative to the largest; other processors and versions stay far below
_KEY = "pairedge"  # the only metadata entry: safetensors does not keep the order of several


@dataclass(frozen=True)
class Checkpoint:
    """A trained network and its provenance.

    Attributes:
        network: in evaluation mode, on the CPU.
        recipe: its recipe.
        seed: seed of its round.
        fold: index of the validation fold, in cross-validation.
        training_sha256: digest of its training pairs.
        metrics: the round's metrics, for instance {"test_accuracy": 0.953, "test_pairs": 1000}.
        machine: what trained it; None where that was not recorded, as in schema 1.
        classes: the names of the ten classes, in ascending order.
    """

    network: Network
    recipe: Recipe
    seed: int
    fold: int | None
    training_sha256: str
    metrics: dict[str, Any]
    machine: dict[str, str] | None = None
    classes: tuple[str, ...] = DIGIT_CLASSES


def _whole_machine(facts: dict[str, str]) -> dict[str, str]:
    missing = machine().keys() - facts.keys()
    if missing:
        raise ValueError(f"it lacks {', '.join(sorted(missing))}")
    return facts


def _ten_classes(names: tuple[str, ...]) -> tuple[str, ...]:
    problem = wrong_classes(names)
    if problem is not None:
        raise ValueError(problem)
    return names


@pydantic_dataclasses.dataclass(frozen=True, kw_only=True, config=ConfigDict(strict=True, extra="forbid"))
class _Metadata:
    """A checkpoint file's metadata; see `Checkpoint`."""

    schema: int
    recipe: dict[str, Any]
    seed: NonNegativeInt
    fold: NonNegativeInt | None = None
    training_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    metrics: dict[str, Any]
    machine: Annotated[dict[str, str], AfterValidator(_whole_machine)] | None = None
    classes: Annotated[tuple[str, ...], AfterValidator(_ten_classes)] = DIGIT_CLASSES
    answer: tuple[float, ...] | None = None  # of the network to one fixed pair; None of earlier versions


_METADATA = TypeAdapter(_Metadata)


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, completely or not at all.

    Raises:
        OutputError: when it cannot be written.
    """
    metadata = _Metadata(
        schema=SCHEMA,
        recipe=checkpoint.recipe.to_dict(),
        seed=checkpoint.seed,
        fold=checkpoint.fold,
        training_sha256=checkpoint.training_sha256,
        metrics=checkpoint.metrics,
        machine=checkpoint.machine,
        classes=checkpoint.classes,
        answer=tuple(_answer(checkpoint.network).tolist()),
    )
    tensors = {name: tensor.cpu().contiguous() for name, tensor in checkpoint.network.state_dict().items()}
    content = safetensors.torch.save(tensors, metadata={_KEY: json.dumps(asdict(metadata), sort_keys=True)})
    write_atomically(path, content)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint of this schema or of schema 1.

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
    try:
        schema = json.loads(text)["schema"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise CheckpointError(f"{path}: its metadata name no schema") from error
    if schema not in (1, SCHEMA):
        raise CheckpointError(
            f"{path}: a checkpoint of schema {schema}; this version reads 1 to {SCHEMA}; train again"
        )
    try:
        metadata = _METADATA.validate_json(text)
        fold, metrics = metadata.fold, metadata.metrics
        if metadata.schema == 1:
            recipe = from_schema_1(metadata.recipe)
            metrics = {_METRICS_1.get(name, name): value for name, value in metrics.items()}
            fold = metadata.seed - int(metadata.recipe["seed"]) if recipe.data.folds else None
        else:
            recipe = Recipe.from_dict(metadata.recipe)
        check_metrics(metrics)
        network = build_network(recipe.network)
        _check_weights(tensors, network)
        network.load_state_dict(tensors)
        _check_answer(metadata.answer, network.eval())
    except VariantError as error:
        raise CheckpointError(f"{path}: {error}") from error
    except (
        *(ValidationError, DataError, RecipeError, AttributeError),
        *(KeyError, OverflowError, RuntimeError, TypeError, ValueError),
    ) as error:
        raise CheckpointError(
            f"{path}: its weights, metrics or recipe do not fit this version, or the code of its variant; "
            "train again"
        ) from error
    return Checkpoint(
        network,
        recipe,
        metadata.seed,
        fold,
        metadata.training_sha256,
        metrics,
        metadata.machine,
        metadata.classes,
    )


def _check_weights(tensors: Mapping[str, Tensor], network: Network) -> None:
    """Check what `load_state_dict` takes in silence.

    Raises:
        ValueError: when a tensor is of another type than the network's, or not finite.
    """
    for name, expected in network.state_dict().items():
        tensor = tensors[name]
        if tensor.dtype != expected.dtype or not bool(tensor.isfinite().all()):
            raise ValueError(f"{name} is {tensor.dtype}, or not finite")


def _answer(network: Network) -> Tensor:
    """All logits for one pair of gradients, float32 (L,), from a network in evaluation mode on the CPU."""
    pair = torch.arange(2.0 * 14 * 14).reshape(1, 2, 14, 14) % 256
    with torch.no_grad():
        heads = [logits.flatten() for logits in network(pair) if logits is not None]
    return torch.cat(heads).nan_to_num()


def _check_answer(expected: tuple[float, ...] | None, network: Network) -> None:
    """Check that a network computes what it did when its checkpoint was written.

    Raises:
        VariantError: when it does not.
    """
    if expected is None:
        return
    then, now = torch.tensor(expected), _answer(network)
    if then.shape != now.shape or (then - now).abs().max() > _DRIFT * max(1.0, float(then.abs().max())):
        raise VariantError(
            "its network computes something else than it did: the code was edited; train again"
        )
