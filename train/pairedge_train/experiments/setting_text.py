"""Settings in words, from the JSON schema of their types: help for all of them, a sentence for an error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import get_close_matches
from itertools import accumulate
from typing import Any, TypeAlias

from pydantic import ValidationError

Schema: TypeAlias = dict[str, Any]


def help_text(recipe: Schema) -> str:
    """Every setting with its default, its values and its description, for a terminal."""
    lines = []
    for section, schema in _section_schemas(recipe).items():
        lines += ["", f"[{section}]  {schema['description'].splitlines()[0]}"]
        for name, setting in _settings_of(schema).items():
            lines.append(f"  {name} = {json.dumps(setting['default'])}  ({_values(setting)})")
            lines += [f"      {line}" for line in setting["description"].splitlines()]
    return "\n".join(lines)


def error_text(error: ValidationError, recipe: Schema) -> str:
    """The first error, with the dotted name of its setting, as one sentence."""
    sections = _section_schemas(recipe)
    known = [f"{section}.{name}" for section, schema in sections.items() for name in _settings_of(schema)]
    first = error.errors()[0]
    prefixes = list(accumulate(map(str, first["loc"]), "{}.{}".format))  # "optim", "optim.lr", ...
    location = prefixes[-1] if prefixes else ""
    if first["type"] == "unexpected_keyword_argument":
        return _unknown(location, known)
    if first["type"] == "value_error":
        return str(first["ctx"]["error"])
    # What follows a setting's name in the location says which of its alternatives was tried.
    name = next((prefix for prefix in prefixes if prefix in known), None)
    if name is None:
        return f"{location} must be a section of settings, not {first['input']!r}"
    section, _, setting = name.rpartition(".")
    values = _values(sections[section]["properties"][setting])
    return f"{name} must be {values}, not {first['input']!r}"


def kinds(recipe: Schema) -> dict[str, set[str]]:
    """The kinds of values that each setting may have, by dotted name, in the words of JSON schemas."""
    return {
        f"{section}.{name}": {each["type"] for each in setting.get("anyOf", [setting])}
        for section, schema in _section_schemas(recipe).items()
        for name, setting in _settings_of(schema).items()
    }


def _section_schemas(recipe: Schema) -> dict[str, Schema]:
    """The schema of each section by its dotted name, in order."""
    schemas: dict[str, Schema] = {}

    def visit(schema: Schema, prefix: str) -> None:
        for name, setting in schema["properties"].items():
            if "$ref" in setting:
                section = recipe["$defs"][setting["$ref"].rpartition("/")[2]]
                schemas[prefix + name] = section
                visit(section, f"{prefix}{name}.")

    visit(recipe, "")
    return schemas


def _settings_of(section: Schema) -> dict[str, Schema]:
    """The settings of a section by name, without the sections in it."""
    return {name: setting for name, setting in section["properties"].items() if "$ref" not in setting}


def _values(setting: Mapping[str, Any]) -> str:
    """The values that a setting may have, in words."""
    if "anyOf" in setting:
        return " or ".join(map(_values, setting["anyOf"]))
    if "enum" in setting or "const" in setting:
        return " or ".join(json.dumps(choice) for choice in setting.get("enum", [setting.get("const")]))
    words = {"integer": "a whole number", "number": "a number", "string": "text", "boolean": "true or false"}
    bounds = {
        "minimum": "from",
        "exclusiveMinimum": "above",
        "exclusiveMaximum": "below",
        "minItems": "of at least",
    }
    limits = [f" {word} {setting[bound]:g}" for bound, word in bounds.items() if bound in setting]
    return words.get(setting["type"], "a list") + "".join(limits)


def _unknown(name: str, known: list[str]) -> str:
    """That there is no such setting, with the nearest name, or with what there is."""
    section, _, last = name.rpartition(".")
    sections = list(dict.fromkeys(other.rpartition(".")[0] for other in known))
    near = [other for other in known if other.rpartition(".")[2] == last]
    near = near or get_close_matches(name, known if section else [*known, *sections], n=1)
    of_section = [other for other in known if other.rpartition(".")[0] == section]
    if near:
        hint = f"did you mean {near[0]!r}?"
    elif of_section:
        hint = f"there are {', '.join(of_section)}"
    else:
        hint = f"there are sections {', '.join(sections)}"
    return f"unknown setting {name!r}; {hint}"
