"""The pairs of digits that a round draws for training, validation and testing.

Pairs are made as in the course of the five reports: 28x28 digits are averaged 2x2, permuted at random, and
paired two by two; the target is first <= second. Training pairs come from training digits and test pairs from
test digits; no digit is used twice within a split.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Generator, Tensor

from pairedge_train.data.datasets import NEGATIVE, DataSet, Digits
from pairedge_train.errors import DataError
from pairedge_train.experiments.recipe import Count, Data


@dataclass(frozen=True)
class Pairs:
    """N pairs.

    Attributes:
        images: float32 (N, 2, 14, 14), gray levels 0 to 255; of M stacked rounds (N, M, 2, 14, 14).
        digits: int64 (N, 2), the labels 0 to 9 or NEGATIVE; of M stacked rounds (N, M, 2).
        fields: uint8 (N, 2, 28, 28), the pictures before averaging; None where they are not kept.
    """

    images: Tensor
    digits: Tensor
    fields: Tensor | None = None

    @property
    def target(self) -> Tensor:
        """Labels of the comparison, int64 (N,): 1 where first <= second, else 0; NEGATIVE with a negative."""
        leq = (self.digits[..., 0] <= self.digits[..., 1]).long()
        return leq.masked_fill((self.digits == NEGATIVE).any(-1), NEGATIVE)

    @classmethod
    def stacked(cls, parts: Sequence[Pairs]) -> Pairs:
        """The pairs of M rounds side by side; each round must have equally many."""
        images = torch.stack([pairs.images for pairs in parts], dim=1)
        return cls(images, torch.stack([pairs.digits for pairs in parts], dim=1))

    def __len__(self) -> int:
        return len(self.digits)

    def of_digits(self) -> Pairs:
        """The pairs without a negative."""
        positive = self.target != NEGATIVE
        return self if bool(positive.all()) else self.take(positive)

    def take(self, order: Tensor) -> Pairs:
        """The pairs at some indices, int64 (M,), or of a mask, bool (N,)."""
        fields = None if self.fields is None else self.fields[order]
        return Pairs(self.images[order], self.digits[order], fields)

    def to(self, device: str) -> Pairs:
        """The same pairs on another device."""
        fields = None if self.fields is None else self.fields.to(device)
        return Pairs(self.images.to(device), self.digits.to(device), fields)

    def sha256(self) -> str:
        """A digest of images and digits: identifies what a network was trained on."""
        content = hashlib.sha256(self.images.cpu().numpy().tobytes())
        content.update(self.digits.cpu().numpy().tobytes())
        return content.hexdigest()


@dataclass(frozen=True)
class Draw:
    """The data of one round.

    Attributes:
        training: the training pairs.
        validation: the pairs to monitor, and to select by where they were held out.
        test: the test pairs.
        mean: mean gray level of all training pairs, and of those that were held out of them.
        std: standard deviation of the same gray levels.
        training_digits: the digits that the training pairs were drawn from, for redrawing.
    """

    training: Pairs
    validation: Pairs | None
    test: Pairs
    mean: float
    std: float
    training_digits: Digits

    def to(self, device: str) -> Draw:
        """The same draw with its pairs on another device."""
        validation = self.validation.to(device) if self.validation else None
        return replace(
            self, training=self.training.to(device), validation=validation, test=self.test.to(device)
        )


def draw_pairs(data: DataSet, settings: Data, generator: Generator, *, fold: int = 0) -> Draw:
    """Draw a round's pairs: first a permutation of the training digits, then one of the test digits.

    Validation pairs are held out of the training pairs, or follow them in the training permutation. Where the
    data set has held-out digits, they are made of these instead.

    Args:
        data: the digits.
        settings: how many pairs, and which of them are for validation.
        generator: draws the permutations and the held-out pairs.
        fold: index of the validation fold, 0 to folds - 1, in cross-validation.

    Raises:
        DataError: when the data set has too few digits.
    """
    order = torch.randperm(len(data.training), generator=generator)
    test_order = torch.randperm(len(data.test), generator=generator)
    validation = settings.validation_pairs if data.held_out is None else 0
    count = _count(
        settings.pairs,
        len(data.training) // 2 - validation,
        f"training pairs beside {validation} for validation",
    )
    test_count = _count(settings.test_pairs, len(data.test) // 2, "test pairs")
    pairs = make_pairs(data.training, order[: 2 * count])
    std, mean = torch.std_mean(pairs.images)
    if data.held_out is None:
        training, held_out = hold_out(pairs, settings, generator, fold)
    else:
        held_out_order = torch.randperm(len(data.held_out), generator=generator)
        training, held_out = pairs, make_pairs(data.held_out, held_out_order[: len(data.held_out) // 2 * 2])
    next_pairs = make_pairs(data.training, order[2 * count :][: 2 * validation]) if validation else None
    return Draw(
        training=training,
        validation=held_out or next_pairs,
        test=make_pairs(data.test, test_order[: 2 * test_count]),
        mean=float(mean),
        std=float(std),
        training_digits=data.training.take(order[: 2 * count]),
    )


def hold_out(pairs: Pairs, settings: Data, generator: Generator, fold: int) -> tuple[Pairs, Pairs | None]:
    """Split pairs into training and validation pairs; scikit-learn makes the folds."""
    if settings.folds:
        from sklearn.model_selection import KFold

        shuffler = int(torch.randint(2**31, (), generator=generator))
        splits = KFold(settings.folds, shuffle=True, random_state=shuffler).split(pairs.digits)
        training, validation = (torch.from_numpy(part) for part in list(splits)[fold])
    elif settings.hold_out:
        if settings.hold_out >= len(pairs):
            raise DataError(f"{settings.hold_out} of {len(pairs)} training pairs cannot be held out")
        order = torch.randperm(len(pairs), generator=generator)
        training, validation = order[settings.hold_out :], order[: settings.hold_out]
    else:
        return pairs, None
    return pairs.take(training), pairs.take(validation)


def make_pairs(digits: Digits, order: Tensor) -> Pairs:
    """Pair consecutive indices of `order`, int64 (2N,): pair i is (order[2i], order[2i + 1])."""
    indices = order.view(-1, 2)
    fields = None if digits.fields is None else digits.fields[indices]
    return Pairs(digits.gray[indices], digits.labels[indices], fields)


def _count(requested: Count, available: int, what: str) -> int:
    """The requested count if that many are available; "all" needs one at least."""
    count = max(available, 1) if requested == "all" else requested
    if count > available:
        raise DataError(f"{requested} {what} asked for, but the data set has {max(available, 0)}")
    return count
