"""Stacked networks take the same steps as each alone, and stacked rounds leave the same kind of rows."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Generator, Tensor, nn
from torch.optim import AdamW

from pairedge_train.data.datasets import DataSet
from pairedge_train.data.pairs import Draw, draw_pairs
from pairedge_train.errors import DivergedError
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.networks.network import Network, build_network
from pairedge_train.networks.two_branches import TwoBranches
from pairedge_train.networks.variants import get_variant, variants
from pairedge_train.randomness import drawn_from
from pairedge_train.training.fit import fit
from pairedge_train.training.losses import losses
from pairedge_train.training.rounds import train_round, train_rounds
from pairedge_train.training.stacked import StackedTwoBranches, can_stack, is_stackable

STACKABLE = [name for name in variants() if can_stack(Recipe().with_({"network.variant": name}))]
COUNT = 3  # networks


def other_layers() -> TwoBranches:
    """Layers and settings, or combinations of them, that no variant has."""
    branch = nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.SELU(), nn.MaxPool2d(2)),
        nn.BatchNorm2d(8, affine=False),
        nn.Conv2d(8, 12, 3, stride=2),
        nn.ReLU(),
        nn.BatchNorm2d(12, momentum=0.3),
        nn.Flatten(),
        nn.Linear(108, 10),
        nn.Tanh(),
    )
    return TwoBranches([branch], nn.Sequential(nn.ReLU(), nn.Linear(20, 1), nn.Flatten(0)), nn.Identity())


def bodies_of(name: str, dtype: torch.dtype) -> list[TwoBranches]:
    """Fresh networks of one kind, without dropout, which has a stream of random numbers of its own."""
    with drawn_from(Generator().manual_seed(1)):
        made = [other_layers() if name == "other" else get_variant(name).build() for _ in range(COUNT)]
    for body in made:
        body.to(dtype).train()
        for layer in body.modules():
            if isinstance(layer, nn.Dropout):
                layer.p = 0.0
    return made  # type: ignore[return-value]  # they are stackable


def pairs_of(size: int, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """Images (size, COUNT, 2, 14, 14), digits and targets."""
    generator = Generator().manual_seed(2)
    images = torch.rand(size, COUNT, 2, 14, 14, generator=generator, dtype=dtype)
    digits = torch.randint(0, 10, (size, COUNT, 2), generator=generator)
    return images, digits, (digits[..., 0] <= digits[..., 1]).long()


RECIPE = Recipe().with_({"loss.comparison_weight": 0.9, "loss.digit_weight": 0.7})


@pytest.mark.parametrize("name", [*STACKABLE, "other"])
def test_a_step_has_the_losses_gradients_and_statistics_of_each_network_alone(name: str) -> None:
    together = bodies_of(name, torch.float32)
    apart = copy.deepcopy(together)
    images, digits, target = pairs_of(9, torch.float32)
    stacked = StackedTwoBranches(together).train()
    together_losses = losses(stacked(images), target, digits, RECIPE.loss)
    torch.autograd.backward(together_losses.total.sum())
    for parameter in stacked.parameters():
        # The networks' own weights are views of the stacked ones: let them show the gradients.
        assert parameter.grad is not None
        parameter.data.copy_(parameter.grad)
    for i, (body, alone) in enumerate(zip(together, apart, strict=True)):
        expected = losses(alone(images[:, i]), target[:, i], digits[:, i], RECIPE.loss)
        torch.autograd.backward(expected.total)
        for ours, theirs in zip(together_losses, expected, strict=True):
            assert (ours is None) == (theirs is None)
            if ours is not None and theirs is not None:
                torch.testing.assert_close(ours[i], theirs, atol=1e-5, rtol=1e-5)
        for shown, parameter in zip(body.parameters(), alone.parameters(), strict=True):
            torch.testing.assert_close(shown.data, parameter.grad, atol=1e-5, rtol=1e-5)
        for buffer, expected_buffer in zip(body.buffers(), alone.buffers(), strict=True):
            torch.testing.assert_close(buffer, expected_buffer, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["twinnet_base", "twinnet_ws", "twinnet_aux", "twinnet_aux_ws", "other"])
def test_several_steps_lead_to_the_same_weights(name: str) -> None:
    # In float64, as Adam amplifies rounding errors where a gradient is nearly zero.
    together = bodies_of(name, torch.float64)
    apart = copy.deepcopy(together)
    stacked = StackedTwoBranches(together).train()
    every = [stacked, *apart]
    optimizers = [AdamW(body.parameters(), lr=1e-3, weight_decay=0.01) for body in every]
    for batch in zip(*(torch.split(part, 5) for part in pairs_of(30, torch.float64)), strict=True):
        images, digits, target = batch
        totals = [losses(stacked(images), target, digits, RECIPE.loss).total.sum()]
        for i, alone in enumerate(apart):
            part = losses(alone(images[:, i]), target[:, i], digits[:, i], RECIPE.loss)
            totals.append(part.total)
        for total, optimizer in zip(totals, optimizers, strict=True):
            optimizer.zero_grad()
            torch.autograd.backward(total)
            optimizer.step()
    for body, alone in zip(together, apart, strict=True):
        for name, tensor in alone.state_dict().items():
            torch.testing.assert_close(body.state_dict()[name], tensor, atol=1e-6, rtol=1e-6)


def test_what_can_be_stacked() -> None:
    assert {"twinnet_base", "twinnet_ws", "twinnet_aux", "twinnet_aux_ws"} <= set(STACKABLE)
    assert not {"MLP", "Sub_LeNet5", "WeightSharingBranches", "a_w_net", "MNISTResSiameseNet"} & set(
        STACKABLE
    )
    for layer in (nn.Conv2d(4, 4, 3, groups=2), nn.Linear(4, 4, bias=False), nn.LogSoftmax(1)):
        assert not is_stackable(TwoBranches([nn.Sequential(nn.ReLU(), layer)], None, nn.Identity()))
    assert not is_stackable(TwoBranches([nn.ReLU()], None, nn.Linear(10, 10)))
    assert is_stackable(other_layers())
    for unsupported in (
        {"stopping.patience": 2, "data.hold_out": 5},
        {"stopping.restore_best": True, "data.hold_out": 5},
        {"optim.plateau_threshold": 0.0},
        {"data.redraw": True},
        {"data.folds": 4},
        {"optim.schedule": "one-cycle"},
        {"optim.ema": 0.9},
        {"loss.label_smoothing": 0.1},
        {"loss.teacher": "ship_teacher"},
        {"augment.rotate": 1.0},
        {"data.synthetic.printed": 1},
        {"network.variant": ["twinnet_ws", "twinnet_ws"]},
    ):
        assert not can_stack(Recipe().with_(unsupported))
    assert can_stack(Recipe().with_({"data.shuffle": True, "data.hold_out": 5, "evaluation.curves": True}))


def test_asking_what_can_be_stacked_draws_no_random_numbers() -> None:
    before = torch.get_rng_state()
    can_stack(Recipe().with_({"network.variant": "twinnet_ws", "optim.epochs": 3}))
    assert torch.equal(torch.get_rng_state(), before)


def starts(tiny: DataSet, recipe: Recipe) -> tuple[list[Network], list[Draw], list[Generator]]:
    """Untrained networks in float64 without dropout, and pairs for each."""
    networks, draws = [], []
    generators = [Generator().manual_seed(seed) for seed in range(COUNT)]
    for generator in generators:
        draw = draw_pairs(tiny, recipe.data, generator)
        for pairs in (draw.training, draw.validation, draw.test):
            assert pairs is not None
            object.__setattr__(pairs, "images", pairs.images.double())
        draws.append(draw)
        with drawn_from(generator):
            statistics = (draw.mean, draw.std) if recipe.data.normalize == "standardize" else (0.0, 1.0)
            networks.append(build_network(recipe.network, *statistics).double())
    for network in networks:
        for layer in network.modules():
            if isinstance(layer, nn.Dropout):
                layer.p = 0.0
    return networks, draws, generators


@pytest.mark.parametrize(
    "changes",
    [
        {"evaluation.curves": True, "data.normalize": "standardize"},
        {"data.shuffle": True, "data.pairs": 11},  # the last batch has one pair
        {"network.variant": "twinnet_base"},
        {"network.variant": "DirectClassification", "loss.digit_weight": 0.5},
    ],
)
def test_fitting_together_equals_fitting_each(tiny: DataSet, quick: Recipe, changes: dict[str, Any]) -> None:
    recipe = quick.with_({"optim.epochs": 3, "optim.lr": 1e-3, **changes})
    together, draws, generators = starts(tiny, recipe)
    histories = fit(together, draws, recipe, generators=generators)
    assert len(histories) == COUNT
    for network, history, alone, draw, generator in zip(
        together, histories, *starts(tiny, recipe), strict=True
    ):
        [expected] = fit([alone], [draw], recipe, generators=[generator])
        assert not network.training
        assert [epoch.number for epoch in history] == [1, 2, 3]
        for ours, theirs in zip(history, expected, strict=True):
            assert vars(ours).keys() == vars(theirs).keys()
            assert ours.seconds > 0
            for loss in ("loss", "comparison_loss", "digit_loss"):
                assert getattr(ours, loss) == pytest.approx(getattr(theirs, loss), abs=1e-6)
            for side in ("validation", "train", "test"):
                scores, expected_scores = getattr(ours, side), getattr(theirs, side)
                assert (scores is None) == (expected_scores is None)
                if scores is not None:
                    assert vars(scores) == pytest.approx(vars(expected_scores), abs=1e-6)
        for name, tensor in alone.state_dict().items():
            torch.testing.assert_close(network.state_dict()[name], tensor, atol=1e-6, rtol=1e-6)


def test_networks_share_no_memory_after_stacked_training(tiny: DataSet, quick: Recipe) -> None:
    networks, draws, generators = starts(tiny, quick)
    fit(networks, draws, quick, generators=generators)
    tensors = [tensor for network in networks for tensor in network.state_dict().values()]
    assert len({tensor.untyped_storage().data_ptr() for tensor in tensors}) == len(tensors)


def test_one_loss_that_is_not_finite_stops_all_networks(tiny: DataSet, quick: Recipe) -> None:
    networks, draws, generators = starts(tiny, quick)
    draws[1].training.images[0, 0, 0, 0] = float("nan")
    with pytest.raises(DivergedError, match=r"the loss became nan in epoch 1"):
        fit(networks, draws, quick, generators=generators)


def test_stacked_rounds_have_pairs_and_rows_like_single_ones(tiny: DataSet, quick: Recipe) -> None:
    before = torch.get_rng_state()
    together = train_rounds(quick, tiny, 2021, [0, 2, 5])
    assert torch.equal(torch.get_rng_state(), before)
    for number, (checkpoint, row) in zip([0, 2, 5], together, strict=True):
        single, alone = train_round(quick, tiny, 2021, number)
        assert (row.to_dict().keys(), row.stacked, alone.stacked) == (alone.to_dict().keys(), 3, 1)
        assert row.seed == checkpoint.seed == single.seed == 2021 + number
        assert checkpoint.training_sha256 == single.training_sha256
        assert checkpoint.recipe == single.recipe
        for name in ("recipe", "pairs", "test_pairs", "epochs", "parameters", "device"):
            assert getattr(row, name) == getattr(alone, name)


def test_stacked_rounds_start_from_the_weights_of_single_ones(tiny: DataSet, quick: Recipe) -> None:
    still = quick.with_({"optim.lr": 1e-30, "optim.epochs": 1})
    for number, (together, _) in enumerate(train_rounds(still, tiny, 2021, [0, 1])):
        alone, _ = train_round(still, tiny, 2021, number)
        for ours, theirs in zip(together.network.parameters(), alone.network.parameters(), strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-12, rtol=0)


def test_rounds_that_cannot_be_stacked_are_trained_one_by_one(tiny: DataSet, quick: Recipe) -> None:
    rows = [row for _, row in train_rounds(quick.with_({"network.variant": "MLP"}), tiny, 2021, [0, 1])]
    assert [(row.seed, row.stacked) for row in rows] == [(2021, 1), (2022, 1)]
