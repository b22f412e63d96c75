"""Options and error handling that the commands share."""

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
    """Turn an error or an interrupt into one sentence and exit code 1."""
    try:
        yield
    except PairedgeError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        raise click.ClickException(
            "stopped; finished rounds are kept, and the same command resumes"
        ) from None


def check_device(device: str) -> None:
    """Check that torch has a device.

    Raises:
        RecipeError: when it has not; the message names the device.
    """
    import torch

    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise RecipeError(f"device {device!r} is not available here; cpu always is") from error
