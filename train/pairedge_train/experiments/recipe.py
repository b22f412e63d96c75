"""A recipe: every setting that decides a round, in sections. TOML in, JSON out.

Which rounds are trained, and from which seed, is not part of a recipe: the study or the call says so.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from difflib import get_close_matches
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

SCHEMA = 2  # part of every digest: raised when a setting changes its name, meaning or default

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
    """What is added to the training digits."""

    rendered: NonNegativeInt = 0
    """Photo-like pictures of training digits, read back by the runtime's `to_tile`."""
    printed: NonNegativeInt = 0
    """Such pictures of printed digits."""
    negatives: NonNegativeInt = 0
    """Such pictures of letters, signs and shapes, for which the digit posterior should be uniform."""

    def __bool__(self) -> bool:
        """Whether anything is added."""
        return bool(self.rendered or self.printed or self.negatives)


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Data:
    """Which pairs a round trains, validates and is tested on, and in which order.

    Two rounds of one seed whose sections are equal draw the same pairs.
    """

    dataset: Literal["mnist", "uci"] = "mnist"
    """MNIST, or the 1,797 handwritten digits that come with scikit-learn ("uci")."""
    pairs: Count = 1000
    """Training pairs of a round; "all" uses every training tile once."""
    test_pairs: Count = 1000
    """Test pairs of a round; "all" uses every test tile once."""
    validation_pairs: NonNegativeInt = 1000
    """Pairs drawn from training tiles that are in no training pair. They are reported during training and
    select nothing."""
    hold_out: NonNegativeInt = 0
    """How many of the training pairs validate instead of training."""
    folds: NonNegativeInt = 0
    """Cross-validation in k folds, 0 for none: k rounds share their pairs, and each validates on another fold
    and trains on the rest; the next k rounds draw other pairs."""
    normalize: Literal["raw", "standardize"] = "raw"
    """"raw" feeds gray levels 0..255 unchanged; "standardize" subtracts the mean and divides by the standard
    deviation of the round's training pairs, two scalars that become part of the model."""
    redraw: bool = False
    """Pair the training tiles anew in every epoch, instead of keeping the first pairs."""
    shuffle: bool = False
    """Visit the pairs in a new order in every epoch."""
    synthetic: Synthetic = Synthetic()

    def __post_init__(self) -> None:
        if self.folds == 1:
            raise ValueError("folds must be 0 for none, or at least 2")
        if self.redraw and self.validates:
            raise ValueError("redraw would train on the pairs that hold_out or folds keep for validation")

    @property
    def validates(self) -> bool:
        """Whether some of the training pairs are kept for validation, so that selection may look at them."""
        return bool(self.hold_out or self.folds)


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Augmentation:
    """How far a digit may be distorted; each is drawn uniformly from its range, both ways."""

    rotate: NonNegativeFloat = 0.0
    """Degrees."""
    scale: NonNegativeFloat = 0.0
    """Logarithm of the stretch along each axis, drawn for each."""
    shear: NonNegativeFloat = 0.0
    """Horizontal slant, in widths per height."""
    shift: NonNegativeFloat = 0.0
    """Along each axis, in halves of the picture's side."""
    elastic: NonNegativeFloat = 0.0
    """Standard deviation of the smooth displacement, in halves of the picture's side."""
    stroke: NonNegativeFloat = 0.0
    """How far strokes become thicker or thinner, as a share of what a pen wider or narrower by a pixel on
    either side would change."""

    def __bool__(self) -> bool:
        """Whether it changes anything."""
        return self != Augmentation()


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Loss:
    """What is minimized."""

    comparison_weight: NonNegativeFloat = 1.0
    """Weight of the comparison loss."""
    digit_weight: NonNegativeFloat = 1.0
    """Weight of the auxiliary losses, each branch's digit cross-entropy, beside the comparison loss. Variants
    without digit heads have no such loss."""
    label_smoothing: Fraction = 0.0
    """Share of each digit label that is spread over all ten digits."""
    teacher: str = ""
    """Name of a shipped recipe whose network, trained on the same pairs, gives the soft targets that the
    digits are distilled from; "" learns from the labels."""


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
    """Halve the learning rate after an epoch whose loss fell by no more than this share of the epoch
    before's."""
    min_lr: NonNegativeFloat = 0.0
    """Halving stops once the learning rate is at or below this."""
    weight_decay: NonNegativeFloat = 0.0
    """Decoupled, as in AdamW."""
    ema: Fraction = 0.0
    """End with the exponential moving average of the weights over the steps, with this decay; 0 ends with the
    last weights."""


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Stopping:
    """When training ends, and with which weights. Both settings need validation pairs."""

    patience: NonNegativeInt = 0
    """Stop when validation has not improved for this many epochs; 0 never stops early."""
    monitor: Literal["accuracy", "loss"] = "accuracy"
    """What must improve on the validation pairs."""
    restore_best: bool = False
    """End with the weights of the best epoch by `monitor`, instead of the last."""

    @property
    def watches(self) -> bool:
        """Whether validation selects anything during training."""
        return bool(self.patience) or self.restore_best


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Evaluation:
    """What is measured, and how the trained network is calibrated."""

    validation_only: bool = False
    """Leave the test set alone and measure everything on the validation pairs, for a search."""
    exact: bool = False
    """Measure a learned comparison head on all ordered test pairs too, which takes a minute. Every other
    network is measured on all of them anyway."""
    curves: bool = False
    """Measure training and test accuracy after every epoch, beside the loss and the validation that a row
    always has; nothing is selected by them."""
    temperature: PositiveFloat | Literal["validation"] = 1.0
    """What the logits are divided by after training, so that probabilities are calibrated (Guo et al., "On
    calibration of modern neural networks", 2017): a number, or the best one on the validation pairs."""
    dropout: bool = False
    """Leave dropout on during evaluation. No sound evaluation does so; two reports' programs did, and their
    published numbers show it."""


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Recipe:
    """How a variant is trained and evaluated; the defaults are report 000's protocol."""

    network: Architecture = Architecture()
    data: Data = Data()
    augment: Augmentation = Augmentation()
    loss: Loss = Loss()
    optim: Optimization = Optimization()
    stopping: Stopping = Stopping()
    evaluation: Evaluation = Evaluation()

    def __post_init__(self) -> None:
        selects = self.evaluation.validation_only or self.evaluation.temperature == "validation"
        if (self.stopping.watches or selects) and not self.data.validates:
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
        """Make a recipe from plain values by section; what is not given keeps its default.

        Raises:
            RecipeError: for an unknown section or setting, a value of the wrong type, or one out of range.
        """
        try:
            # By way of JSON, where a list is a tuple and a section a dataclass even to strict validation.
            return _RECIPES.validate_json(json.dumps(sections, default=str))
        except ValidationError as error:
            raise RecipeError(_in_words(error)) from error

    def to_dict(self) -> dict[str, Any]:
        """Plain values by section, ready for JSON or TOML."""
        values: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return values

    def to_toml(self) -> str:
        """The resolved recipe, every setting of it, as a TOML file."""
        return tomli_w.dumps(self.to_dict())

    def with_(self, changes: Mapping[str, Any]) -> Recipe:
        """The same recipe with some settings changed, by dotted name: `{"optim.lr": 0.01}`.

        Raises:
            RecipeError: as `from_dict` does.
        """
        return Recipe.from_dict(merged(self.to_dict(), nested(changes)))

    def digest(self) -> str:
        """Eight hexadecimal digits that name the recipe: a digest of all its settings and the schema."""
        settings = {"schema": SCHEMA, **self.to_dict()}
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]


_RECIPES = TypeAdapter(Recipe)


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


def parse_settings(assignments: Iterable[str]) -> dict[str, Any]:
    """Changes as the command line gives them, `optim.lr=0.01`, by dotted name.

    A value is read as TOML; what is no TOML value is taken as text, so that text needs no quotes.

    Raises:
        RecipeError: when an assignment has no `=`.
    """
    changes: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise RecipeError(f"{assignment!r} is no assignment; write section.setting=value")
        try:
            changes[name.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            changes[name.strip()] = value
    return changes


def nested(changes: Mapping[str, Any]) -> dict[str, Any]:
    """`{"optim.lr": 0.01}` as `{"optim": {"lr": 0.01}}`."""
    sections: dict[str, Any] = {}
    for name, value in changes.items():
        *path, setting = name.split(".")
        section = sections
        for part in path:
            section = section.setdefault(part, {})
        section[setting] = value
    return sections


def flat(sections: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """`{"optim": {"lr": 0.01}}` as `{"optim.lr": 0.01}`."""
    settings: dict[str, Any] = {}
    for name, value in sections.items():
        if isinstance(value, Mapping):
            settings |= flat(value, f"{prefix}{name}.")
        else:
            settings[prefix + name] = value
    return settings


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two sets of nested settings as one; where both have a setting, the second's counts."""
    result = dict(below)
    for name, value in above.items():
        deep = isinstance(value, Mapping) and isinstance(result.get(name), Mapping)
        result[name] = merged(result[name], value) if deep else value
    return result


def setting_names() -> list[str]:
    """The dotted names of all settings, in the order of a recipe."""
    return list(flat(Recipe().to_dict()))


def recipe_help() -> str:
    """Every setting with its values, its default and what it decides, for a terminal."""
    schema = _RECIPES.json_schema()
    return "\n".join(_section_help(schema, schema, ""))


def _section_help(schema: dict[str, Any], section: dict[str, Any], prefix: str) -> list[str]:
    """The lines of one section, those of the sections in it last."""
    lines: list[str] = []
    inner: list[str] = []
    for name, setting in section["properties"].items():
        if "$ref" in setting:
            part = schema["$defs"][setting["$ref"].rpartition("/")[2]]
            inner += ["", f"[{prefix}{name}]  {part['description'].partition(chr(10))[0]}"]
            inner += _section_help(schema, part, f"{prefix}{name}.")
        else:
            lines.append(f"  {name} = {json.dumps(setting['default'])}  ({_values(setting)})")
            lines += [f"      {line}" for line in setting["description"].splitlines()]
    return lines + inner


def _values(setting: Mapping[str, Any]) -> str:
    """Which values a setting takes, in words, from its JSON schema."""
    if "anyOf" in setting:
        return " or ".join(map(_values, setting["anyOf"]))
    if "enum" in setting or "const" in setting:
        return " or ".join(json.dumps(choice) for choice in setting.get("enum", [setting.get("const")]))
    words = {"integer": "a whole number", "number": "a number", "string": "text", "boolean": "true or false"}
    bounds = {
        "minimum": "from",
        "exclusiveMinimum": "above",
        "exclusiveMaximum": "below",
        "minItems": "of at least",
    }
    limits = [f" {word} {setting[bound]:g}" for bound, word in bounds.items() if bound in setting]
    return words.get(setting["type"], "a list") + "".join(limits)


def _in_words(error: ValidationError) -> str:
    """The first thing that is wrong, with its dotted name, as one sentence."""
    first = error.errors()[0]
    # What stands behind a setting's own name says which of its alternatives was tried.
    path = [str(part) for part in first["loc"]]
    name = next(
        (".".join(path[:i]) for i in range(len(path), 0, -1) if ".".join(path[:i]) in setting_names()), ""
    )
    if first["type"] == "unexpected_keyword_argument":
        return _unknown(".".join(path))
    if first["type"] == "value_error":
        return str(first["ctx"]["error"])
    if not name:
        return f"{'.'.join(path)} must be a section of settings, not {first['input']!r}"
    setting = _schema_of(name)
    return f"{name} must be {_values(setting)}, not {first['input']!r}"


def _unknown(name: str) -> str:
    known = setting_names()
    last = name.rpartition(".")[2]
    near = [other for other in known if other.rpartition(".")[2] == last] or get_close_matches(
        name, known, n=1
    )
    hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
    return f"unknown setting {name!r}{hint}"


def _schema_of(name: str) -> dict[str, Any]:
    """A setting's JSON schema, by its dotted name."""
    schema = _RECIPES.json_schema()
    section: dict[str, Any] = schema
    *path, setting = name.split(".")
    for part in path:
        section = schema["$defs"][section["properties"][part]["$ref"].rpartition("/")[2]]
    found: dict[str, Any] = section["properties"][setting]
    return found
