"""The `pairedge` command: each verb is one file of this package, imported only when that verb runs.

The contract of every verb: pictures are positional, `-` is standard input, `--json` prints one object per
line on standard output, all else goes to standard error; exit 0 when all went well, 1 when an input
failed, 2 for wrong usage.
"""

import sys
import warnings
from importlib import import_module

import click

import pairedge

VERBS = {
    "bench": "Measure a model on this machine, or compare several.",
    "classify": "Say which digit each picture shows.",
    "info": "Show a graph's contract and card, and check that pairedge can use it.",
    "predict": "Compare pictures two by two: is the first digit <= the second?",
    "rank": "Put pictures in order of their digits.",
}


class Verbs(click.Group):
    """A group that knows its verbs by name and imports one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Give the names of all verbs."""
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the verb's file, which defines `command`."""
        if cmd_name not in VERBS:
            return None
        command = import_module(f"pairedge.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
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
