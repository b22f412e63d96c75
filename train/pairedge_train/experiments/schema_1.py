"""Conversion of recipes from schema 1, which had no sections, and back.

It keeps checkpoints of schema 1 readable, and lets a test check the migration of rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pairedge_train.errors import RecipeError
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.experiments.settings import nested

# Each setting of schema 1 with its default there and its dotted name now. The other three settings,
# `variant`, `members` and `other_variants`, are now one.
_SETTINGS: dict[str, tuple[Any, str]] = {
    "dataset": ("mnist", "data.dataset"),
    "pairs": (1000, "data.pairs"),
    "test_pairs": (1000, "data.test_pairs"),
    "validation_pairs": (1000, "data.validation_pairs"),
    "rendered": (0, "data.synthetic.rendered"),
    "printed": (0, "data.synthetic.printed"),
    "not_digits": (0, "data.synthetic.negatives"),
    "hold_out": (0, "data.hold_out"),
    "folds": (0, "data.folds"),
    "normalise": ("raw", "data.normalize"),
    "redraw": (False, "data.redraw"),
    "shuffle": (False, "data.shuffle"),
    "batch_size": (25, "optim.batch_size"),
    "epochs": (25, "optim.epochs"),
    "lr": (1e-2, "optim.lr"),
    "schedule": ("constant", "optim.schedule"),
    "weight_decay": (0.0, "optim.weight_decay"),
    "halve_lr_at": (None, "optim.plateau_threshold"),
    "lr_floor": (0.0, "optim.min_lr"),
    "patience": (0, "stopping.patience"),
    "monitor": ("accuracy", "stopping.monitor"),
    "restore_best": (False, "stopping.restore_best"),
    "dropout_at_eval": (False, "evaluation.dropout"),
    "rotate": (0.0, "augment.rotate"),
    "scale": (0.0, "augment.scale"),
    "shear": (0.0, "augment.shear"),
    "shift": (0.0, "augment.shift"),
    "elastic": (0.0, "augment.elastic"),
    "stroke": (0.0, "augment.stroke"),
    "label_smoothing": (0.0, "loss.label_smoothing"),
    "ema": (0.0, "optim.ema"),
    "teacher": ("", "loss.teacher"),
    "temperature": (1.0, "evaluation.temperature"),
    "blind": (False, "evaluation.validation_only"),
    "exact": (False, "evaluation.exact"),
    "curves": (False, "evaluation.curves"),
    "comparison_weight": (1.0, "loss.comparison_weight"),
    "digit_weight": (1.0, "loss.digit_weight"),
}
# Values that have other names now.
_VALUES: dict[str, dict[Any, Any]] = {
    "data.normalize": {"standardise": "standardize"},
    "optim.plateau_threshold": {None: "off"},
}
_MOST_MEMBERS = 100
_VARIANT = "twinnet_aux_ws"  # the default of schema 1


def from_schema_1(settings: Mapping[str, Any]) -> Recipe:
    """Convert a recipe of schema 1; `rounds` and `seed` are dropped.

    Raises:
        RecipeError: when it is not a valid recipe.
    """
    flat = dict(settings)
    names = [flat.pop("variant", _VARIANT), *flat.pop("other_variants", "").split()]
    count = flat.pop("members", 1)
    if not isinstance(count, int) or not len(names) <= count <= _MOST_MEMBERS:
        raise RecipeError(f"members must be a count from {len(names)} to {_MOST_MEMBERS}, not {count!r}")
    members = [names[i % len(names)] for i in range(count)]
    changes: dict[str, Any] = {"network.variant": members if len(members) > 1 else members[0]}
    for old, value in flat.items():
        if old not in ("rounds", "seed"):
            name = _SETTINGS[old][1] if old in _SETTINGS else old
            changes[name] = _VALUES.get(name, {}).get(value, value)
    return Recipe.from_dict(nested(changes))


def to_schema_1(recipe: Recipe) -> dict[str, Any]:
    """Convert a recipe back to schema 1, without `rounds` and `seed`."""
    sections = recipe.to_dict()
    first, *others = recipe.network.members
    alike = all(other == first for other in others)
    flat: dict[str, Any] = {
        "variant": first,
        "members": 1 + len(others),
        "other_variants": "" if alike else " ".join(others),
    }
    for old, (_, name) in _SETTINGS.items():
        value: Any = sections
        for part in name.split("."):
            value = value[part]
        former = {now: then for then, now in _VALUES.get(name, {}).items()}
        flat[old] = former.get(value, value)
    return flat


def digest_1(recipe: Recipe) -> str:
    """The digest of a recipe in schema 1, which was of the settings that differ from their defaults."""
    defaults = {"variant": _VARIANT, "members": 1, "other_variants": ""}
    defaults |= {old: default for old, (default, _) in _SETTINGS.items()}
    changed = {name: value for name, value in to_schema_1(recipe).items() if value != defaults[name]}
    return hashlib.sha256(json.dumps(changed, sort_keys=True).encode()).hexdigest()[:8]
