"""Calibration: known cases by hand, evaluation of all pairs against a reference, recovered temperatures."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Generator, nn

from pairedge_train.data.datasets import NEGATIVE, DataSet
from pairedge_train.data.pairs import Draw, Pairs, make_pairs
from pairedge_train.errors import RecipeError
from pairedge_train.experiments.recipe import Architecture, Evaluation
from pairedge_train.networks.ensemble import ensemble_of
from pairedge_train.networks.network import Network, build_network
from pairedge_train.networks.output import leq_probability
from pairedge_train.networks.variants import get_variant
from pairedge_train.randomness import drawn_from
from pairedge_train.training.all_pairs import evaluate_all_pairs
from pairedge_train.training.calibration import (
    Reliability,
    best_temperature,
    confidence_thresholds,
    divide_logits,
    rejected_negatives,
    risk,
)
from pairedge_train.training.measure import calibrate, validation_metrics

from .pixel_networks import by_first_pixel, by_posteriors, pairs_of, tiles_of, tiles_that_say


def fresh(variant: str, seed: int = 0) -> Network:
    with drawn_from(Generator().manual_seed(seed)):
        return Network(get_variant(variant).build(), mean=127.0, std=74.0).eval()


def test_calibrated_probabilities_have_no_calibration_error() -> None:
    probability = torch.full((1000,), 0.75)
    truth = torch.arange(1000) < 750
    assert Reliability.of(probability, truth).error() == pytest.approx(0, abs=1e-3)
    always = torch.ones(1000, dtype=torch.bool)
    assert Reliability.of(probability, always).error() == pytest.approx(0.25, abs=1e-3)


def test_the_diagram_has_fifteen_bins_and_the_error_is_the_mean_over_them() -> None:
    even = (torch.arange(3000) + 0.5) / 3000
    diagram = Reliability.of(even, even > 2).diagram()
    assert [line[0] for line in diagram] == pytest.approx([1 / 15] * 15)
    assert [line[1] for line in diagram] == pytest.approx([(2 * i + 1) / 30 for i in range(15)], abs=1e-6)
    # 0.10 is true twice of ten and 0.25 three times of twenty: each is wrong by 0.1, their mean by nothing.
    probability = torch.tensor([0.1] * 10 + [0.25] * 20)
    truth = torch.tensor([True] * 2 + [False] * 8 + [True] * 3 + [False] * 17)
    assert Reliability.of(probability, truth).error() == pytest.approx(0.1, abs=1e-3)


def test_the_diagram_has_an_entry_for_each_bin_in_use() -> None:
    reliability = Reliability.of(torch.tensor([0.0, 0.5, 0.5, 1.0]), torch.tensor([False, True, False, True]))
    assert [tuple(round(value, 2) for value in line) for line in reliability.diagram()] == [
        (0.25, 0.0, 0.0),
        (0.5, 0.5, 0.5),
        (0.25, 1.0, 1.0),
    ]


def test_risk_falls_as_the_least_certain_are_rejected() -> None:
    confidence = torch.linspace(0.5, 0.999, 1000)
    right = torch.arange(1000) >= 100  # the hundred least certain are wrong
    reliability = Reliability.of(confidence, right)
    assert risk(reliability, 1.0) == pytest.approx(0.1)
    assert risk(reliability, 0.9) == pytest.approx(0, abs=1e-3)
    assert risk(reliability, 0.95) == pytest.approx(0.05 / 0.95, abs=2e-3)


@pytest.mark.parametrize("variant", ["aux_ws", "aux", "ws", "aux_ws_learned"])
def test_all_pairs_are_evaluated_like_each_pair(variant: str, tiny: DataSet) -> None:
    """The reference: every ordered pair goes through the network."""
    network, test = fresh(variant), tiny.test
    result = evaluate_all_pairs(network, torch.from_numpy(test.tiles).float(), test.labels)
    assert result is not None
    assert result.leq is not None
    decisions = result.leq.folded()
    order = torch.cartesian_prod(torch.arange(len(test)), torch.arange(len(test))).flatten()
    every = make_pairs(test, order)
    with torch.no_grad():
        output = network(every.images)
        assert output.comparison is not None
        leq = leq_probability(output.comparison)
    correct = float(((leq >= 0.5) == every.target.bool()).double().mean())
    assert result.accuracy == pytest.approx(correct)
    assert decisions.frequency() == pytest.approx(correct)
    assert result.leq.error() == pytest.approx(Reliability.of(leq, every.target.bool()).error(), abs=1e-4)
    confidence = torch.where(leq >= 0.5, leq, 1 - leq)
    assert decisions.count.sum() == len(every)
    least = int(decisions.count.nonzero()[0])
    assert least == pytest.approx(3000 * float(confidence.min()), abs=1)


def test_a_learned_comparison_is_evaluated_on_all_pairs_only_on_request(tiny: DataSet) -> None:
    tiles = torch.from_numpy(tiny.test.tiles).float()
    network = fresh("aux_ws_learned")
    assert evaluate_all_pairs(network, tiles, tiny.test.labels, learned=False) is None
    assert evaluate_all_pairs(network, tiles, tiny.test.labels) is not None


# A network says one digit with logit 10, the others with 0, and is right nine times of ten. The cross-entropy
# is least where its posterior is 0.9: exp(10/T) / (exp(10/T) + 9) = 0.9, so T = 10 / ln 81.
NINE_OF_TEN = [*[4] * 9, 5] * 4
OVERCONFIDENT = pairs_of(tiles_that_say([4] * 40, 10), NINE_OF_TEN)
# Likewise a comparison says yes or no with logit 3 and is right four times of five: T = 3 / ln 4.
SIGNS = torch.tensor([1.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0, -1.0, 1.0, -1.0])
COMPARED = pairs_of(
    tiles_of(torch.nn.functional.pad(3 * SIGNS.repeat_interleave(2)[:, None], (0, 9))),
    [*[1, 2] * 4, *[2, 1] * 4, 2, 1, 1, 2],
)
CASES = {
    "digits": (by_posteriors, OVERCONFIDENT, 10 / math.log(81)),
    "comparison": (by_first_pixel, COMPARED, 3 / math.log(4)),
}


@pytest.mark.parametrize(("network", "pairs", "temperature"), CASES.values(), ids=CASES)
def test_the_best_temperature_is_the_one_found_by_hand(
    network: Callable[[], Network], pairs: Pairs, temperature: float
) -> None:
    found = best_temperature(network(), pairs)
    assert found is not None
    assert found[0] == pytest.approx(temperature, rel=1e-3)


@pytest.mark.parametrize(("network", "pairs", "temperature"), CASES.values(), ids=CASES)
def test_a_known_temperature_is_recovered(
    network: Callable[[], Network], pairs: Pairs, temperature: float
) -> None:
    sharper = network()
    divide_logits(sharper, 0.5)
    found = best_temperature(sharper, pairs)
    assert found is not None
    assert found[0] == pytest.approx(2 * temperature, rel=1e-3)


def test_logits_are_divided_by_the_best_temperature_of_summed_posteriors_too() -> None:
    """Without a digit head the temperature is searched by the comparison's cross-entropy: a grid finds it."""
    network = by_posteriors(digits=False)
    logits = torch.randn(200, 10, generator=Generator().manual_seed(0)) * 4
    labels = (
        torch.multinomial((logits / 3).softmax(1), 1, generator=Generator().manual_seed(1)).flatten().tolist()
    )
    pairs = pairs_of(tiles_of(logits), labels)
    found = best_temperature(network, pairs)
    assert found is not None
    losses = {}
    for hundredth in range(50, 800, 2):
        first, second = (pairs.images.flatten(2)[:, side, :10] / (hundredth / 100) for side in (0, 1))
        leq = torch.triu(first.softmax(1)[:, :, None] * second.softmax(1)[:, None, :]).sum((1, 2))
        right = torch.where(pairs.target.bool(), leq, 1 - leq)
        losses[hundredth / 100] = float(-right.log().mean())
    assert found[0] == pytest.approx(min(losses, key=losses.__getitem__), abs=0.03)
    assert 0.5 < found[0] < 7.9
    assert found[1] == pytest.approx(min(losses.values()), abs=1e-4)


@pytest.mark.parametrize(("network", "pairs", "temperature"), CASES.values(), ids=CASES)
def test_calibrating_on_validation_pairs_leaves_probabilities_that_are_frequencies(
    network: Callable[[], Network], pairs: Pairs, temperature: float, tiny: DataSet
) -> None:
    calibrated = network()
    draw = Draw(training=pairs, validation=pairs, test=pairs, mean=0, std=1, training_digits=tiny.training)
    calibrate(calibrated, draw, Evaluation(temperature="validation"))
    with torch.no_grad():
        output, before = calibrated(pairs.images), network()(pairs.images)
    if output.digits is not None:
        assert float(output.digits.softmax(2).amax(2).mean()) == pytest.approx(0.9, abs=1e-3)
    else:
        assert float(output.comparison.softmax(1).amax(1).mean()) == pytest.approx(0.8, abs=1e-3)
        torch.testing.assert_close(output.comparison, before.comparison / temperature, rtol=1e-3, atol=1e-3)


def test_a_network_without_linear_last_layer_has_no_temperature(tiny: DataSet) -> None:
    assert best_temperature(fresh("MLP"), make_pairs(tiny.training, torch.arange(10))) is None


def test_an_ensemble_answers_with_the_mean_logits(tiny: DataSet) -> None:
    members = [fresh("aux_ws", seed) for seed in (1, 2, 3)]
    body = ensemble_of([member.body for member in members])
    together = Network(body, mean=127.0, std=74.0).eval()
    images = Pairs(tiny.test.gray.view(-1, 2, 14, 14), tiny.test.labels.view(-1, 2)).images
    with torch.no_grad():
        alone = torch.stack([member(images).digits for member in members])
        ensemble = together(images).digits
    torch.testing.assert_close(ensemble, alone.mean(0))
    divide_logits(together, 2.0)
    with torch.no_grad():
        torch.testing.assert_close(together(images).digits, alone.mean(0) / 2)


def test_members_that_cannot_form_an_ensemble_are_refused() -> None:
    with pytest.raises(RecipeError, match="heads without weights"):
        ensemble_of([get_variant("aux_ws_learned").build()])
    with pytest.raises(RecipeError, match="heads without weights"):
        ensemble_of([nn.Identity()])


def test_a_recipe_with_members_builds_the_ensemble_that_its_checkpoint_fills() -> None:
    network = build_network(Architecture(variant=("aux_ws", "aux_ws", "aux_ws")))
    assert network.parameter_count() == 3 * get_variant("aux_ws").parameters


def test_each_threshold_is_fitted_on_the_confidence_that_it_is_compared_with(tiny: DataSet) -> None:
    network = fresh("aux_ws")
    pairs = make_pairs(tiny.training, torch.arange(60))
    with torch.no_grad():
        output = network(pairs.images)
    assert output.digits is not None
    assert output.comparison is not None
    thresholds = confidence_thresholds(network, pairs, rejected=0.25)
    assert thresholds is not None
    of_digits = output.digits.softmax(2).amax(2)
    leq = leq_probability(output.comparison)
    of_pairs = torch.minimum(torch.maximum(leq, 1 - leq), of_digits.amin(1))
    assert float((of_pairs < thresholds.pair).double().mean()) == pytest.approx(0.25, abs=0.04)
    assert float((of_digits < thresholds.digit).double().mean()) == pytest.approx(0.25, abs=0.02)
    assert thresholds.pair < thresholds.digit
    assert confidence_thresholds(fresh("ws"), pairs) is None


def test_by_default_one_and_a_half_percent_may_be_rejected() -> None:
    logits = torch.randn(800, 10, generator=Generator().manual_seed(0)) * 3
    thresholds = confidence_thresholds(by_posteriors(), pairs_of(tiles_of(logits), [1] * 800))
    assert thresholds is not None
    assert int((logits.softmax(1).amax(1) < thresholds.digit).sum()) == 12
    first, second = logits.view(400, 2, 10).softmax(2).unbind(1)
    leq = torch.triu(first[:, :, None] * second[:, None, :]).sum((1, 2))
    confidence = torch.stack([torch.maximum(leq, 1 - leq), first.amax(1), second.amax(1)]).amin(0)
    assert int((confidence < thresholds.pair).sum()) == 6


def test_negatives_do_not_move_the_thresholds(tiny: DataSet) -> None:
    network = fresh("aux_ws")
    pairs = make_pairs(tiny.training, torch.arange(60))
    noise = torch.rand(10, 2, 14, 14, generator=Generator().manual_seed(3)) * 255
    mixed = Pairs(torch.cat([pairs.images, noise]), torch.cat([pairs.digits, torch.full((10, 2), NEGATIVE)]))
    assert confidence_thresholds(network, mixed) == confidence_thresholds(network, pairs)


def test_negatives_do_not_count_in_the_metrics_of_a_search(tiny: DataSet) -> None:
    network = fresh("aux_ws")
    pairs = make_pairs(tiny.training, torch.arange(60))
    noise = torch.rand(10, 2, 14, 14, generator=Generator().manual_seed(3)) * 255
    mixed = Pairs(torch.cat([pairs.images, noise]), torch.cat([pairs.digits, torch.full((10, 2), NEGATIVE)]))
    assert validation_metrics(network, mixed) == validation_metrics(network, pairs)


def test_the_share_of_negatives_that_a_threshold_rejects_counts_them_alone(tiny: DataSet) -> None:
    network = fresh("aux_ws")
    pairs = make_pairs(tiny.training, torch.arange(60))
    digits = pairs.digits.clone()
    digits[:4, 0] = digits[2:6, 1] = NEGATIVE
    mixed = Pairs(pairs.images, digits)
    confidences = []
    for row, side in [(row, 0) for row in range(4)] + [(row, 1) for row in range(2, 6)]:
        with torch.no_grad():
            posteriors = network(pairs.images[row : row + 1]).digits
        confidences.append(float(posteriors[0, side].softmax(0).max()))
    between = sorted(confidences)[5]  # five of the eight lie below it
    for threshold, share in ((0.0, 0.0), (between + 1e-6, 6 / 8), (1.1, 1.0)):
        assert rejected_negatives(network, mixed, threshold) == (8, share)
