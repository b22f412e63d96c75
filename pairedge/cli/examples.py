"""`pairedge examples DIR`: writes the example pictures, to try the other commands on."""

from __future__ import annotations

import click

from pairedge.cli.stream.outputs import named_errors

EXAMPLES = ("three", "seven", "five", "zero", "eight", "nine")


@click.command("examples")
@click.argument("folder", metavar="DIR")
def command(folder: str) -> None:
    """Write the example pictures into the folder DIR, which is made if it is missing.

    They are drawn: six digits of several sizes, colors and strokes. Files of the same names are replaced.
    """
    import shlex
    from pathlib import Path

    from pairedge.shipped import shipped_example

    pictures = [Path(shipped_example(name)) for name in EXAMPLES]
    with named_errors(folder):
        Path(folder).mkdir(parents=True, exist_ok=True)
        for picture in pictures:
            (Path(folder) / picture.name).write_bytes(picture.read_bytes())
    click.echo(f"{len(pictures)} pictures in {folder}")
    names = (shlex.quote(str(Path(folder) / f"{name}.png")) for name in EXAMPLES[:2])
    click.echo(f"Next: pairedge predict {' '.join(names)}")
