"""A recipe: every setting that determines a round, in sections, read from TOML.

The number of rounds and the first seed are not part of a recipe: they belong to the study or the call.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import (
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    TypeAdapter,
    ValidationError,
)
from pydantic.dataclasses import dataclass

from pairedge_train.errors import RecipeError
from pairedge_train.experiments.setting_text import error_text, help_text, kinds
from pairedge_train.experiments.settings import flat, merged, nested

SCHEMA = 2  # part of every digest: raised when the name, meaning or default of a setting changes
SYNTHETIC_SCHEMA = 3  # that of recipes with synthetic pictures: 3 since digits are held out before rendering
# Settings that came after schema 2. At their defaults they are left out of the digest, so that rows of before
# keep their name; whoever changes such a default raises the schema.
ADDED_SETTINGS = (
    *("data.group_by", "data.sha256", "data.synthetic.hands", "data.synthetic.written"),
    *("loss.corrected_teacher", "adapt.start", "adapt.pictures", "adapt.replay", "adapt.share"),
    "adapt.step",
)
# Data sets that have a name; any other one is a path, and one's own.
PUBLISHED = ("mnist", "uci", "kmnist", "fashion-mnist", "emnist-digits", "qmnist", "usps")

Count = PositiveInt | Literal["all"]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Members = Annotated[tuple[str, ...], Field(min_length=2)]

_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Architecture:
    """What is trained."""

    variant: str | Members = "twinnet_aux_ws"
    """Name of an architecture in the registry; a list of names trains an ensemble, whose members each have
    weights and augmentation of their own and answer by the mean of their logits."""

    @property
    def members(self) -> tuple[str, ...]:
        """The architecture of each member; one, where there is no ensemble."""
        return (self.variant,) if isinstance(self.variant, str) else self.variant


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Synthetic:
    """Synthetic pictures added to the training digits."""

    rendered: NonNegativeInt = 0
    """Photo-like pictures of training digits, read by the runtime's `to_tile`."""
    printed: NonNegativeInt = 0
    """Photo-like pictures of printed digits."""
    negatives: NonNegativeInt = 0
    """Photo-like pictures of letters, symbols and shapes, whose target posterior is uniform."""
    hands: NonNegativeInt = 0
    """Photo-like pictures of the digits of handwriting fonts."""
    written: NonNegativeInt = 0
    """Photo-like pictures of digits that a pen draws, by writers of their own."""

    def __bool__(self) -> bool:
        """Whether anything is added."""
        return any(asdict(self).values())


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Data:
    """The training, validation and test pairs of a round, and their order.

    Two rounds of one seed with equal data sections draw the same pairs.
    """

    dataset: Annotated[str, Field(min_length=1)] = "mnist"
    """The name of a published data set, "mnist", "uci" (scikit-learn's digits), "kmnist", "fashion-mnist",
    "emnist-digits", "qmnist" or "usps", or the path of one's own: a folder of pictures by class, or an IDX,
    NPZ or CSV file."""
    group_by: str = ""
    """What keeps pictures of a data set of one's own in one split: "folder", the folder of a writer, or a
    regular expression that finds the writer in a picture's path; of CSV and NPZ, a column or an array. ""
    splits picture by picture."""
    sha256: str = ""
    """Digest of a data set of one's own: training fills it in, and refuses other data where it is given."""
    pairs: Count = 1000
    """Training pairs of a round; "all" uses every training tile once."""
    test_pairs: Count = 1000
    """Test pairs of a round; "all" uses every test tile once."""
    validation_pairs: NonNegativeInt = 1000
    """Validation pairs drawn from training tiles that are in no training pair. They are reported during
    training and select nothing. With synthetic pictures they are held out as hold_out says. A data set of
    one's own has its validation split in their place."""
    hold_out: NonNegativeInt = 0
    """How many of the training pairs are held out for validation. With synthetic pictures, so many pairs'
    digits are held out before anything is rendered, and validated on with pictures of them and negatives. A
    data set of one's own has its validation split in their place."""
    folds: NonNegativeInt = 0
    """Folds of cross-validation, 0 for none: k rounds share their pairs, and each validates on another of the
    k folds and trains on the rest; the next k rounds draw other pairs."""
    normalize: Literal["raw", "standardize"] = "raw"
    """"raw" feeds gray levels 0..255 unchanged; "standardize" subtracts the mean and divides by the standard
    deviation of the round's training pairs, two scalars that become part of the model."""
    redraw: bool = False
    """Pair the training tiles anew in every epoch, instead of keeping the first pairs."""
    shuffle: bool = False
    """Visit the pairs in a new order in every epoch."""
    synthetic: Synthetic = Synthetic()

    def __post_init__(self) -> None:
        if (self.group_by or self.sha256) and not self.is_own:
            raise ValueError(f"group_by and sha256 are for a data set of one's own, not for {self.dataset}")
        if self.folds == 1:
            raise ValueError("folds must be 0 for none, or at least 2")
        if self.folds and self.synthetic:
            raise ValueError("folds would validate on digits that synthetic pictures show; use hold_out")
        if self.redraw and self.validates:
            raise ValueError("redraw would train on the pairs that hold_out or folds keep for validation")

    @property
    def is_own(self) -> bool:
        """Whether the data set is one's own, given by its path."""
        return self.dataset not in PUBLISHED

    @property
    def validates(self) -> bool:
        """Whether some of the training pairs are held out for validation, so that selection may use them."""
        return bool(self.hold_out or self.folds)


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Augmentation:
    """Ranges of random distortions; each is drawn uniformly from -range to range."""

    rotate: NonNegativeFloat = 0.0
    """Rotation, in degrees."""
    scale: NonNegativeFloat = 0.0
    """Logarithm of the scale along each axis, drawn for each."""
    shear: NonNegativeFloat = 0.0
    """Horizontal shear, in widths per height."""
    shift: NonNegativeFloat = 0.0
    """Shift along each axis, in halves of the picture's side."""
    elastic: NonNegativeFloat = 0.0
    """Standard deviation of the elastic displacement, in halves of the picture's side."""
    stroke: NonNegativeFloat = 0.0
    """Change of stroke width, as a share of a dilation or an erosion by one pixel on either side."""

    def __bool__(self) -> bool:
        """Whether it changes anything."""
        return self != Augmentation()


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Loss:
    """What is minimized."""

    comparison_weight: NonNegativeFloat = 1.0
    """Weight of the comparison loss."""
    digit_weight: NonNegativeFloat = 1.0
    """Weight of the auxiliary losses, the cross-entropies of both digits. Variants without digit heads have
    none."""
    label_smoothing: Fraction = 0.0
    """Share of each digit label that is spread over all ten digits."""
    teacher: str = ""
    """Name of a shipped recipe, whose network, trained on the same pairs, gives the soft targets of the
    digits (distillation); "" trains from labels."""
    corrected_teacher: bool = False
    """Use the label where the teacher's most probable digit is another one."""


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Optimization:
    """How it is minimized: Adam, with decoupled weight decay where there is any."""

    batch_size: Annotated[int, Field(ge=2)] = 25
    """Pairs per step; at least 2, because batch normalization needs two."""
    epochs: PositiveInt = 25
    """Passes over the training pairs."""
    lr: PositiveFloat = 1e-2
    """Learning rate; the peak where the schedule is "one-cycle"."""
    schedule: Literal["constant", "one-cycle"] = "constant"
    """"one-cycle" is a warm-up over a quarter of the steps, then cosine annealing to zero."""
    plateau_threshold: NonNegativeFloat | Literal["off"] = "off"
    """Halve the learning rate after an epoch whose loss fell by no more than this share of the previous
    epoch's."""
    min_lr: NonNegativeFloat = 0.0
    """The learning rate is not halved at or below this."""
    weight_decay: NonNegativeFloat = 0.0
    """Decoupled weight decay, as in AdamW."""
    ema: Fraction = 0.0
    """End with the exponential moving average of the weights over the steps, with this decay; 0 ends with the
    last weights."""


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Stopping:
    """Early stopping and the choice of weights, which need held-out validation pairs."""

    patience: NonNegativeInt = 0
    """Stop when validation has not improved for this many epochs; 0 never stops early."""
    monitor: Literal["accuracy", "loss"] = "accuracy"
    """The metric that must improve on the validation pairs."""
    restore_best: bool = False
    """End with the weights of the best epoch by `monitor`, instead of the last epoch's."""

    @property
    def watches(self) -> bool:
        """Whether validation pairs are used for selection during training."""
        return bool(self.patience) or self.restore_best


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Evaluation:
    """Metrics, and calibration of the trained network."""

    validation_only: bool = False
    """Do not use the test set; evaluate on the validation pairs only, for a search."""
    exact: bool = False
    """Evaluate a learned comparison head on all ordered test pairs too, which takes a minute. Every other
    network with branches is evaluated on all of them anyway."""
    curves: bool = False
    """Evaluate training and test accuracy after every epoch too, for figures; they select nothing."""
    temperature: PositiveFloat | Literal["validation"] = 1.0
    """Divides the logits after training, so that probabilities are calibrated (Guo et al., "On calibration of
    modern neural networks", 2017): a number, or the best one on the validation pairs."""
    dropout: bool = False
    """Leave dropout on during evaluation. This is wrong, but two reports' programs did so, and their
    published numbers show it."""


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Adaptation:
    """How a trained network is adapted to pictures of one's own, with what it starts from as the teacher."""

    start: str = ""
    """SHA-256 of the weights that training starts from, which --start-from fills in; "" for fresh ones."""
    pictures: str = ""
    """SHA-256 of one's own pictures, which training fills in."""
    replay: PositiveInt = 12_000
    """How many training digits of the data set are replayed, beside all synthetic pictures."""
    share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Share of one's own pictures among the training digits: each is repeated, and augmented anew, as often
    as that takes."""
    step: Annotated[float, Field(gt=0, le=1)] = 1.0
    """How far to go from the weights of the start to those that training ends with; less forgets less."""


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Recipe:
    """How a network is trained and evaluated; the defaults are report 000's protocol."""

    network: Architecture = Architecture()
    data: Data = Data()
    augment: Augmentation = Augmentation()
    loss: Loss = Loss()
    optim: Optimization = Optimization()
    stopping: Stopping = Stopping()
    evaluation: Evaluation = Evaluation()
    adapt: Adaptation = Adaptation()

    def __post_init__(self) -> None:
        selects = self.evaluation.validation_only or self.evaluation.temperature == "validation"
        if (self.stopping.watches or selects) and not (self.data.validates or self.data.is_own):
            raise ValueError(
                "stopping.patience, stopping.restore_best, evaluation.validation_only and the best "
                "evaluation.temperature need validation pairs: data.hold_out or data.folds"
            )

    @property
    def variant(self) -> str:
        """The architecture; of an ensemble, its first member's."""
        return self.network.members[0]

    @classmethod
    def from_dict(cls, sections: Mapping[str, Any]) -> Recipe:
        """Make a recipe from plain values by section; missing settings have their defaults.

        Raises:
            RecipeError: for an unknown section or setting, a value of the wrong type, or one out of range.
        """
        try:
            # By way of JSON: strict validation of Python values would not take a list as a tuple.
            return _RECIPES.validate_json(json.dumps(sections, default=str))
        except ValidationError as error:
            raise RecipeError(error_text(error, _schema())) from error

    def to_dict(self) -> dict[str, Any]:
        """Plain values by section, ready for JSON or TOML."""
        values: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return values

    def to_toml(self) -> str:
        """The recipe with every setting, as the text of a TOML file."""
        return tomli_w.dumps(self.to_dict())

    def with_(self, changes: Mapping[str, Any]) -> Recipe:
        """The same recipe with some settings changed, by dotted name: `{"optim.lr": 0.01}`.

        Raises:
            RecipeError: as `from_dict` does.
        """
        return Recipe.from_dict(merged(self.to_dict(), nested(changes)))

    def digest(self) -> str:
        """A name for the recipe: eight hexadecimal digits, a digest of all settings and the schema."""
        schema = SYNTHETIC_SCHEMA if self.data.synthetic else SCHEMA
        defaults = flat(Recipe().to_dict())
        named = {
            name: value
            for name, value in flat(self.to_dict()).items()
            if name not in ADDED_SETTINGS or value != defaults[name]
        }
        settings = {"schema": schema, **nested(named)}
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]


_RECIPES = TypeAdapter(Recipe)


def read_recipe(path: Path) -> Recipe:
    """Read a recipe from a TOML file.

    Raises:
        RecipeError: when there is no such file, it is not TOML, or not a valid recipe.
    """
    try:
        return Recipe.from_dict(tomllib.loads(path.read_text()))
    except OSError as error:
        raise RecipeError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:  # or nested without end
        raise RecipeError(f"{path}: not a TOML file: {error}") from error
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from error


def setting_names() -> list[str]:
    """The dotted names of all settings, in the order of a recipe."""
    return list(flat(Recipe().to_dict()))


def setting_kinds() -> dict[str, set[str]]:
    """The kinds of values of all settings by dotted name, such as {"integer", "string"}."""
    return kinds(_schema())


def recipe_help() -> str:
    """Every setting with its default, its values and its description, for a terminal."""
    return help_text(_schema())


@cache
def _schema() -> dict[str, Any]:
    return _RECIPES.json_schema()
