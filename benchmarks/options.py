"""What the benchmark programs take on the command line."""

from __future__ import annotations

from pathlib import Path

import click

from pairedge.shipped import shipped_graph

model_argument = click.argument(
    "model",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=lambda: Path(shipped_graph("pair")).parent,
)
HELP = {"help_option_names": ["-h", "--help"]}

quick_option = click.option("--quick", is_flag=True, help="Only check that everything runs; store nothing.")
