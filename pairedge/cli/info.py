"""`pairedge info [FILE]`: prints a graph's inputs, outputs and card, and checks it against the contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from pairedge.classes import DIGIT_CLASSES
from pairedge.cli.shared import shown
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
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per graph.")
@click.option("--verify", "public_key", metavar="KEY", help="Verify the signature beside FILE first (PEM).")
def command(file: str | None, as_json: bool, public_key: str | None) -> None:
    """Show the ONNX graph in FILE, and check that pairedge can use it.

    Prints the digest that it carries of its own content, its inputs and outputs, its card (variant,
    parameters, accuracy, thresholds, license, hashes), the recipe that it was trained with, and every check,
    with all differences from the contract. Without FILE, shows the three graphs of the shipped model.

    FILE is opened and run in a process of its own, of limited memory and time.

    Exit code 1 if a graph breaks the contract, or the signature does not fit.
    """
    if public_key is not None and file is None:
        raise click.UsageError("--verify needs FILE: the shipped graphs are known by their digests")
    from pairedge.graph import CONTRACTS
    from pairedge.inspection import inspect_graph
    from pairedge.quarantine import inspect_apart
    from pairedge.shipped import shipped_graph

    failed = False
    for path in [file] if file is not None else [shipped_graph(kind) for kind in CONTRACTS]:
        try:
            if public_key is not None:
                from pairedge.signature import verify_signature

                verify_signature(path, public_key)
                click.echo(f"{shown(path)}: the signature fits", err=as_json)
            # A graph that is not ours may do anything; those that ship were compared with their digests.
            inspection = inspect_graph(path) if file is None else inspect_apart(path)
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
    """The lines for one graph."""
    yield f"{shown(inspection.file)}: {inspection.kind} graph, {inspection.size:,} bytes"
    yield f"SHA-256 {inspection.sha256}"
    if inspection.digest is None:
        yield "carries no digest that fits, as the graphs of other tools: damage may go unnoticed"
    else:
        yield f"carries the digest {inspection.digest}"
    yield "contract"
    for role, tensors in (("input", inspection.inputs), ("output", inspection.outputs)):
        yield from (_row(role, f"{printable(name)} {printable(spec)}") for name, spec in tensors.items())
    yield "card"
    yield from card(inspection.metadata)
    yield from recipe_lines(inspection.metadata.get("recipe"))
    yield "checks"
    for check, differences in inspection.checks.items():
        yield _row("FAILED" if differences else "ok", check)
        yield from (f"  - {printable(difference)}" for difference in differences)


def card(metadata: dict[str, Any]) -> Iterator[str]:
    """The lines of a graph's card. Its metadata is untrusted: keys may be missing or of another type."""
    from pairedge.inspection import accuracies

    parameters = metadata.get("parameters")
    yield _row("variant", printable(metadata.get("variant", "unknown")))
    yield _row("parameters", f"{parameters:,}" if isinstance(parameters, int) else "unknown")
    labels = metadata.get("labels")
    if isinstance(labels, list) and labels != list(DIGIT_CLASSES):
        yield _row("classes", printable(" < ".join(map(str, labels))))
    for name, (accuracy, n) in accuracies(metadata).items():
        yield _row("accuracy", f"{accuracy:.3%} of {printable(name)}, n = {n:,}")
    if isinstance(metadata.get("confidence"), dict):
        thresholds = (
            f"{name} {value:.3f}" if isinstance(value, float) else f"{name} {value}"
            for name, value in metadata["confidence"].items()
        )
        yield _row("uncertain below", printable(", ".join(thresholds)))
    yield from (_row(label, printable(metadata[key])) for key, label in _KEYS.items() if key in metadata)


def recipe_lines(recipe: object) -> Iterator[str]:
    """The lines of the recipe, one per section; none where the metadata has no recipe."""
    if not isinstance(recipe, dict):
        return
    yield "recipe"
    for name, value in recipe.items():
        yield _row(
            printable(name), printable(", ".join(settings(value)) if isinstance(value, dict) else value)
        )


def settings(recipe: dict[str, Any], section: str = "") -> Iterator[str]:
    """The settings of a recipe or a section as `section.name value`, down to the depth that recipes have."""
    for name, value in recipe.items():
        if isinstance(value, dict) and section.count(".") < 2:
            yield from settings(value, f"{section}{name}.")
        else:
            yield f"{section}{name} {value}"


def printable(value: object) -> str:
    """An untrusted value on one line, without control characters."""
    text = str(value)
    return text if text.isprintable() else ascii(text)


def _row(label: str, value: str) -> str:
    return f"  {label:<17} {value}"
