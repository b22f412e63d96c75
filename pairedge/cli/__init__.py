"""The `pairedge` program: each command is one file of this package, imported only when that command runs.

docs/cli.md is the contract of all commands. In short: answers go to standard output, one row per input in
their order, and everything else to standard error. Each row has a status, and the exit code is the highest
among those of all statuses and of the call itself:

    0  ok, or uncertain while no --min-confidence is given
    1  uncertain under --min-confidence; unreadable; unlabeled; any other failure, reported in one sentence
    2  wrong usage: nothing was answered
    3  no-ink: a picture shows no digit
    4  several: a picture shows more than one digit

Only `evaluate`, whose subject is the accuracy of a model, counts pictures refused with 3 or 4 as mistakes and
exits with 0, unless no picture at all was answered: that is 1.
"""

import os
import sys
import warnings
from contextlib import suppress
from errno import EPIPE
from importlib import import_module
from typing import Any

import click

import pairedge
from pairedge.errors import PairedgeError

COMMANDS = {
    "bench": "Benchmark a model on this machine, or compare several.",
    "check": "Check this installation.",
    "classify": "Classify the digit in each picture.",
    "evaluate": "Measure accuracy on a folder of labeled pictures.",
    "examples": "Write the example pictures into a folder.",
    "info": "Show and check an ONNX graph.",
    "predict": "Compare pairs of pictures: is the first digit <= the second?",
    "rank": "Sort pictures by digit.",
    "serve": "Answer over HTTP: pictures, and the Open Inference Protocol.",
    "tile": "Draw how a picture is preprocessed, step by step.",
    "watch": "Classify pictures as they arrive in a folder.",
}

# What other programs call them.
SYNONYMS = {"compare": "predict", "read": "classify", "score": "evaluate", "sort": "rank", "test": "evaluate"}


class Commands(click.Group):
    """A click group that imports a command only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """List the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (as above)
        """Import the command's module, which defines `command`."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"pairedge.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what stops it is one sentence and exit code 1."""
        try:
            return super().invoke(ctx)
        except PairedgeError as error:
            raise click.ClickException(str(error)) from error

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; for an unknown one, name the one that was probably meant."""
        if args[0] not in COMMANDS:
            from difflib import get_close_matches

            near = [SYNONYMS[args[0]]] if args[0] in SYNONYMS else get_close_matches(args[0], COMMANDS, 1)
            ctx.fail(f"No such command {args[0]!r}." + "".join(f" Did you mean {name!r}?" for name in near))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 (as above)
        """List the commands from COMMANDS, so that help imports none of them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(pairedge.__version__, "-V", "--version", message="%(prog)s %(version)s")
def main() -> None:
    """Compare, classify and rank pictures of handwritten digits, on any CPU."""
    # Pillow warns about odd but readable files; standard error is for pictures that cannot be read.
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def run() -> None:
    """Run `main` as a program, and exit at once when it is done.

    By then all files are closed. The interpreter's own shutdown, with NumPy and onnxruntime loaded, would
    take as long as reading two pictures and comparing them.
    """
    open_standard_streams()
    code = 1
    try:
        main()
    except SystemExit as done:
        if not isinstance(done.code, int):
            raise
        code = done.code
    except OSError as error:  # of a stream: what reads or writes files reports their errors itself
        report_stream(error)
    try:
        sys.stdout.flush()
    except OSError as error:
        if error.errno != EPIPE:  # nobody reads any more, which is no failure of ours
            report_stream(error)
            code = code or 1
    os._exit(code)


def open_standard_streams() -> None:
    """Open the standard streams that the caller has closed, so that no other file takes their place.

    Standard input is then empty, standard output refuses what is written, and standard error drops it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "r"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123 (open as long as the process)


def report_stream(error: OSError) -> None:
    """Say in one sentence that an answer could not be written; on standard error, if that still works."""
    with suppress(OSError):
        click.echo(f"Error: standard output: {(error.strerror or str(error)).lower()}", err=True)
