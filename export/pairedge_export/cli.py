"""`pairedge-export`: checkpoints to ONNX graphs that are proven to decide as the networks do."""

from __future__ import annotations

import os
import shlex
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pairedge.shipped import shipped_example
from pairedge_train.cli.options import cli_errors, data_dir_option, importing_from_here

if TYPE_CHECKING:
    from pairedge_export.parity import Parity


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("checkpoints", nargs=-1, type=click.Path(path_type=Path), metavar="[CHECKPOINT...]")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Output folder, for a single checkpoint. [default: exports/FOLDER/NAME of the checkpoint]",
)
@click.option(
    "--runs",
    type=click.Path(path_type=Path),
    default=Path("runs"),
    show_default=True,
    help="Folder in which to look for the newest checkpoint.",
)
@click.option(
    "--variant",
    "own_variants",
    multiple=True,
    metavar="MODULE:NAME",
    help="Your own variant that CHECKPOINT is of: permits to import its module, from the current folder or "
    "from what is installed. May be repeated.",
)
@click.option(
    "--precision",
    type=click.Choice(["fp32", "fp16", "int8"]),
    default="fp32",
    show_default=True,
    help="Reduced precision changes a few decisions; the card says how many.",
)
@click.option("--mobile", is_flag=True, help="Also write .ort files, for a minimal build of onnxruntime.")
@click.option(
    "--c",
    is_flag=True,
    help="Also write the graphs as plain C. A CHECKPOINT may then be a folder that this command has written, "
    "to which the C is added.",
)
@click.option(
    "--license",
    "license_name",
    metavar="NAME",
    help="License of your model, such as MIT or CC-BY-4.0; graphs and card state it. [default: not stated]",
)
@click.option(
    "--triton",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Also write the graphs to DIR, a model repository for Triton. A CHECKPOINT may then be a folder of "
    "exported graphs.",
)
@click.option(
    "--web",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Also write to DIR a page that compares digits in a browser, without a server. The CHECKPOINT may "
    "then be a folder that this command has written.",
)
@click.option(
    "--sign",
    "private_key",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="KEY",
    help="Sign the files with the private key in a PEM file, for `pairedge info --verify`.",
)
@data_dir_option
def main(
    checkpoints: tuple[Path, ...],
    out: Path | None,
    runs: Path,
    own_variants: tuple[str, ...],
    precision: str,
    mobile: bool,
    c: bool,
    license_name: str | None,
    triton: Path | None,
    web: Path | None,
    private_key: Path | None,
    data_dir: Path | None,
) -> None:
    """Export the newest checkpoint, or each CHECKPOINT: ONNX graphs, parity.json and a model card.

    First compares the values and decisions of each graph with those of the torch network. If they differ,
    nothing is written and the exit code is 1.
    """
    if out and len(checkpoints) > 1:
        raise click.UsageError("--out is for one checkpoint; several go to exports/ under their own names")
    if web and len(checkpoints) > 1:
        raise click.UsageError("--web is for one checkpoint: a page has one model")
    try:
        import onnx  # noqa: F401 (to say what is missing before anything is loaded)
        import torch
    except ImportError as error:
        raise click.ClickException(f"exporting needs {error.name}: pip install 'pairedge[export]'") from error
    torch.set_num_threads(1)
    with cli_errors(), importing_from_here(), _end_at_once():
        for name in own_variants:
            from pairedge_train.networks.variants import import_variant

            import_variant(name)
        if web is not None:
            from pairedge_export.page.compiler import require_compiler
            from pairedge_export.page.proof import require_engine

            require_compiler()  # not after an export that takes a minute
            require_engine()
        for checkpoint in checkpoints or [newest_checkpoint(runs)]:
            folder = checkpoint  # of exported graphs, to which something is added
            if not ((c or triton is not None or web is not None) and checkpoint.is_dir()):
                name = checkpoint.stem if precision == "fp32" else f"{checkpoint.stem}-{precision}"
                folder = out or Path("exports") / checkpoint.parent.name / name
                export_one(checkpoint, folder, data_dir, precision, mobile, c, license_name)
            elif c:
                export_c(folder, data_dir)
            if private_key is not None:
                sign(folder, private_key)
            if triton is not None:
                export_to_triton(folder, triton)
            if web is not None:
                export_page(folder, web)


@contextmanager
def _end_at_once() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the process where it is, with one sentence and exit code 1.

    An exception that is raised while the converter's or onnxruntime's own code calls Python may abort the
    process instead. Files are safe at any moment (pairedge_train.files).
    """

    def end(*_: object) -> None:
        os.write(2, b"Error: stopped; the same command exports again\n")
        os._exit(1)

    if threading.current_thread() is not threading.main_thread():  # only it may set handlers
        yield
        return
    # What the caller ignores, as a shell's background jobs do Ctrl-C, stays ignored.
    numbers = [each for each in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(each) != signal.SIG_IGN]
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def newest_checkpoint(runs: Path) -> Path:
    """The checkpoint under `runs` that was written last.

    Raises:
        CheckpointError: when there is none.
    """
    from pairedge_train.errors import CheckpointError

    written = {}
    for path in runs.glob("**/*.safetensors"):
        with suppress(OSError):  # a link that leads nowhere, or a file that is gone since it was listed
            written[path] = path.stat().st_mtime
    if not written:
        raise CheckpointError(f"{runs}: no checkpoint there; train one with pairedge-train, or name a file")
    return max(written, key=lambda path: (written[path], path))


def export_one(
    path: Path,
    folder: Path,
    data_dir: Path | None,
    precision: str = "fp32",
    mobile: bool = False,
    c: bool = False,
    license_name: str | None = None,
) -> None:
    """Export one checkpoint; print the checks and the next command."""
    from pairedge_export.exporting import export_checkpoint
    from pairedge_train.data.loading import load_data
    from pairedge_train.training.checkpoint import load_checkpoint

    checkpoint = load_checkpoint(path)
    data = load_data(checkpoint.recipe.data, data_dir)
    click.echo(f"Exporting {path}")
    show(
        export_checkpoint(
            checkpoint,
            data.test,
            folder,
            precision=precision,
            calibration=data.training.tiles,
            mobile=mobile,
            c=c,
            license_name=license_name,
        )
    )
    click.echo(f"Wrote {folder}")
    words = [str(folder / "pair.onnx"), shipped_example("three"), shipped_example("seven")]
    click.echo(f"Next: pairedge predict --model {shlex.join(words)}")


def export_c(folder: Path, data_dir: Path | None) -> None:
    """Add the C to a folder of exported graphs; print its checks."""
    from pairedge.graph import open_graph
    from pairedge_export.c.adding import add_c
    from pairedge_export.parity import Parity
    from pairedge_train.data.loading import load_data
    from pairedge_train.experiments.recipe import Recipe

    recipe = Recipe.from_dict(open_graph(folder / "pair.onnx", "pair").metadata["recipe"])
    click.echo(f"Writing {folder} in C")
    show(Parity(add_c(folder, load_data(recipe.data, data_dir).test.tiles).of_kind("c")))
    click.echo(f"Wrote {folder / 'pairedge.h'} and {folder / 'pairedge.c'}")


def sign(folder: Path, private_key: Path) -> None:
    """Sign the files of an export; print the command that verifies them."""
    from pairedge_export.signing import sign_folder

    sign_folder(folder, private_key)
    click.echo(f"Signed {folder}")
    click.echo(f"Next: pairedge info {shlex.quote(str(folder / 'pair.onnx'))} --verify PUBLIC_KEY")


def export_to_triton(folder: Path, repository: Path) -> None:
    """Write the graphs of a folder to a model repository; print the next command."""
    from pairedge_export.triton import write_model_repository

    for model in write_model_repository(folder, repository):
        click.echo(f"Wrote {model}")
    click.echo(f"Next: tritonserver --model-repository {repository}")


def export_page(model: Path, folder: Path) -> None:
    """Write the page of a folder of exported graphs to another folder; print checks and the next command."""
    from pairedge_export.page.writing import write_page

    files, proof = write_page(model, folder)
    show(proof)
    click.echo(f"Wrote {folder}: {len(files)} files, {sum(map(len, files.values())):,} bytes")
    click.echo(f"Next: python -m http.server --bind 127.0.0.1 --directory {folder}")


def show(parity: Parity) -> None:
    """Print each check with a check mark or a cross."""
    for check in parity.checks:
        click.echo(f"  {'✓' if check.passed else '✗'} {check.graph:<8} {check.name:<28} {check.detail}")
