"""`pairedge rank FILE...`: prints the pictures sorted by digit, one line each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from pairedge.cli.shared import (
    check_standard_input,
    exit_with,
    load_digit_model,
    min_confidence_option,
    model_option,
    picture,
    refuse,
    shown,
)
from pairedge.errors import GraphError, ImageError

if TYPE_CHECKING:
    from pairedge.ranking import Ranking


@click.command("rank")
@click.argument("pictures", nargs=-1, required=True, metavar="FILE...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@min_confidence_option
@model_option
def command(
    pictures: tuple[str, ...], as_json: bool, min_confidence: float | None, model_file: str | None
) -> None:
    """Sort pictures by digit, in ascending order.

    Prints one line per picture: its position, its name, its digit, = if the next digit is the same or else
    <=, the probability that it is less than or equal to the next, and "uncertain" if the model is not
    confident of the digit. Use - for a picture from standard input.

    Exit code 1 if a picture cannot be read or a digit is less confident than --min-confidence, 3 if a picture
    shows no digit, 4 if one shows several. The other pictures are still ranked.
    """
    check_standard_input(pictures)
    from pairedge.image.tile import to_tile

    model = load_digit_model(model_file, min_confidence)
    names, tiles, refused = [], [], []
    for name in pictures:
        try:
            tiles.append(to_tile(picture(name)))
            names.append(name)
        except ImageError as error:
            refused.append({"picture": name, **refuse(name, error)})
    try:
        ranking = model.rank(tiles)
    except GraphError as error:
        raise click.ClickException(str(error)) from error
    order = entries(ranking, names, model.thresholds.digit)
    if as_json:
        click.echo(json.dumps({"order": order, "refused": refused}))
    else:
        for entry in order:
            click.echo(line(entry))
    exit_with((entry["status"] for entry in [*order, *refused]), min_confidence)


def entries(ranking: Ranking, names: list[str], threshold: float) -> list[dict[str, Any]]:
    """One entry per picture, in order; the last has no next picture, so its `in_order` and `tie` are None."""
    from pairedge.confidence import answer_status

    last = len(ranking) - 1
    return [
        {
            "position": place + 1,
            "picture": names[index],
            "status": answer_status(float(ranking.confidence[place]), threshold),
            "confidence": float(ranking.confidence[place]),
            "digit": int(ranking.digits[place]),
            "expected_digit": float(ranking.expected[place]),
            "in_order": float(ranking.in_order[place]) if place < last else None,
            "tie": bool(ranking.ties[place]) if place < last else None,
        }
        for place, index in enumerate(ranking.order)
    ]


def line(entry: dict[str, Any]) -> str:
    """The line for one picture: `2  seven.png: 7 <=  P(in order) = 0.9998`."""
    from pairedge.results import mark

    start = f"{entry['position']}  {shown(entry['picture'])}: {entry['digit']}"
    if entry["in_order"] is not None:
        start += f" {'=' if entry['tie'] else '<='}  P(in order) = {entry['in_order']:.4f}"
    return f"{start}{mark(entry['status'])}"
