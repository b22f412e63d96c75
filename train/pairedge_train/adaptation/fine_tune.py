"""Fine-tuning on one's own pictures, with replay of what others wrote, so that nothing old is forgotten.

Every batch mixes one's own pictures with digits of the data set and synthetic ones. The network that is
adapted is the teacher of all of them, but where it is wrong the label counts. Its batch normalization stays
as it is: a few pictures say nothing about statistics.

Distillation from the network of before is how Li and Hoiem, "Learning without forgetting" (2016), keep old
answers, and replay how Rebuffi et al., "iCaRL" (2017), do. Ending between the old weights and the new ones is
from Wortsman et al., "Robust fine-tuning of zero-shot models" (2022).
"""

from __future__ import annotations

import copy
import time
from dataclasses import asdict, replace
from pathlib import Path

import torch
from torch import Generator, Tensor

from pairedge_train.adaptation.paired import compare, is_right
from pairedge_train.data.datasets import DataSet, Digits
from pairedge_train.data.pairs import Draw
from pairedge_train.data.synthetic import with_synthetic
from pairedge_train.errors import DataError
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.files import one_writer
from pairedge_train.machine import machine
from pairedge_train.networks.network import Network, to_channels_last
from pairedge_train.randomness import drawn_from
from pairedge_train.rows import Adapted, RoundRow
from pairedge_train.training.checkpoint import Checkpoint
from pairedge_train.training.epoch import Epoch
from pairedge_train.training.events import Event, Rendered, Watch, unwatched
from pairedge_train.training.one_round import Round, draw_round, finish_round, fit_watched
from pairedge_train.training.record import Record
from pairedge_train.training.rounds import checkpoint_path, finished_rows, keep_rounds
from pairedge_train.training.snapshot import Snapshot


def adapted_recipe(recipe: Recipe, start: Checkpoint, pictures: str = "") -> Recipe:
    """A recipe with what it is applied to filled in.

    Args:
        recipe: how to adapt.
        start: what to start from.
        pictures: SHA-256 of one's own pictures.
    """
    return recipe.with_(
        {
            "network.variant": start.recipe.network.variant,
            "data.normalize": start.recipe.data.normalize,
            "adapt.start": start.network.sha256(),
            "adapt.pictures": pictures,
        }
    )


def adapt(
    recipe: Recipe,
    start: Checkpoint,
    own: DataSet,
    replay: DataSet,
    folder: Path,
    *,
    seed: int,
    device: str = "cpu",
    watch: Watch = unwatched,
) -> RoundRow:
    """Fine-tune a network, compare it with what it was, and keep its checkpoint and row.

    What is finished is not trained again.

    Args:
        recipe: as `adapted_recipe` gives it.
        start: what to start from; it stays as it is.
        own: one's own pictures. Training sees their training split alone, and nothing is chosen by another.
        replay: the data set of the recipe, as loaded.
        folder: where checkpoint and row go, and what `Record` writes.
        seed: determines everything random. The seed of the start holds out the same digits for validation.
        device: where to train.
        watch: told what happens.

    Raises:
        DataError: when the pictures do not suit; nothing is written then.
        DivergedError: when the loss is not finite.
        OutputError: when a result cannot be written.
    """
    check_classes(start, own, replay)
    held_out = held_out_pictures(own)
    record = Record(folder, recipe)

    def watch_and_record(event: Event) -> None:
        record(event)
        watch(event)

    with one_writer(checkpoint_path(folder, seed)):
        row = finished_rows(folder, recipe).get(seed)
        if row is not None:
            return row
        begin = time.perf_counter()
        rendered = with_synthetic(replay, recipe.data, seed, lambda pictures: watch(Rendered(pictures)))
        data = joined(rendered, replay, own.training, recipe, seed)
        draw, network, history = fine_tune(recipe, start.network, data, seed, device, watch_and_record)
        this = Round(recipe, seed, 0)
        checkpoint, row = finish_round(this, data, draw, network, [history], machine(device), watch)
        adapted = Adapted(
            start=recipe.adapt.start,
            pictures=len(own.training),
            own=compare(is_right(start.network, held_out), is_right(network, held_out)),
            test=compare(is_right(start.network, replay.test), is_right(network, replay.test)),
        )
        checkpoint = replace(checkpoint, metrics=checkpoint.metrics | {"adapted": asdict(adapted)})
        trained = [(checkpoint, replace(row, adapted=adapted))]
        return keep_rounds(folder, record, trained, time.perf_counter() - begin)[seed]


def check_classes(start: Checkpoint, own: DataSet, replay: DataSet) -> None:
    """Check that all show what the network distinguishes, and that each class has pictures to train on.

    Raises:
        DataError: when one of this is not so.
    """
    for name, data in (("your own pictures", own), ("the pictures to replay", replay)):
        if data.classes != start.classes:
            raise DataError(
                f"{name} show {', '.join(data.classes)}, but the network to start from reads "
                f"{', '.join(start.classes)}"
            )
    trained = set(own.training.labels.tolist())
    missing = [name for label, name in enumerate(own.classes) if label not in trained]
    if missing:
        raise DataError(
            f"adapting needs pictures of each class to train on; there are none of {', '.join(missing)}"
        )


def held_out_pictures(own: DataSet) -> Digits:
    """One's own pictures that training does not see: the validation and the test split.

    Raises:
        DataError: when there are none.
    """
    held_out = [split for split in (own.held_out, own.test) if split is not None and len(split)]
    if not held_out:
        raise DataError("no picture is held out, so that nothing could tell whether adapting helps")
    return Digits.joined(held_out)


def joined(rendered: DataSet, replay: DataSet, own: Digits, recipe: Recipe, seed: int) -> DataSet:
    """What to train on: replayed digits, all synthetic ones, and one's own as often as their share takes.

    Args:
        rendered: the data set with its synthetic pictures, which follow the digits that are not held out.
        replay: the same as loaded.
        own: one's own pictures for training, at least one.
        recipe: how many of each.
        seed: determines which digits are replayed.
    """
    order = replayed_first(rendered, replay, seed)[: recipe.adapt.replay]
    synthetic = torch.arange(written(rendered, replay), len(rendered.training))
    others = rendered.training.take(torch.cat([order, synthetic]))
    repeated = round(len(others) * recipe.adapt.share / (1 - recipe.adapt.share))
    mine = own.take(torch.arange(repeated) % len(own))
    return replace(rendered, training=Digits.joined([others, mine]))


def replayed_first(rendered: DataSet, replay: DataSet, seed: int) -> Tensor:
    """The indices of the training digits that are not synthetic, int64 (M,), those to replay first."""
    return torch.randperm(written(rendered, replay), generator=Generator().manual_seed(seed))


def written(rendered: DataSet, replay: DataSet) -> int:
    """The number of training digits that are not synthetic, which come first."""
    return len(replay.training) - (rendered.added.held_out if rendered.added else 0)


def fine_tune(
    recipe: Recipe, start: Network, data: DataSet, seed: int, device: str = "cpu", watch: Watch = unwatched
) -> tuple[Draw, Network, list[Epoch]]:
    """Train a copy of a network on the data; give the pairs that were drawn, the copy, and its epochs.

    Args:
        recipe: how to train.
        start: in evaluation mode; the teacher.
        data: as `joined` gives it.
        seed: determines everything random.
        device: where to train, and where the copy stays.
        watch: told of each step and epoch.
    """
    teacher = to_channels_last(copy.deepcopy(start).to(device))
    network = copy.deepcopy(teacher)
    network.fixed_statistics = True
    this = Round(recipe, seed, 0)
    draw, generator = draw_round(this, data, device)
    with drawn_from(generator):
        [history] = fit_watched(
            [this.stage(draw)], [network], [draw], recipe, [generator], Snapshot(), watch, teacher
        )
    go_back(network, teacher, recipe.adapt.step)
    return draw, network, history


@torch.no_grad()
def go_back(network: Network, start: Network, step: float) -> None:
    """Move a network's weights back until they are so far from the start's, as a share, 0 to 1, of before."""
    for weight, old in zip(network.parameters(), start.parameters(), strict=True):
        weight.copy_(old.lerp(weight, step))
