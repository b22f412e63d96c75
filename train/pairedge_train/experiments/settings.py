"""Nested settings as plain dictionaries: merged, named by dots, and parsed from the command line."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from typing import Any

from pairedge_train.errors import RecipeError


def parse_settings(assignments: Iterable[str], kinds: Mapping[str, Collection[str]]) -> dict[str, Any]:
    """Parse assignments such as `optim.lr=0.01` into values by dotted name.

    Args:
        assignments: each `section.setting=value`, or `section={...}`.
        kinds: of the values that each setting may have, in the words of JSON schemas.

    Raises:
        RecipeError: when an assignment has no `=`.
    """
    changes: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, text = (part.strip() for part in assignment.partition("="))
        if not equals:
            raise RecipeError(f"{assignment!r} is no assignment; write section.setting=value")
        changes |= flat({name: _value(text, kinds.get(name, ()))})
    return changes


def _value(text: str, kinds: Collection[str]) -> Any:
    """A value of one of some kinds: TOML, a number as Python writes it, or the text itself."""
    try:
        parsed = tomllib.loads(f"value = {text}")
        value = parsed["value"] if len(parsed) == 1 else text
    except tomllib.TOMLDecodeError:
        value = text
    if isinstance(value, str) and "number" in kinds:
        with suppress(ValueError):
            return float(value)  # .5 and 5. are no TOML
    numeric = {"number", "integer", "boolean"} & set(kinds)
    return text if "string" in kinds and not numeric and isinstance(value, int | float) else value


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
