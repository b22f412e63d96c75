"""What the commands share: where data and devices are named, and a device refused that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from pairedge.errors import PairedgeError
from pairedge_train.errors import RecipeError

data_dir_option = click.option(
    "--data-dir", type=click.Path(path_type=Path), help="Folder of MNIST/raw. [PAIREDGE_DATA, or the cache]"
)
device_option = click.option(
    "--device", default="cpu", show_default=True, help="Where to train: cpu, cuda, cuda:1, ..."
)


@contextmanager
def cli_errors() -> Iterator[None]:
    """End the command with one sentence and exit code 1 when what it does fails or is stopped."""
    try:
        yield
    except PairedgeError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        raise click.ClickException(
            "stopped; finished rounds are kept, and the same command goes on"
        ) from None


def check_device(device: str) -> None:
    """Refuse a device that torch does not know or does not have.

    Raises:
        RecipeError: naming it.
    """
    import torch

    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise RecipeError(f"device {device!r} is not available here; cpu always is") from error
