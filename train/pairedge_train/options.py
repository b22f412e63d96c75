"""What the commands share: where data and devices are named, and a device refused that is not there."""

from __future__ import annotations

from pathlib import Path

import click

from pairedge_train.errors import RecipeError

data_dir_option = click.option(
    "--data-dir", type=click.Path(path_type=Path), help="Folder of MNIST/raw. [PAIREDGE_DATA, or the cache]"
)
device_option = click.option(
    "--device", default="cpu", show_default=True, help="Where to train: cpu, cuda, cuda:1, ..."
)


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
