"""Recipes of schema 1, whose settings lay side by side: what they are called now, both ways.

Checkpoints and rows that were written then stay readable.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pairedge_train.experiments.recipe import Recipe, nested

# Each setting of schema 1, its default then, and its dotted name now. The other three that decided a round,
# `variant`, `members` and `other_variants`, became one.
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
_VARIANT = "twinnet_aux_ws"  # the default then


def from_schema_1(settings: Mapping[str, Any]) -> Recipe:
    """A recipe of schema 1 as it is written now; `rounds` and `seed` are no part of it any more.

    Raises:
        RecipeError: when it was no recipe of schema 1 either.
    """
    flat = dict(settings)
    names = [flat.pop("variant", _VARIANT), *flat.pop("other_variants", "").split()]
    members = [names[i % len(names)] for i in range(flat.pop("members", 1))]
    changes: dict[str, Any] = {"network.variant": members if len(members) > 1 else members[0]}
    for old, value in flat.items():
        if old not in ("rounds", "seed"):
            name = _SETTINGS[old][1] if old in _SETTINGS else old
            changes[name] = _VALUES.get(name, {}).get(value, value)
    return Recipe.from_dict(nested(changes))


def to_schema_1(recipe: Recipe) -> dict[str, Any]:
    """A recipe as schema 1 wrote it, all settings of it but `rounds` and `seed`."""
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
    """The digest that a recipe had in schema 1: of what differed from the defaults of then."""
    defaults = {"variant": _VARIANT, "members": 1, "other_variants": ""}
    defaults |= {old: default for old, (default, _) in _SETTINGS.items()}
    deciding = {name: value for name, value in to_schema_1(recipe).items() if value != defaults[name]}
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:8]
