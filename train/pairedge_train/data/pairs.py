"""Digits and pairs: MNIST or scikit-learn's digits as 14x14 gray levels, and the pairs that a round draws.

Pairs are made as the course of the five reports makes them: 28x28 digits averaged 2x2, a random permutation,
every two neighbours in it a pair, target = first <= second. Training pairs come from training digits and
test pairs from test digits; inside one set no digit is used twice.
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
        images: float32 (N, 2, 14, 14), gray levels 0..255.
        digits: int64 (N, 2), the true digits, or NEGATIVE.
        fields: uint8 (N, 2, 28, 28), what the images were averaged from; None where it is not kept.
    """

    images: Tensor
    digits: Tensor
    fields: Tensor | None = None

    @property
    def target(self) -> Tensor:
        """int64 (N,): 1 where first <= second, else 0; NEGATIVE where a tile shows no digit."""
        leq = (self.digits[..., 0] <= self.digits[..., 1]).long()
        return leq.masked_fill((self.digits == NEGATIVE).any(-1), NEGATIVE)

    @classmethod
    def stacked(cls, parts: Sequence[Pairs]) -> Pairs:
        """As many pairs of each of M rounds, side by side: images (N, M, 2, 14, 14), digits (N, M, 2)."""
        images = torch.stack([pairs.images for pairs in parts], dim=1)
        return cls(images, torch.stack([pairs.digits for pairs in parts], dim=1))

    def __len__(self) -> int:
        return len(self.digits)

    def of_digits(self) -> Pairs:
        """Those pairs that show two digits."""
        known = self.target != NEGATIVE
        return self if bool(known.all()) else self.take(known)

    def take(self, order: Tensor) -> Pairs:
        """Some of the pairs, by index or by mask."""
        fields = None if self.fields is None else self.fields[order]
        return Pairs(self.images[order], self.digits[order], fields)

    def to(self, device: str) -> Pairs:
        """The same pairs on another device."""
        fields = None if self.fields is None else self.fields.to(device)
        return Pairs(self.images.to(device), self.digits.to(device), fields)

    def sha256(self) -> str:
        """A digest of images and digits, which says what a network was trained on."""
        content = hashlib.sha256(self.images.cpu().numpy().tobytes())
        content.update(self.digits.cpu().numpy().tobytes())
        return content.hexdigest()


@dataclass(frozen=True)
class Draw:
    """What one round works with.

    Attributes:
        training: the pairs to train on.
        validation: the pairs to watch, or to choose by where they were held out of the training pairs.
        test: the pairs for the number that is reported.
        mean: of the gray levels of all training pairs, those held out included.
        std: of the same.
        training_digits: what the training pairs were drawn from, for redrawing.
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

    Pairs that validate without being held out are the next ones in the training permutation.

    Args:
        data: the digits.
        settings: how many pairs, and which of them validate.
        generator: decides the permutations and what is held out.
        fold: which fold validates, 0 to folds - 1, where there are folds.

    Raises:
        DataError: when the data set has too few digits.
    """
    order = torch.randperm(len(data.training), generator=generator)
    test_order = torch.randperm(len(data.test), generator=generator)
    validation = settings.validation_pairs
    count = _count(
        settings.pairs,
        len(data.training) // 2 - validation,
        f"training pairs beside {validation} for validation",
    )
    test_count = _count(settings.test_pairs, len(data.test) // 2, "test pairs")
    pairs = make_pairs(data.training, order[: 2 * count])
    std, mean = torch.std_mean(pairs.images)
    training, held_out = hold_out(pairs, settings, generator, fold)
    beside = make_pairs(data.training, order[2 * count :][: 2 * validation]) if validation else None
    return Draw(
        training=training,
        validation=held_out or beside,
        test=make_pairs(data.test, test_order[: 2 * test_count]),
        mean=float(mean),
        std=float(std),
        training_digits=data.training.take(order[: 2 * count]),
    )


def hold_out(pairs: Pairs, settings: Data, generator: Generator, fold: int) -> tuple[Pairs, Pairs | None]:
    """Split pairs into those to train on and those to validate on; scikit-learn makes the folds."""
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
    """Pair neighbours in `order`, int64 (2N,): row i is (order[2i], order[2i + 1])."""
    both = order.view(-1, 2)
    fields = None if digits.fields is None else digits.fields[both]
    return Pairs(digits.gray[both], digits.labels[both], fields)


def _count(wanted: Count, available: int, what: str) -> int:
    """What is wanted, where there is so much; "all" wants one at least."""
    count = max(available, 1) if wanted == "all" else wanted
    if count > available:
        raise DataError(f"{wanted} {what} asked for, but the data set has {max(available, 0)}")
    return count
