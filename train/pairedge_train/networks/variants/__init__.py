"""The registry of variants: every architecture by name, with what is known about it.

A variant is a function that builds a network, or the network's class; there is one file for each report.
`@variant(...)` registers it; command-line lists, recipes, export and the conformance tests then see it.

A network maps pairs, float32 (B, 2, 14, 14), to `Output`. One that is a `TwoBranches` with shared weights and
a digit head is exported as three graphs, any other as one.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from typing import TypeVar

from torch import nn

from pairedge_train.errors import RecipeError

Builder = TypeVar("Builder", bound=Callable[..., nn.Module])


@dataclass(frozen=True)
class Variant:
    """One architecture.

    Attributes:
        name: what it is called everywhere.
        build: makes the network with fresh weights.
        parameters: how many trainable numbers it has; the conformance tests count them.
        report: which of the five reports it stems from, 0 to 4; None where it is our own.
        summary: the first line of its builder's docstring, and the settings that make it this variant.
        stated: how many trainable numbers the report says it has; None where it says nothing.
        reason: why `parameters` is not `stated`, one sentence; None where there is nothing to explain.
    """

    name: str
    build: Callable[[], nn.Module]
    parameters: int
    report: int | None
    summary: str
    stated: int | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        differs = self.stated is not None and self.stated != self.parameters
        if differs and not self.reason:
            raise ValueError(
                f"variant {self.name!r} has {self.parameters} parameters and its report says {self.stated}: "
                "give the reason"
            )
        if self.reason and not differs:
            raise ValueError(f"variant {self.name!r} gives a reason for a difference that it does not have")


_VARIANTS: dict[str, Variant] = {}


def variant(
    name: str | None = None,
    *,
    parameters: int,
    report: int | None = None,
    stated: int | None = None,
    reason: str | None = None,
    **settings: float,
) -> Callable[[Builder], Builder]:
    """Register the decorated function or class, which builds a network, once for each of its names.

    Args:
        name: the report's own spelling; without one the function's own name.
        parameters: see `Variant`, as for `report`, `stated` and `reason`.
        report: see `Variant`.
        stated: see `Variant`.
        reason: see `Variant`.
        **settings: keyword arguments that make this variant of it.

    Raises:
        ValueError: for a name that is taken, or where `reason` is missing or has nothing to explain.
    """

    def register(build: Builder) -> Builder:
        called = name or build.__name__
        if called in _VARIANTS:
            raise ValueError(f"variant {called!r} is registered twice")
        summary = (build.__doc__ or "").strip().split("\n")[0]
        if settings:
            summary += " [" + ", ".join(f"{key}={value}" for key, value in settings.items()) + "]"
        _VARIANTS[called] = Variant(
            called, partial(build, **settings), parameters, report, summary, stated, reason
        )
        return build

    return register


def variants() -> dict[str, Variant]:
    """All variants by name, report by report in the order in which they are defined, our own last."""
    for module in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    ordered = sorted(_VARIANTS.values(), key=lambda found: (found.report is None, found.report or 0))
    return {found.name: found for found in ordered}


def get_variant(name: str) -> Variant:
    """The variant of that name.

    Raises:
        RecipeError: when there is none; it lists the nearest names.
    """
    known = variants()
    if name not in known:
        near = get_close_matches(name, known, n=3, cutoff=0.4) or list(known)
        raise RecipeError(f"unknown variant {name!r}; near it are {', '.join(near)} (--list shows all)")
    return known[name]
