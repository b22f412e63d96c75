"""`pairedge watch FOLDER`: answers for pictures as they arrive, until it is told to stop."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from pairedge.cli.classify import LAYOUT, TASK
from pairedge.cli.shared import min_confidence_option, model_option
from pairedge.cli.stream.inputs import SUFFIXES, Inputs
from pairedge.cli.stream.item import Item
from pairedge.cli.stream.outputs import Output, Style
from pairedge.cli.stream.stream import report_refusal, style_options
from pairedge.cli.stream.workers import ModelSource

if TYPE_CHECKING:
    from watchfiles import Change

_LOOK = 100  # milliseconds between two looks at files that are still being written


@click.command("watch")
@click.argument("folder", type=click.Path(exists=True, file_okay=False))
@click.option("--recursive", is_flag=True, help="Watch subfolders, too.")
@click.option("--existing", is_flag=True, help="First answer the pictures that are there already.")
@click.option(
    "--settle",
    type=click.FloatRange(min=0),
    default=0.5,
    show_default=True,
    metavar="SECONDS",
    help="A file is read when it has not changed for so long.",
)
@click.option(
    "--polling", is_flag=True, help="Look for new files; for network drives that do not tell of them."
)
@style_options
@min_confidence_option
@model_option
def command(
    folder: str,
    recursive: bool,
    existing: bool,
    settle: float,
    polling: bool,
    style: Style | None,
    min_confidence: float | None,
    model_file: str | None,
) -> None:
    """Classify the pictures that arrive in FOLDER, as a camera or a scanner writes them.

    Prints one line per picture, as `pairedge classify` does; a file that is written again is answered again.
    Ctrl-C or SIGTERM stops it, after the answer at hand, with exit code 0.

    Exit code 1 if the folder is removed.
    """
    try:
        from watchfiles import watch
    except ImportError as error:
        raise click.ClickException("watch needs watchfiles: pip install 'pairedge[watch]'") from error
    model = ModelSource(model_file, min_confidence).load_with_digits()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    changes = watch(
        folder,
        recursive=recursive,
        stop_event=stop,
        rust_timeout=_LOOK,
        yield_on_timeout=True,
        force_polling=polling or None,
    )
    before = Inputs(("picture",), (folder,), None, recursive) if existing else None
    with Output(style).open(LAYOUT.naming(model.classes, "name"), iter(())) as rows:
        for path in arrivals(folder, changes, settle, before):
            [row] = TASK.rows([Item((path,))], model)
            if "error" in row:
                report_refusal(row)
            rows.write(row)
            if stop.is_set():
                break
    count = rows.statuses.total()
    click.echo(f"Stopped after {count:,} picture{'' if count == 1 else 's'}", err=True)


def arrivals(
    folder: str,
    changes: Iterable[set[tuple[Change, str]]],
    settle: float,
    before: Inputs | None = None,
) -> Iterator[str]:
    """The paths of pictures that arrive in a folder, each when it has not changed for some seconds.

    Args:
        folder: as it was named; the paths begin with it.
        changes: files that were added, changed or removed; looks that find none are empty sets.
        settle: the seconds.
        before: what is there already and counts, too.

    Raises:
        click.ClickException: when the folder is removed.
    """
    top = os.path.realpath(folder)
    pending: dict[str, tuple[tuple[int, int], float]] = {}  # size, time of the last change; seen since
    for number, changed in enumerate(changes):
        if not os.path.isdir(folder):
            raise click.ClickException(f"{folder}: was removed")
        names = [os.path.relpath(os.path.realpath(path), top) for _, path in changed]
        paths = [os.path.join(folder, name) for name in names if is_picture(name)]
        if number == 0 and before is not None:  # now the folder is watched, and none can slip through
            paths += [item.names[0] for item in before.items() if item.error is None]
        now = time.monotonic()
        pending.update(dict.fromkeys(paths, ((-1, -1), now)))
        for path, (seen, since) in list(pending.items()):
            try:
                status = os.stat(path)
            except OSError:  # gone before it was read
                del pending[path]
                continue
            state = status.st_size, status.st_mtime_ns
            if state != seen:
                pending[path] = state, now
            elif now - since >= settle:
                del pending[path]
                yield path


def is_picture(name: str) -> bool:
    """Whether a file is a picture by its path inside of the folder, as for all commands."""
    parts = name.split(os.sep)
    hidden = any(part.startswith(".") for part in parts)
    return not hidden and os.path.splitext(name)[1].lower() in SUFFIXES
