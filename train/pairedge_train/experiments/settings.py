"""Nested settings as plain dictionaries: merged, named by dots, and parsed from the command line."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from pairedge_train.errors import RecipeError


def parse_settings(assignments: Iterable[str]) -> dict[str, Any]:
    """Parse assignments such as `optim.lr=0.01` into values by dotted name.

    A value is read as TOML, or as text where it is not valid TOML, so that text needs no quotes.

    Raises:
        RecipeError: when an assignment has no `=`.
    """
    changes: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise RecipeError(f"{assignment!r} is no assignment; write section.setting=value")
        try:
            changes |= flat({name.strip(): tomllib.loads(f"value = {value}")["value"]})
        except tomllib.TOMLDecodeError:
            changes[name.strip()] = value
    return changes


def nested(changes: Mapping[str, Any]) -> dict[str, Any]:
    """`{"optim.lr": 0.01}` as `{"optim": {"lr": 0.01}}`."""
    sections: dict[str, Any] = {}
    for name, value in changes.items():
        for part in reversed(name.split(".")):
            value = {part: value}
        sections = merged(sections, value)
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
    """Merge nested settings; those of `above` override those of `below`."""
    result = dict(below)
    for name, value in above.items():
        deep = isinstance(value, Mapping) and isinstance(result.get(name), Mapping)
        result[name] = merged(result[name], value) if deep else value
    return result
