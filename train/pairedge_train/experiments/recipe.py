"""The recipe: every setting that decides a round, in one frozen record. TOML in, JSON out."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from pairedge_train.errors import RecipeError

Count = int | Literal["all"]


@dataclass(frozen=True)
class Augmentation:
    """How far a digit may be bent; each is drawn evenly from its range, both ways.

    Attributes:
        rotate: degrees.
        scale: logarithm of the stretch along each axis, drawn for either.
        shear: horizontal slant, in widths per height.
        shift: along each axis, in halves of the picture's side.
        elastic: standard deviation of the smooth displacement, in halves of the picture's side.
        stroke: how far strokes are drawn thicker or thinner, as a share of what a pen wider or narrower by a
            pixel on either side would change.
    """

    rotate: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    shift: float = 0.0
    elastic: float = 0.0
    stroke: float = 0.0

    def __bool__(self) -> bool:
        """Whether it changes anything."""
        return any(getattr(self, field.name) for field in dataclasses.fields(self))


AUGMENTATION = tuple(field.name for field in dataclasses.fields(Augmentation))


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a variant is trained and judged. The defaults are report 000's protocol (REPORT 000, Training).

    Attributes:
        variant: name of the architecture in the registry.
        dataset: "mnist", or "uci": the 1,797 handwritten digits that come with scikit-learn.
        pairs: training pairs of a round; "all" uses every training tile once.
        test_pairs: test pairs of a round; "all" uses every test tile once.
        validation_pairs: pairs drawn from training tiles that are in no training pair. They are shown during
            training and choose nothing.
        rendered: how many photo-like pictures of training digits, read back by the runtime's `to_tile`, are
            added to them.
        printed: how many such pictures of printed digits.
        not_digits: how many pictures that show no digit are added, whose posterior should be even.
        hold_out: this many of the training pairs validate in place of training.
        folds: cross-validation in this many folds, 0 for none: the rounds share their pairs, and round i
            validates on fold i and trains on the rest.
        normalise: "raw" feeds grey levels 0..255 unchanged; "standardise" subtracts the mean and divides by
            the standard deviation of the round's training pairs, two scalars that become part of the model.
        redraw: pair the training tiles anew in every epoch, in place of keeping the first pairs.
        shuffle: visit the pairs in a new order in every epoch.
        batch_size: pairs per step.
        epochs: passes over the training pairs.
        lr: learning rate of Adam; the peak where the schedule is "one-cycle".
        schedule: "constant", or "one-cycle": linear warm-up over a quarter of the steps, cosine to zero.
        weight_decay: decoupled, as in AdamW.
        halve_lr_at: halve the learning rate after an epoch whose loss fell by no more than this share of the
            epoch before's; None never does.
        lr_floor: halving stops once the learning rate is at or below this.
        patience: stop when validation has not improved for this many epochs; 0 never stops early.
        monitor: what must improve: "accuracy" on validation pairs, or their "loss".
        restore_best: end with the weights of the best epoch by `monitor`, in place of the last.
        dropout_at_eval: leave dropout on while judging. No sound evaluation does so; two reports' programs
            did, and their published numbers show it.
        rotate: augmentation, as are the five that follow: see `Augmentation`. All 0 trains on the digits as
            they are.
        scale: see `Augmentation`.
        shear: see `Augmentation`.
        shift: see `Augmentation`.
        elastic: see `Augmentation`.
        stroke: see `Augmentation`.
        label_smoothing: share of each true digit's weight that is spread over all ten digits.
        ema: end with the moving average of the weights over the steps, this share of it kept in each; 0 ends
            with the last weights.
        members: train this many networks, each with weights and augmentation of its own, and let the mean
            of their logits answer.
        other_variants: architectures of the members after the first, by names with spaces between, taken in
            turn with `variant`; "" takes `variant` for all.
        teacher: name of a shipped recipe whose network, trained on the same draw, gives the posteriors that
            the digits are learned by; "" learns by the labels.
        temperature: what the logits are divided by after training, so that probabilities mean what they say
            (Guo et al., "On calibration of modern neural networks", 2017): a number, or the best one on the
            round's own "validation" pairs.
        blind: leave the test set alone and judge validation pairs on everything, for a search, which must not
            see the test set.
        exact: judge on all ordered test pairs too, which takes a minute where a comparison head is learned.
        curves: measure training and test accuracy after every epoch, beside the loss and the validation
            that a row always has; what is chosen does not depend on it.
        comparison_weight: weight of the comparison loss.
        digit_weight: weight of the auxiliary losses, each branch's digit cross-entropy, beside the
            comparison loss. Variants without digit heads have no such loss.
        rounds: how many rounds make the study; not part of what decides one round.
        seed: the first round's seed, counted up by one for each further round; likewise.
    """

    variant: str = "twinnet_aux_ws"
    dataset: Literal["mnist", "uci"] = "mnist"
    pairs: Count = 1000
    test_pairs: Count = 1000
    validation_pairs: int = 1000
    rendered: int = 0
    printed: int = 0
    not_digits: int = 0
    hold_out: int = 0
    folds: int = 0
    normalise: Literal["raw", "standardise"] = "raw"
    redraw: bool = False
    shuffle: bool = False
    batch_size: int = 25
    epochs: int = 25
    lr: float = 1e-2
    schedule: Literal["constant", "one-cycle"] = "constant"
    weight_decay: float = 0.0
    halve_lr_at: float | None = None
    lr_floor: float = 0.0
    patience: int = 0
    monitor: Literal["accuracy", "loss"] = "accuracy"
    restore_best: bool = False
    dropout_at_eval: bool = False
    rotate: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    shift: float = 0.0
    elastic: float = 0.0
    stroke: float = 0.0
    label_smoothing: float = 0.0
    ema: float = 0.0
    members: int = 1
    other_variants: str = ""
    teacher: str = ""
    temperature: float | Literal["validation"] = 1.0
    blind: bool = False
    exact: bool = False
    curves: bool = False
    comparison_weight: float = 1.0
    digit_weight: float = 1.0
    rounds: int = 1
    seed: int = 2021

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(Recipe).items():
            _check_kind(name, getattr(self, name), kind)
        for name in ("pairs", "test_pairs", "batch_size", "epochs", "rounds", "members"):
            value = getattr(self, name)
            if value != "all" and value < 1:
                raise RecipeError(f"{name} must be at least 1, not {value}")
        for name in (
            "rendered",
            "printed",
            "not_digits",
            "validation_pairs",
            "hold_out",
            "folds",
            "patience",
            "seed",
        ):
            if getattr(self, name) < 0:
                raise RecipeError(f"{name} must not be negative, but is {getattr(self, name)}")
        for name in (*AUGMENTATION, "weight_decay", "lr_floor", "comparison_weight", "digit_weight"):
            if not 0 <= getattr(self, name) < math.inf:
                raise RecipeError(f"{name} must be a number from 0 up, not {getattr(self, name)}")
        if self.batch_size < 2:
            raise RecipeError("batch_size must be at least 2: batch normalisation needs two pairs")
        for name in ("lr", "temperature"):
            if getattr(self, name) != "validation" and not 0 < getattr(self, name) < math.inf:
                raise RecipeError(f"{name} must be positive, not {getattr(self, name)}")
        for name in ("label_smoothing", "ema"):
            if not 0 <= getattr(self, name) < 1:
                raise RecipeError(f"{name} must be a share below 1, not {getattr(self, name)}")
        if self.folds == 1 or self.rounds > self.folds > 0:
            raise RecipeError(f"{self.folds} folds cannot make {self.rounds} rounds")
        if (self.patience or self.restore_best) and not (self.hold_out or self.folds):
            raise RecipeError("patience and restore_best need validation pairs to look at: hold_out or folds")
        if (self.blind or self.temperature == "validation") and not (self.hold_out or self.folds):
            raise RecipeError("blind and the best temperature need validation pairs: hold_out or folds")
        if self.redraw and (self.hold_out or self.folds):
            raise RecipeError(
                "redraw pairs every tile anew, and would train on those that hold_out or folds keep"
            )

    @property
    def mixture(self) -> tuple[int, ...]:
        """How many pictures are added to the training digits: of handwriting, of print, of no digit."""
        return self.rendered, self.printed, self.not_digits

    @property
    def member_variants(self) -> list[str]:
        """The architecture of each member."""
        names = [self.variant, *self.other_variants.split()]
        return [names[i % len(names)] for i in range(self.members)]

    @property
    def watched(self) -> bool:
        """Whether validation pairs are judged after every epoch; a search does so once, at the end."""
        return not self.blind or bool(self.patience) or self.restore_best

    @property
    def augmentation(self) -> Augmentation:
        """How far digits are bent in training."""
        return Augmentation(**{name: getattr(self, name) for name in AUGMENTATION})

    @classmethod
    def from_dict(cls, settings: dict[str, Any]) -> Recipe:
        """Make a recipe from plain values.

        Raises:
            RecipeError: for an unknown key, a value of the wrong kind, or one out of range.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        for key in settings:
            if key not in known:
                near = get_close_matches(key, known, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
                raise RecipeError(f"unknown setting {key!r}{hint}")
        return cls(**settings)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return dataclasses.asdict(self)

    def with_(self, **changes: Any) -> Recipe:
        """The same recipe with some settings changed."""
        return Recipe.from_dict({**self.to_dict(), **changes})

    def digest(self) -> str:
        """Eight hexadecimal digits that name what decides a round: all settings but `rounds` and `seed`.

        Settings left at their default do not count, so that a setting added later renames no old round.
        """
        deciding = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name not in ("rounds", "seed") and getattr(self, field.name) != field.default
        }
        return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:8]


def read_recipe(path: Path) -> Recipe:
    """Read a recipe from a TOML file.

    Raises:
        RecipeError: when there is no such file, it is not TOML, or it does not make a valid recipe.
    """
    try:
        return Recipe.from_dict(tomllib.loads(path.read_text()))
    except OSError as error:
        raise RecipeError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: not a TOML file: {error}") from error
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from error


def _check_kind(name: str, value: Any, kind: Any) -> None:
    """Refuse a value that is not of its field's type; an int will do for a float."""
    choices = [choice for choice in get_args(kind) if isinstance(choice, str)]
    choices += [choice for part in get_args(kind) for choice in get_args(part)]
    types = {part for part in (get_args(kind) or (kind,)) if isinstance(part, type)}
    allowed = tuple(types | ({int} if float in types else set()))
    if value in choices:
        return
    if allowed and isinstance(value, allowed) and not (isinstance(value, bool) and bool not in types):
        return
    wanted = [*(kind.__name__ for kind in types), *map(repr, choices)]
    raise RecipeError(f"{name} must be {' or '.join(wanted)}, not {value!r}")
