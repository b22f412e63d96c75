"""The registry of variants: every architecture by name, with its metadata.

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
        name: its name everywhere.
        build: builds the network with randomly initialized weights.
        parameters: number of trainable parameters; the conformance tests count them.
        report: which of the five reports it comes from, 0 to 4; None where it is our own.
        summary: the first line of its builder's docstring, and the settings that make it this variant.
        stated: number of trainable parameters according to the report; None where it gives none.
        reason: why `parameters` differs from `stated`, one sentence; None where they agree.
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
    """Register the decorated function or class, which builds a network; may be stacked, one name each.

    Args:
        name: the report's own spelling; by default the function's name.
        parameters: see `Variant`.
        report: see `Variant`.
        stated: see `Variant`.
        reason: see `Variant`.
        **settings: keyword arguments of the builder that make this variant.

    Raises:
        ValueError: for a name that is taken, or where `reason` is missing or has nothing to explain.
    """

    def register(build: Builder) -> Builder:
        registered = name or build.__name__
        if registered in _VARIANTS:
            raise ValueError(f"variant {registered!r} is registered twice")
        summary = (build.__doc__ or "").strip().split("\n")[0]
        if settings:
            summary += " [" + ", ".join(f"{key}={value}" for key, value in settings.items()) + "]"
        _VARIANTS[registered] = Variant(
            registered, partial(build, **settings), parameters, report, summary, stated, reason
        )
        return build

    return register


def variants() -> dict[str, Variant]:
    """All variants by name: by report, in the order of definition, our own last."""
    for module in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    ordered = sorted(_VARIANTS.values(), key=lambda each: (each.report is None, each.report or 0))
    return {each.name: each for each in ordered}


def get_variant(name: str) -> Variant:
    """The variant with a name.

    Raises:
        RecipeError: when there is none; the message lists the nearest names.
    """
    registered = variants()
    if name not in registered:
        near = ", ".join(get_close_matches(name, registered, n=3, cutoff=0.4))
        hint = f"; near it are {near}" if near else ""
        raise RecipeError(f"unknown variant {name!r}{hint} (--list shows all)")
    return registered[name]
