"""What all commands share that answer pictures: their options, and the way from inputs to rows."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from pairedge.cli.shared import exit_with, min_confidence_option, model_option, report_error, shown
from pairedge.cli.stream.inputs import Inputs
from pairedge.cli.stream.item import STANDARD_INPUT, Item, Row
from pairedge.cli.stream.outputs import Layout, Output
from pairedge.cli.stream.progress import Progress
from pairedge.cli.stream.task import Task
from pairedge.cli.stream.workers import ModelSource, Workers

if TYPE_CHECKING:
    from pairedge.model import AnyModel

Command = Callable[..., None]

_SHOWN = 3  # files that are left out, in the note on standard error

_FROM_OPTION = click.option(
    "--from",
    "list_file",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Read the inputs from a list: a path a line, CSV or JSON lines; - is standard input.",
)
_RECURSIVE_OPTION = click.option("--recursive", is_flag=True, help="Read the subfolders of folders, too.")
_WORKER_OPTIONS = (
    click.option(
        "--jobs",
        type=click.IntRange(min=1),
        default=1,
        metavar="N",
        help="Number of processes that read pictures.  [default: 1]",
    ),
    click.option("--dask", "cluster", metavar="tcp://HOST:PORT", help="Read the pictures on a Dask cluster."),
)
_OUTPUT_OPTION = click.option(
    "-o",
    "--output",
    "path",
    metavar="FILE",
    help="Write to FILE, which appears when it is complete; .csv and .jsonl need no --csv or --json.",
)
_RESUME_OPTION = click.option(
    "--resume", is_flag=True, help="Continue the output of a run that was cut off: -o's FILE.part, or FILE."
)


@dataclass(frozen=True)
class Stream:
    """One run of a command: what is answered, by which model, where, and where the rows go."""

    inputs: Inputs
    source: ModelSource
    workers: Workers
    output: Output

    def write(self, task: Task, layout: Layout, model: AnyModel) -> None:
        """Answer all items, write their rows as they come, and exit with the code of their statuses."""
        items = self.inputs.items()
        on_terminal = self.output.path is None and sys.stdout.isatty()
        with self.output.open(layout, items) as rows:
            before = rows.statuses.total()
            for row in self.rows(task, items, model, quiet=on_terminal, before=before):
                rows.write(row)
        self.report_left_out()
        exit_with(rows.statuses, self.source.min_confidence)

    def rows(
        self,
        task: Task,
        items: Iterator[Item],
        model: AnyModel,
        *,
        report: Callable[[Row], None] | None = None,
        quiet: bool = False,
        before: int = 0,
    ) -> Iterator[Row]:
        """The rows of items, in order, with a progress line on a terminal.

        Args:
            task: makes rows of items.
            items: all that are to be answered.
            model: which answers.
            report: is given each row without an answer; prints its error, unless told otherwise.
            quiet: whether there is no progress line, as the rows go to the terminal themselves.
            before: the number of rows that were there already.
        """
        piped = self.inputs.list_file == STANDARD_INPUT
        with Progress(sys.stderr.isatty() and not quiet, self.inputs.count, before) as progress:
            for row in self.workers.rows(task, items, self.source, model, one_by_one=piped):
                if "error" in row:
                    progress.clear()
                    (report or report_refusal)(row)
                yield row
                progress.step("error" in row)

    def report_left_out(self) -> None:
        """Say on standard error which files of folders were not read, and why."""
        if left_out := self.inputs.left_out:
            named = "; ".join(f"{shown(path)}: {reason}" for path, reason in left_out[:_SHOWN])
            more = f"; and {len(left_out) - _SHOWN:,} more" if len(left_out) > _SHOWN else ""
            click.echo(f"Left out: {named}{more}", err=True)


def report_refusal(row: Row) -> None:
    """Print the error of a row, or those of both pictures of a pair, on standard error."""
    for refusal in row.get("refused", {"": row}).values():
        report_error(refusal["error"])


def style_options(function: Command) -> Command:
    """Give a command the options that choose the style of its rows, as an argument `style`."""
    function = click.option("--csv", "style", flag_value="csv", help="Write CSV, with a header.")(function)
    return click.option("--json", "style", flag_value="json", help="Write JSON, one object per line.")(
        function
    )


def stream_options(
    *columns: str, resumable: bool = True, subfolders: bool = False
) -> Callable[[Command], Command]:
    """Give a command its inputs and all options of a stream, as one argument `stream`.

    Args:
        columns: what an item consists of: `picture`, or `first` and `second`.
        resumable: whether the output can be continued.
        subfolders: whether they are always read.
    """
    options: list[Callable[[Command], Command]] = [
        click.argument("names", nargs=-1, metavar="FILE..." if len(columns) == 1 else "A B [A B ...]"),
        _FROM_OPTION,
        *([] if subfolders else [_RECURSIVE_OPTION]),
        *_WORKER_OPTIONS,
        style_options,
        _OUTPUT_OPTION,
        *([_RESUME_OPTION] if resumable else []),
        min_confidence_option,
        model_option,
    ]

    def decorate(function: Command) -> Command:
        @wraps(function)
        def command(
            names: tuple[str, ...],
            list_file: str | None,
            jobs: int,
            cluster: str | None,
            style: Any,
            path: str | None,
            min_confidence: float | None,
            model_file: str | None,
            recursive: bool = subfolders,
            resume: bool = False,
            **others: Any,
        ) -> None:
            stream = Stream(
                Inputs(columns, names, list_file, recursive),
                ModelSource(model_file, min_confidence),
                Workers(jobs, cluster),
                Output(style, path, resume, resumable),
            )
            function(stream, **others)

        decorated: Command = command
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate
