"""The registry of variants: every architecture by name, with what is known about it.

A variant is one function in one file of this package that builds a network. `@variant(...)` registers it
under the function's name; command-line lists, recipes, export and the conformance tests then see it.

A network maps pairs, float32 (B, 2, 14, 14), to `Output`. One that is a `TwoBranches` with shared weights is
exported as three graphs, any other as one.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module

from torch import nn

from pairedge_train.errors import RecipeError


@dataclass(frozen=True)
class Variant:
    """One architecture.

    Attributes:
        name: what it is called everywhere.
        build: makes the network with fresh weights.
        parameters: how many trainable numbers it has; the conformance tests count them.
        report: which of the five reports it stems from, 0 to 4; None where it is our own.
        summary: the first line of its docstring.
    """

    name: str
    build: Callable[[], nn.Module]
    parameters: int
    report: int | None
    summary: str


_VARIANTS: dict[str, Variant] = {}


def variant(
    *, parameters: int, report: int | None = None
) -> Callable[[Callable[[], nn.Module]], Callable[[], nn.Module]]:
    """Register the decorated function, which builds a network, under its own name."""

    def register(build: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
        name = build.__name__
        if name in _VARIANTS:
            raise ValueError(f"variant {name!r} is registered twice")
        summary = (build.__doc__ or "").strip().split("\n")[0]
        _VARIANTS[name] = Variant(name, build, parameters, report, summary)
        return build

    return register


def variants() -> dict[str, Variant]:
    """All variants by name, in the order in which they are defined."""
    for module in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return dict(_VARIANTS)


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
