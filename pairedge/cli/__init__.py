"""The `pairedge` command: each verb is one file of this package, imported only when that verb runs.

The contract of every verb: pictures are positional, `-` is standard input, `--json` prints one object per
line on standard output, all else goes to standard error. Each picture or pair has a status, and the exit
code is the highest that any of them, or the call itself, asks for:

    0  ok, or uncertain while no --min-confidence is given
    1  uncertain under --min-confidence; unreadable; any other failure that is told in one sentence
    2  wrong usage: nothing was answered
    3  no-ink: a picture shows no digit
    4  several: a picture shows more than one digit

A pair whose pictures were refused has the status, of the two, that asks for the higher code. What is
refused is told on standard error and, with --json, has its object too, with `status` and `error`. Only
`evaluate`, whose subject is the accuracy of a model, counts pictures refused with 3 or 4 as mistakes and
exits with 0, unless no picture at all was answered: that is 1.
"""

import os
import sys
import warnings
from contextlib import suppress
from importlib import import_module

import click

import pairedge

VERBS = {
    "bench": "Measure a model on this machine, or compare several.",
    "classify": "Say which digit each picture shows.",
    "evaluate": "Count right answers on a folder of pictures named by digit.",
    "info": "Show a graph's contract and card, and check that pairedge can use it.",
    "predict": "Compare pictures two by two: is the first digit <= the second?",
    "rank": "Put pictures in order of their digits.",
    "tile": "Draw how a picture is read, step by step.",
}


class Verbs(click.Group):
    """A group that knows its verbs by name and imports one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Give the names of all verbs."""
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (as above)
        """Import the verb's file, which defines `command`."""
        if cmd_name not in VERBS:
            return None
        command = import_module(f"pairedge.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 (as above)
        """List the verbs from VERBS, so that help imports none of them."""
        with formatter.section("Verbs"):
            formatter.write_dl(sorted(VERBS.items()))


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(pairedge.__version__, "-V", "--version", message="%(prog)s %(version)s")
def main() -> None:
    """Compare pictures of handwritten digits on any CPU."""
    # Pillow warns of odd but readable files; standard error is for pictures that could not be read.
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def run() -> None:
    """Run `main` as a program of its own, and be gone once it has answered.

    By then all files are closed. Letting the interpreter take itself, NumPy and onnxruntime apart would take
    as long as reading both pictures and comparing them.
    """
    try:
        main()
    except SystemExit as left:
        if isinstance(left.code, int):
            with suppress(OSError):  # nobody reads any more: Python's own way out tells so
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(left.code)
        raise
