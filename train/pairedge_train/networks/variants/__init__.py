"""The registry of variants: every architecture by name, with its metadata.

A variant is a function that builds a network, or the network's class; there is one file for each report.
`@variant(...)` registers it; command-line lists, recipes, export and the conformance tests then see it.

A network maps pairs, float32 (B, 2, 14, 14), to `Output`. One that is a `TwoBranches` with shared weights and
a digit head is exported as three graphs, any other as one.

A variant of one's own is registered in the same way by any other module. Its name is `module:name`, or the
name of an entry point by which an installed package offers it.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from importlib.metadata import EntryPoint
from typing import TypeVar

import torch
from torch import nn

from pairedge.errors import PairedgeError
from pairedge_train.errors import RecipeError, VariantError
from pairedge_train.networks.plug_ins import digest_of, file_of, imported, in_words, installed, try_out

Builder = TypeVar("Builder", bound=Callable[..., nn.Module])


@dataclass(frozen=True)
class Variant:
    """One architecture.

    Attributes:
        name: its name everywhere.
        builder: gives the network with randomly initialized weights.
        parameters: number of trainable parameters, which `build` compares with the network's.
        report: which of the five reports it comes from, 0 to 4; None where it is our own.
        summary: the first line of its builder's docstring, and the settings that make it this variant.
        stated: number of trainable parameters according to the report; None where it gives none.
        reason: why `parameters` differs from `stated`, one sentence; None where they agree.
        source: digest of the file of a variant of one's own; None for one that ships, or without a file.
    """

    name: str
    builder: partial[nn.Module]
    parameters: int
    report: int | None
    summary: str
    stated: int | None = None
    reason: str | None = None
    source: str | None = None

    def __post_init__(self) -> None:
        differs = self.stated is not None and self.stated != self.parameters
        if differs and not self.reason:
            raise ValueError(
                f"variant {self.name!r} has {self.parameters} parameters and its report says {self.stated}: "
                "give the reason"
            )
        if self.reason and not differs:
            raise ValueError(f"variant {self.name!r} gives a reason for a difference that it does not have")

    @property
    def file(self) -> str | None:
        """Where its builder is defined; None where that is no file, as in a notebook."""
        return file_of(self.builder.func)

    def build(self) -> nn.Module:
        """Build the network with randomly initialized weights.

        Raises:
            VariantError: when that fails, or the network has another number of parameters.
        """
        try:
            network = self.builder()
            if isinstance(network, nn.Module):
                count = sum(parameter.numel() for parameter in network.parameters())
        except PairedgeError:
            raise
        except (Exception, SystemExit) as error:
            raise VariantError(
                f"variant {self.name!r} cannot be built: {in_words(error, self.file)}"
            ) from error
        if not isinstance(network, nn.Module):
            raise VariantError(f"variant {self.name!r} builds a {type(network).__name__}, not an nn.Module")
        if count != self.parameters:
            raise VariantError(
                f"variant {self.name!r} says parameters={self.parameters:_}, but its network has {count:_}"
            )
        return network


_SHIPPED: dict[str, Variant] = {}
_OWN: dict[str, Variant] = {}  # of all other modules that are imported, by module:name
_LOADED: dict[str, Variant] = {}  # those of them that were imported by a name, and tried out, by this name


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
        ships = build.__module__.startswith(f"{__name__}.")
        registered = name or build.__name__
        if ships and registered in _SHIPPED:
            raise ValueError(f"variant {registered!r} is registered twice")
        if not ships:
            registered = f"{build.__module__}:{registered}"
        summary = (build.__doc__ or "").strip().split("\n")[0]
        if settings:
            summary += " [" + ", ".join(f"{key}={value}" for key, value in settings.items()) + "]"
        (_SHIPPED if ships else _OWN)[registered] = Variant(
            name=registered,
            builder=partial(build, **settings),
            parameters=parameters,
            report=report,
            summary=summary,
            stated=stated,
            reason=reason,
            source=None if ships else digest_of(file_of(build)),
        )
        return build

    return register


def variants() -> dict[str, Variant]:
    """All variants that ship by name: by report, in the order of definition, our own last."""
    for module in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    ordered = sorted(_SHIPPED.values(), key=lambda each: (each.report is None, each.report or 0))
    return {each.name: each for each in ordered}


def get_variant(name: str) -> Variant:
    """The variant with a name: one that ships, of an imported module, or of an installed package.

    A name may come from a file that nobody has looked at, so no module is imported because a name says so:
    that is what `import_variant` is for.

    Raises:
        RecipeError: when there is none; the message lists the nearest names.
        VariantError: when it cannot be imported, built, or compare pairs.
    """
    known = variants() | _OWN | _LOADED
    if name in known:
        return known[name]
    if ":" in name:
        raise VariantError(
            f"variant {name!r} is code of your own, which is not imported; say --variant {name}"
        )
    offered = installed()
    if name in offered:
        return _installed_variant(name, offered[name])
    near = ", ".join(get_close_matches(name, [*known, *offered], n=3, cutoff=0.4))
    hint = f"; near it are {near}" if near else ""
    raise RecipeError(f"unknown variant {name!r}{hint} (--list shows all)")


def import_variant(name: str) -> Variant:
    """The variant with a name; of `module:name`, the module is imported, which runs its code.

    Raises:
        RecipeError: as `get_variant` does.
        VariantError: as `get_variant` does.
    """
    if ":" in name and name not in _LOADED:
        return _load(name, name)
    return get_variant(name)


def installed_variants() -> dict[str, Variant | PairedgeError]:
    """The variants that installed packages offer, by name; an error for each that cannot be used."""
    found: dict[str, Variant | PairedgeError] = {}
    for name, entries in installed().items():
        try:
            found[name] = _installed_variant(name, entries)
        except PairedgeError as error:
            found[name] = error
    return found


def _installed_variant(name: str, entries: list[EntryPoint]) -> Variant:
    """What installed packages offer under a name."""
    values = " and ".join(entry.value for entry in entries)
    if name in variants():
        raise VariantError(f"{values} has the name of a variant that ships")
    if len(entries) > 1:
        raise VariantError(f"{values} have one name")
    return _load(name, values)


def _load(name: str, path: str) -> Variant:
    """Import `module:name`, try it out, and register it under a name."""
    module, _, attribute = path.partition(":")
    built_by = imported(module, attribute)  # which the module may have from another one
    there = [own.rpartition(":")[2] for own in _OWN if own.startswith(f"{module}:")]
    found = _OWN.get(path) or next((each for each in _OWN.values() if each.builder.func is built_by), None)
    if found is None:
        hint = f"it has {', '.join(there)}" if there else "decorate it with @variant(parameters=...)"
        raise VariantError(f"module {module!r} has no variant {attribute!r}: {hint}")
    own = replace(found, name=name)
    with torch.random.fork_rng(devices=[]):  # what is drawn here must not change what is drawn later
        try_out(own.build(), f"variant {name!r}", own.file)
    _LOADED[name] = own
    return own
