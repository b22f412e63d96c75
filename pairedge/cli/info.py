"""`pairedge info [FILE]`: what a graph is, what its maker says of it, and whether it keeps the contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from pairedge.cli.shared import json_option, shown
from pairedge.errors import GraphError

if TYPE_CHECKING:
    from pairedge.inspection import Inspection

_KEYS = {
    "seed": "seed",
    "license": "license",
    "training_sha256": "training SHA-256",
    "weights_sha256": "weights SHA-256",
}


@click.command("info")
@click.argument("file", required=False)
@json_option
def command(file: str | None, as_json: bool) -> None:
    """What is the graph in FILE, and can pairedge use it?

    Prints what it takes and gives, its card (variant, parameters, accuracy, training, license, hashes) and
    every check, with all differences from the contract. Without FILE: the three graphs of the model that
    ships. Exit code 1 when a graph breaks the contract.
    """
    from pairedge.graph import CONTRACTS
    from pairedge.inspection import inspect_graph
    from pairedge.model import shipped_graph

    failed = False
    for path in [file] if file is not None else [shipped_graph(kind) for kind in CONTRACTS]:
        try:
            inspection = inspect_graph(path)
        except GraphError as error:
            raise click.ClickException(str(error)) from error
        failed |= bool(inspection.differences)
        if as_json:
            click.echo(json.dumps(inspection.to_dict()))
        else:
            click.echo("\n".join(page(inspection)) + "\n")
    if failed:
        raise SystemExit(1)


def page(inspection: Inspection) -> Iterator[str]:
    """The lines of one graph."""
    yield f"{shown(inspection.file)}: {inspection.kind} graph, {inspection.size:,} bytes"
    yield f"SHA-256 {inspection.sha256}"
    yield "contract"
    for role, tensors in (("input", inspection.inputs), ("output", inspection.outputs)):
        yield from (_row(role, f"{printable(name)} {printable(spec)}") for name, spec in tensors.items())
    yield "card"
    yield from card(inspection.metadata)
    yield "checks"
    for check, found in inspection.checks.items():
        yield _row("FAILED" if found else "ok", check)
        yield from (f"  - {printable(difference)}" for difference in found)


def card(metadata: dict[str, Any]) -> Iterator[str]:
    """What the maker says of a graph; nothing in it is taken for granted."""
    from pairedge.inspection import accuracies

    parameters, recipe = metadata.get("parameters"), metadata.get("recipe")
    yield _row("variant", printable(metadata.get("variant", "unknown")))
    yield _row("parameters", f"{parameters:,}" if isinstance(parameters, int) else "unknown")
    for name, (accuracy, n) in accuracies(metadata).items():
        yield _row("accuracy", f"{accuracy:.3%} of {printable(name)}, n = {n:,}")
    if isinstance(recipe, dict):
        yield _row("training", printable(", ".join(f"{name} {value}" for name, value in recipe.items())))
    yield from (_row(label, printable(metadata[key])) for key, label in _KEYS.items() if key in metadata)


def printable(value: object) -> str:
    """A value of unknown origin on one line, without what would steer a terminal."""
    text = str(value)
    return text if text.isprintable() else ascii(text)


def _row(label: str, value: str) -> str:
    return f"  {label:<17} {value}"
