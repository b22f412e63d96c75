"""What changes the weights beside the steps themselves: schedule, moving average, early stopping."""

from __future__ import annotations

import copy
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from pairedge_train.experiments.recipe import Optimization, Recipe
from pairedge_train.networks.network import Network
from pairedge_train.training.epoch import Epoch
from pairedge_train.training.evaluate import Scores


def make_average(model: nn.Module, settings: Optimization) -> AveragedModel | None:
    """The exponential moving average of a model's weights and running statistics; None without one."""
    if not settings.ema:
        return None
    ema = get_ema_multi_avg_fn(settings.ema)  # type: ignore[no-untyped-call]  # torch has no types for it
    return AveragedModel(model, multi_avg_fn=ema, use_buffers=True)


def make_schedule(optimizer: Optimizer, settings: Optimization, steps_per_epoch: int) -> LRScheduler | None:
    """The learning rate schedule over the steps; None for a constant rate."""
    if settings.schedule == "constant":
        return None
    return OneCycleLR(
        optimizer,
        max_lr=settings.lr,
        total_steps=settings.epochs * steps_per_epoch + 1,  # the constructor takes one step
        pct_start=0.25,
        cycle_momentum=False,
    )


def halve_lr(optimizer: Optimizer, history: list[Epoch], settings: Optimization) -> None:
    """Halve the learning rate when the last epoch's loss fell too little (report 001, adaptive rate)."""
    if settings.plateau_threshold == "off" or len(history) < 2:
        return
    previous, current = history[-2].loss, history[-1].loss
    for group in optimizer.param_groups:
        if (previous - current) / previous <= settings.plateau_threshold and group["lr"] > settings.min_lr:
            group["lr"] /= 2


class EarlyStopping:
    """Stops training, and restores the best weights, by the recipe's metric on the validation pairs."""

    def __init__(self, recipe: Recipe) -> None:
        self._stopping = recipe.stopping
        self._loss = recipe.loss
        self._best = 0  # index of the best epoch
        self._weights: dict[str, Tensor] | None = None

    def should_stop(self, network: Network, history: list[Epoch]) -> bool:
        """Whether to stop after the last epoch of a history, at whose end the network is as given."""
        if not self._stopping.watches:
            return False
        last = len(history) - 1
        if last == 0 or self.improved(history[last].validation, history[self._best].validation):
            self._best = last
            if self._stopping.restore_best:
                self._weights = copy.deepcopy(network.state_dict())
        return bool(self._stopping.patience) and last - self._best >= self._stopping.patience

    def improved(self, current: Scores | None, best: Scores | None) -> bool:
        """Whether the current scores are strictly better than the best so far."""
        assert current is not None  # a recipe with early stopping has validation pairs
        assert best is not None
        if self._stopping.monitor == "accuracy":
            return current.pairs > best.pairs
        return self._total(current) < self._total(best)

    def state_dict(self) -> dict[str, Any]:
        """What it remembers of the epochs so far."""
        return {"best": self._best, "weights": self._weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Remember what `state_dict` gave."""
        self._best, self._weights = state["best"], state["weights"]

    def restore(self, network: Network) -> None:
        """Load the best epoch's weights into the network, where the recipe asks for them."""
        if self._weights is not None:
            network.load_state_dict(self._weights)

    def _total(self, scores: Scores) -> float:
        comparison, digits = scores.comparison_loss or 0.0, scores.digit_loss or 0.0
        return self._loss.comparison_weight * comparison + self._loss.digit_weight * digits
