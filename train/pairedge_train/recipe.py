"""The recipe: every setting that decides a round, in one frozen record. TOML in, JSON out."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from pairedge_train.errors import RecipeError

Count = int | Literal["all"]


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
        normalise: "raw" feeds grey levels 0..255 unchanged; "standardise" subtracts the mean and divides by
            the standard deviation of the round's training pairs, two scalars that become part of the model.
        redraw: pair the training tiles anew in every epoch, in place of keeping the first pairs.
        shuffle: visit the pairs in a new order in every epoch.
        batch_size: pairs per step.
        epochs: passes over the training pairs.
        lr: learning rate of Adam; the peak where the schedule is "one-cycle".
        schedule: "constant", or "one-cycle": linear warm-up over a quarter of the steps, cosine to zero.
        weight_decay: decoupled, as in AdamW.
        digit_weight: weight of the auxiliary losses, each branch's digit cross-entropy, beside the
            comparison loss of weight 1. Variants without digit heads have no such loss.
        rounds: how many rounds make the study; not part of what decides one round.
        seed: the first round's seed, counted up by one for each further round; likewise.
    """

    variant: str = "aux_ws"
    dataset: Literal["mnist", "uci"] = "mnist"
    pairs: Count = 1000
    test_pairs: Count = 1000
    validation_pairs: int = 1000
    normalise: Literal["raw", "standardise"] = "raw"
    redraw: bool = False
    shuffle: bool = False
    batch_size: int = 25
    epochs: int = 25
    lr: float = 1e-2
    schedule: Literal["constant", "one-cycle"] = "constant"
    weight_decay: float = 0.0
    digit_weight: float = 1.0
    rounds: int = 1
    seed: int = 2021

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(Recipe).items():
            _check_kind(name, getattr(self, name), kind)
        for name in ("pairs", "test_pairs", "batch_size", "epochs", "rounds"):
            value = getattr(self, name)
            if value != "all" and value < 1:
                raise RecipeError(f"{name} must be at least 1, not {value}")
        for name in ("validation_pairs", "weight_decay", "digit_weight", "seed"):
            if getattr(self, name) < 0:
                raise RecipeError(f"{name} must not be negative, but is {getattr(self, name)}")
        if self.batch_size < 2:
            raise RecipeError("batch_size must be at least 2: batch normalisation needs two pairs")
        if not self.lr > 0:
            raise RecipeError(f"lr must be positive, not {self.lr}")

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
        """Eight hexadecimal digits that name what decides a round: all settings but `rounds` and `seed`."""
        deciding = {key: value for key, value in self.to_dict().items() if key not in ("rounds", "seed")}
        return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:8]


def load_recipe(name_or_file: str) -> Recipe:
    """Read a recipe from a TOML file, or by the name of one that ships.

    Raises:
        RecipeError: when there is no such recipe, it is not TOML, or it does not make a valid recipe.
    """
    shipped = shipped_recipes()
    path = shipped.get(name_or_file, Path(name_or_file))
    try:
        settings = tomllib.loads(path.read_text())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RecipeError(f"{path}: {reason}; recipes that ship: {', '.join(shipped)}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: not a TOML file: {error}") from error
    try:
        return Recipe.from_dict(settings)
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from error


def shipped_recipes() -> dict[str, Path]:
    """The recipes that ship, by name: inside the wheel, or in a checkout's train/recipes/."""
    package = Path(__file__).parent
    installed = package / "recipes"
    folder = installed if installed.is_dir() else package.parent / "recipes"
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


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
