"""Code of one's own: imported, offered by installed packages, tried out; each fault is one sentence."""

from __future__ import annotations

import hashlib
import inspect
import traceback
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import torch
from torch import nn

from pairedge_train.errors import VariantError
from pairedge_train.networks.output import Output

GROUP = "pairedge.variants"  # of the entry points by which an installed package offers its variants
_PAIRS = 3  # that a network is tried out with; not 2, which is also the number of tiles in a pair
_SHAPES: dict[str, list[tuple[int, ...]]] = {
    "comparison": [(_PAIRS,), (_PAIRS, 2)],
    "digits": [(_PAIRS, 2, 10)],
}


def installed() -> dict[str, list[EntryPoint]]:
    """What installed packages offer, by name; several where packages offer one name."""
    offered: dict[str, list[EntryPoint]] = {}
    for entry in sorted(entry_points(group=GROUP)):
        offered.setdefault(entry.name, []).append(entry)
    return offered


def imported(module: str, attribute: str) -> object:
    """Import a module, and give its attribute with a name; None where it has none.

    Raises:
        VariantError: when the import fails, for whatever reason.
    """
    try:
        return getattr(import_module(module), attribute, None)
    except (Exception, SystemExit) as error:  # a module may do anything while it is imported
        raise VariantError(f"module {module!r} cannot be imported: {in_words(error, None)}") from error


def try_out(network: nn.Module, what: str, file: str | None) -> None:
    """Compare a few pairs with a network.

    Args:
        network: to try out; it is left in evaluation mode.
        what: it is, for the message.
        file: of its code; None where that is no file.

    Raises:
        VariantError: when it fails, or gives anything but an `Output` with logits of the right shapes.
    """
    try:
        with torch.no_grad():
            output = network.eval()(torch.zeros(_PAIRS, 2, 14, 14))
    except (Exception, SystemExit) as error:
        pairs = f"pairs, float32 ({_PAIRS}, 2, 14, 14)"
        raise VariantError(f"{what} cannot compare {pairs}: {in_words(error, file)}") from error
    if not isinstance(output, Output):
        raise VariantError(f"{what} gives a {type(output).__name__}, not an Output(comparison, digits)")
    if output.comparison is None and output.digits is None:
        raise VariantError(f"{what} gives neither comparison nor digits")
    for head, shapes in _SHAPES.items():
        logits = getattr(output, head)
        shape = tuple(getattr(logits, "shape", ()))
        if logits is not None and shape not in shapes:
            allowed = " or ".join(map(str, shapes))
            raise VariantError(f"{what} gives {head} {shape} for {_PAIRS} pairs, not {allowed}")


def file_of(builder: Callable[..., object]) -> str | None:
    """The file that defines a function or class; None where that is no file, as in a notebook."""
    try:
        return inspect.getfile(builder)
    except (TypeError, OSError):
        return None


def digest_of(file: str | None) -> str | None:
    """Eight hexadecimal digits that change with a file of code; None without one that can be read."""
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()[:8] if file else None
    except OSError:
        return None


def in_words(error: BaseException, file: str | None) -> str:
    """An error of someone's code in one line: its kind, its message, and the line of code.

    Args:
        error: any error.
        file: of which the line is told; None for the module that was being imported.
    """
    message = str(error).strip().partition("\n")[0]
    words = f"{type(error).__name__}: {message}" if message else type(error).__name__
    lines = [
        f"{Path(frame.filename).name}, line {frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if (frame.name == "<module>" if file is None else frame.filename == file)
    ]
    return f"{words} ({lines[-1]})" if lines and not isinstance(error, SyntaxError) else words
