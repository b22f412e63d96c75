"""The names of a model's ten ordered classes: the digits, unless its graph says otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pairedge.errors import GraphError

DIGIT_CLASSES = tuple("0123456789")
_LONGEST_NAME = 40  # characters: a name is printed in the line of an answer


def wrong_classes(names: Sequence[Any]) -> str | None:
    """Describe what keeps names from being those of ten classes; None when nothing does."""
    if len(names) != len(DIGIT_CLASSES):
        return f"there are {len(names)} classes, but a model has ten"
    for name in names:
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            return f"{name!r} is no name of a class"
        if len(name) > _LONGEST_NAME:
            return f"the class {name[:10] + '...'!r} has a name of more than {_LONGEST_NAME} characters"
    twice = [name for place, name in enumerate(names) if name in names[:place]]
    return f"two classes are called {twice[0]!r}" if twice else None


def named_classes(classes: tuple[str, ...], **entries: Any) -> dict[str, Any]:
    """The entries of an answer that name its classes; none where these are the digits, which say it all."""
    return {} if classes == DIGIT_CLASSES else entries


def read_classes(metadata: dict[str, Any], name: str) -> tuple[str, ...]:
    """The classes that a graph's metadata names as `labels`, in ascending order; the digits without any.

    Args:
        metadata: of the graph.
        name: what to call the graph in messages.

    Raises:
        GraphError: when they are not ten different names.
    """
    stored = metadata.get("labels")
    if stored is None:
        return DIGIT_CLASSES
    problem = wrong_classes(stored) if isinstance(stored, list) else "they are no list"
    if problem is not None:
        raise GraphError(f"{name}: its labels cannot be used: {problem}")
    return tuple(stored)
