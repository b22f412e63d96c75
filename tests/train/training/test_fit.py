"""The loop trains, depends on its arguments alone, and stops when a loss is not finite."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from pairedge_train.data.datasets import NEGATIVE, DataSet
from pairedge_train.data.pairs import Draw, Pairs, draw_pairs
from pairedge_train.errors import DataError, DivergedError
from pairedge_train.experiments.recipe import Loss, Optimization, Recipe
from pairedge_train.networks.network import Network, build_network
from pairedge_train.networks.output import Output
from pairedge_train.randomness import drawn_from
from pairedge_train.training import fit as fit_module
from pairedge_train.training.augment import warp
from pairedge_train.training.epoch import Epoch
from pairedge_train.training.evaluate import Scores
from pairedge_train.training.fit import MeanLosses, batches, fit, posteriors
from pairedge_train.training.losses import corrected, losses, smoothed
from pairedge_train.training.optimization import halve_lr

from .pixel_networks import by_posteriors, tiles_that_say


def test_the_loss_is_the_sum_of_three_cross_entropies() -> None:
    generator = Generator().manual_seed(0)
    comparison = torch.randn(8, 2, generator=generator)
    digits = torch.randn(8, 2, 10, generator=generator)
    truth = torch.randint(0, 10, (8, 2), generator=generator)
    target = (truth[:, 0] <= truth[:, 1]).long()
    expected = F.cross_entropy(comparison, target) + 0.5 * (
        F.cross_entropy(digits[:, 0], truth[:, 0]) + F.cross_entropy(digits[:, 1], truth[:, 1])
    )
    total = losses(Output(comparison, digits), target, truth, Loss(digit_weight=0.5)).total
    assert float(total) == pytest.approx(float(expected), abs=1e-6)


def test_the_loss_of_a_single_logit_is_bce_of_its_sigmoid() -> None:
    logits, target = torch.tensor([-2.0, 0.3, 4.0]), torch.tensor([0, 1, 1])
    total = losses(Output(logits, None), target, torch.zeros(3, 2, dtype=torch.long)).total
    assert float(total) == pytest.approx(
        float(F.binary_cross_entropy(logits.sigmoid(), target.float())), abs=1e-6
    )


def test_batches_cover_every_pair_once_shuffled_or_not(tiny: DataSet, quick: Recipe) -> None:
    pairs = draw_pairs(tiny, quick.data, Generator().manual_seed(0)).training
    for shuffle in (False, True):
        recipe = quick.with_({"data.shuffle": shuffle})
        visited = torch.cat([images for images, _, _ in batches(pairs, recipe, [Generator().manual_seed(0)])])
        assert torch.equal(visited, pairs.images) is not shuffle
        assert torch.equal(visited.sum((1, 2, 3)).sort().values, pairs.images.sum((1, 2, 3)).sort().values)


def draw_of(pairs: Pairs, tiny: DataSet) -> Draw:
    return Draw(training=pairs, validation=pairs, test=pairs, mean=0, std=1, training_digits=tiny.training)


def test_a_network_learns_to_compare_black_and_white(tiny: DataSet, quick: Recipe) -> None:
    # A toy target: digit 0 is drawn black and digit 9 white, and a few epochs must tell them apart.
    digits = torch.randint(0, 2, (64, 2), generator=Generator().manual_seed(0)) * 9
    images = (digits[:, :, None, None] * 28.0).expand(-1, -1, 14, 14).contiguous()
    reported: list[list[Epoch]] = []
    with drawn_from(Generator().manual_seed(0)):
        network = build_network(quick.network)
        draw = draw_of(Pairs(images, digits), tiny)
        recipe = quick.with_({"optim.epochs": 8})
        [history] = fit([network], [draw], recipe, generators=[Generator()], on_epoch=reported.append)
    assert [[epoch] for epoch in history] == reported
    assert history[-1].validation is not None
    assert history[-1].validation.pairs == 1.0
    assert history[-1].loss < history[0].loss


def test_a_loss_that_is_not_finite_stops_the_training(tiny: DataSet, quick: Recipe) -> None:
    draw = draw_pairs(tiny, quick.data, Generator().manual_seed(0))
    network = build_network(quick.network)
    draw.training.images[0, 0, 0, 0] = float("nan")
    with pytest.raises(DivergedError, match=r"the loss became nan in epoch 1"):
        fit([network], [draw], quick, generators=[Generator()])


def fake_epochs(monkeypatch: pytest.MonkeyPatch, epoch_losses: list[float], accuracies: list[float]) -> None:
    """Let epochs have these losses and accuracies, and mark the weights with the epoch's number."""
    epochs = iter(epoch_losses)
    values = zip(accuracies, epoch_losses, strict=True)
    scores = iter([Scores(accuracy, None, loss, None) for accuracy, loss in values])

    def train_epoch(network: Network, *_: Any, **__: Any) -> list[MeanLosses]:
        network.mean += 1
        return [(next(epochs), None, None)]

    monkeypatch.setattr(fit_module, "train_epoch", train_epoch)
    monkeypatch.setattr(fit_module, "evaluate", lambda *_, **__: next(scores))


@pytest.mark.parametrize(("monitor", "best"), [("accuracy", 2), ("loss", 3)])
def test_early_stopping_has_patience_and_restores_the_best_weights(
    monitor: str, best: int, tiny: DataSet, quick: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = quick.with_(
        {
            "optim.epochs": 9,
            "stopping.patience": 3,
            "data.hold_out": 2,
            "stopping.restore_best": True,
            "stopping.monitor": monitor,
        }
    )
    draw = draw_pairs(tiny, recipe.data, Generator().manual_seed(0))
    fake_epochs(monkeypatch, [5, 4, 3, 3, 3, 3, 3, 3, 3], [0.5, 0.7, 0.6, 0.7, 0.7, 0.7, 0.8, 0.9, 0.9])
    network = build_network(recipe.network)
    [history] = fit([network], [draw], recipe, generators=[Generator()])
    assert len(history) == best + 3  # an equal score is no improvement
    assert float(network.mean) == best


def test_without_restoring_the_last_weights_stay(
    tiny: DataSet, quick: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = quick.with_({"optim.epochs": 9, "stopping.patience": 3, "data.hold_out": 2})
    draw = draw_pairs(tiny, recipe.data, Generator().manual_seed(0))
    fake_epochs(monkeypatch, [1.0] * 9, [0.5] * 9)
    network = build_network(recipe.network)
    [history] = fit([network], [draw], recipe, generators=[Generator()])
    assert len(history) == 4
    assert float(network.mean) == 4


@pytest.mark.parametrize(
    ("epoch_losses", "min_lr", "expected"),
    [
        ([1.0], 0.0, 0.8),  # the first epoch has no previous one
        ([1.0, 0.98], 0.0, 0.4),  # fell by 2 %
        ([1.0, 0.96], 0.0, 0.8),  # fell by 4 %
        ([1.0, 1.5], 0.0, 0.4),  # a rising loss halves too
        ([1.0, 1.5], 0.8, 0.8),  # at its minimum
        ([1.0, 1.5], 0.79, 0.4),  # above it
        ([1.0, 0.97], 0.0, 0.4),  # fell by 3 %, which is "no more" than 3 %
    ],
)
def test_the_learning_rate_is_halved_on_a_plateau(
    epoch_losses: list[float], min_lr: float, expected: float
) -> None:
    optimizer = torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=0.8)
    epochs = [
        Epoch(number, loss, None, None, 0, None, None, None) for number, loss in enumerate(epoch_losses, 1)
    ]
    halve_lr(optimizer, epochs, Optimization(plateau_threshold=1 - 0.97, min_lr=min_lr))
    assert optimizer.param_groups[0]["lr"] == expected


def test_smoothed_labels_sum_to_one_and_are_uniform_for_negatives() -> None:
    labels = smoothed(torch.tensor([3, NEGATIVE]), 0.1)
    torch.testing.assert_close(labels.sum(1), torch.ones(2))
    assert labels[0, 3] == pytest.approx(0.91)
    assert labels[0, 4] == pytest.approx(0.01)
    torch.testing.assert_close(labels[1], torch.full((10,), 0.1))


def test_a_pair_with_a_negative_has_no_comparison_loss() -> None:
    pairs = Pairs(torch.zeros(3, 2, 14, 14), torch.tensor([[1, 2], [NEGATIVE, 2], [5, 4]]))
    assert pairs.target.tolist() == [1, NEGATIVE, 0]
    comparison = torch.randn(3, 2, generator=Generator().manual_seed(0))
    total = losses(Output(comparison, None), pairs.target, pairs.digits).total
    expected = F.cross_entropy(comparison[[0, 2]], torch.tensor([1, 0]))
    assert float(total) == pytest.approx(float(expected))


def test_a_single_logit_has_no_gradient_from_a_pair_with_a_negative() -> None:
    digits = torch.tensor([[1, 2], [NEGATIVE, 2], [5, 4]])
    logits = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
    total = losses(Output(logits, None), Pairs(torch.zeros(3, 2, 14, 14), digits).target, digits).total
    expected = F.binary_cross_entropy_with_logits(logits[[0, 2]], torch.tensor([1.0, 0.0]))
    assert float(total.detach()) == pytest.approx(float(expected.detach()))
    torch.autograd.backward(total)
    assert logits.grad is not None
    assert logits.grad[1] == 0


@pytest.mark.parametrize("shape", [(2,), (2, 2)])
@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_a_batch_of_negatives_has_zero_comparison_loss(shape: tuple[int, ...], weight: float) -> None:
    digits = torch.full((2, 2), NEGATIVE)
    comparison = torch.ones(shape, requires_grad=True)
    logits = torch.zeros(2, 2, 10)
    target = Pairs(torch.zeros(2, 2, 14, 14), digits).target
    parts = losses(Output(comparison, logits), target, digits, Loss(comparison_weight=weight))
    assert float(parts.total.detach()) == pytest.approx(2 * math.log(10))  # of the uniform posteriors only
    torch.autograd.backward(parts.total)
    assert comparison.grad is not None
    assert not comparison.grad.any()


def test_smoothing_and_distillation_are_cross_entropies_with_soft_labels() -> None:
    random = Generator().manual_seed(0)
    logits, digits = torch.randn(4, 2, 10, generator=random), torch.randint(0, 10, (4, 2), generator=random)
    target = (digits[:, 0] <= digits[:, 1]).long()
    flat = logits.flatten(0, 1)
    by_torch = 2 * F.cross_entropy(flat, digits.flatten(), label_smoothing=0.2)
    total = losses(Output(None, logits), target, digits, Loss(label_smoothing=0.2)).total
    assert float(total) == pytest.approx(float(by_torch))
    posterior = torch.randn(4, 2, 10, generator=random).softmax(2)
    reference = -2 * (posterior.flatten(0, 1) * flat.log_softmax(1)).sum(1).mean()
    distilled = losses(Output(None, logits), target, digits, soft_targets=posterior).total
    assert float(distilled) == pytest.approx(float(reference))


@pytest.mark.parametrize("name", ["0.0.weight", "0.1.running_mean", "0.1.running_var"])
def test_the_moving_average_equals_a_reference(name: str, tiny: DataSet, quick: Recipe) -> None:
    """The reference: the weights after every step, averaged by hand; two batches of one epoch."""
    recipe = quick.with_(
        {"network.variant": "aux_ws", "optim.ema": 0.75, "optim.epochs": 1, "optim.batch_size": 6}
    )
    draw = draw_pairs(tiny, recipe.data, Generator().manual_seed(0))
    weights: list[Tensor] = []

    def trained(recipe: Recipe) -> Tensor:
        with drawn_from(Generator().manual_seed(1)):
            network = build_network(recipe.network)
            weight: Tensor = network.state_dict()[
                f"body.branches.{name}"
            ]  # it shares its memory with the network
            handle = network.register_forward_pre_hook(lambda *_: weights.append(weight.clone()))
            fit([network], [draw], recipe, generators=[Generator().manual_seed(2)])
            handle.remove()
            return weight.clone()

    last = trained(recipe.with_({"optim.ema": 0.0}))
    after_first = weights[1]  # what the second step starts from
    torch.testing.assert_close(trained(recipe), 0.75 * after_first + 0.25 * last)


def test_a_corrected_teacher_is_followed_but_where_another_digit_leads() -> None:
    digits = torch.tensor([[3, 3], [NEGATIVE, 1]])
    posteriors = torch.full((2, 2, 10), 0.05)
    posteriors[0, 0, 3] = 0.55  # right
    posteriors[0, 1, 4] = 0.55  # wrong: the label counts, smoothed to 0.91 and nine times 0.01
    posteriors[1, 0, 8] = 0.55  # a negative has no label that could be another one
    posteriors[1, 1, 1] = 0.55  # right
    expected = posteriors.clone()
    expected[0, 1] = torch.tensor([0.01] * 3 + [0.91] + [0.01] * 6)
    assert corrected(posteriors, digits, Loss(label_smoothing=0.1)).allclose(expected)
    logits = torch.randn(2, 2, 10, generator=Generator().manual_seed(0))
    target = torch.tensor([1, NEGATIVE])
    settings = Loss(label_smoothing=0.1, corrected_teacher=True)
    total = losses(Output(None, logits), target, digits, settings, soft_targets=posteriors).total
    assert total.isclose(losses(Output(None, logits), target, digits, soft_targets=expected).total)


def test_a_teachers_soft_targets_are_its_posteriors() -> None:
    # A logit of 2 among nine of 0: e^2 / (e^2 + 9).
    images = tiles_that_say([3, 7], 2).view(1, 2, 14, 14)
    soft = posteriors(by_posteriors(), images)
    high = math.exp(2) / (math.exp(2) + 9)
    for side, digit in ((0, 3), (1, 7)):
        expected = [high if other == digit else (1 - high) / 9 for other in range(10)]
        assert soft[0, side].tolist() == pytest.approx(expected)


def test_augmentation_needs_fields(tiny: DataSet, quick: Recipe) -> None:
    recipe = quick.with_({"augment.rotate": 10.0})
    draw = draw_pairs(tiny, recipe.data, Generator().manual_seed(0))
    with pytest.raises(DataError, match="augmentation needs the 28x28 pictures"):
        fit([build_network(recipe.network)], [draw], recipe, generators=[Generator().manual_seed(0)])


def test_augmented_tiles_are_averaged_after_they_are_distorted(uci: DataSet, quick: Recipe) -> None:
    recipe = quick.with_({"augment.rotate": 10.0, "augment.stroke": 0.2})
    pairs = draw_pairs(uci, recipe.data, Generator().manual_seed(0)).training
    [(images, digits, _), *_] = batches(pairs, recipe, [Generator().manual_seed(3)])
    assert pairs.fields is not None
    fields = warp(pairs.fields[:5].flatten(0, 1).float(), recipe.augment, Generator().manual_seed(3))
    torch.testing.assert_close(images.flatten(0, 1), F.avg_pool2d(fields, 2))
    assert torch.equal(digits, pairs.digits[:5])
