"""Options and error handling that the commands share."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from pairedge.errors import PairedgeError
from pairedge_train.errors import RecipeError

data_dir_option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    help="Folder of MNIST/raw. [PAIREDGE_DATA, PAIREDGE_CACHE, or the platform's cache]",
)
device_option = click.option(
    "--device", default="cpu", show_default=True, help="Where to train: cpu, cuda, cuda:1, ..."
)


seed_type = click.IntRange(min=0, max=2**32 - 1)  # torch takes 64 bits, of which further rounds need some


@contextmanager
def cli_errors() -> Iterator[None]:
    """Turn an error, and an interrupt or a request to terminate, into one sentence and exit code 1."""
    try:
        with _termination_as_interrupt():
            yield
    except PairedgeError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        raise click.ClickException(
            "stopped; finished rounds are kept, and the same command resumes"
        ) from None


@contextmanager
def _termination_as_interrupt() -> Iterator[None]:
    """Let SIGTERM do in this block what Ctrl-C does, unless the caller has set it otherwise."""
    in_main_thread = threading.current_thread() is threading.main_thread()  # the only one that may set it
    if not in_main_thread or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def importing_from_here() -> Iterator[None]:
    """Let modules of the current folder be imported in this block, after all that are installed."""
    if "" in sys.path:  # as with python -m
        yield
        return
    sys.path.append("")
    try:
        yield
    finally:
        sys.path.remove("")


def check_device(device: str) -> None:
    """Check that torch has a device, and say what is lost on another one than a CPU.

    Raises:
        RecipeError: when it has not; the message names the device.
    """
    import torch

    try:
        torch.zeros(1, device=device).item()  # "meta" makes tensors without numbers
    except (RuntimeError, AssertionError, ImportError) as error:
        without = device.startswith("cuda") and torch.version.cuda is None
        reason = f": torch {torch.__version__} is built without CUDA" if without else " here"
        raise RecipeError(f"device {device!r} is not available{reason}; cpu always is") from error
    if torch.device(device).type != "cpu":
        click.echo(f"On {device} the same seed does not give the same bytes; rows name the device.", err=True)
