"""`pairedge serve`: answers over HTTP until it is told to stop."""

from __future__ import annotations

from pathlib import Path

import click

from pairedge.cli.shared import min_confidence_option, model_option
from pairedge.errors import PairedgeError
from pairedge.serve.limits import Limits

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("serve", context_settings={"show_default": True})
@click.option("--host", default="127.0.0.1", help="Address to listen at.")
@click.option(
    "--port", default=8000, type=click.IntRange(0, 65535), help="Port to listen at; 0 for any free one."
)
@click.option(
    "--max-bytes", default=Limits.max_bytes, type=click.IntRange(1), help="Largest body of a request."
)
@click.option("--max-pixels", default=Limits.max_pixels, type=click.IntRange(1), help="Largest picture.")
@click.option(
    "--timeout",
    default=Limits.timeout,
    type=click.FloatRange(0, min_open=True),
    help="Seconds for a request's head, for its body, for the work on it, and between two requests.",
)
@click.option(
    "--max-connections", default=Limits.max_connections, type=click.IntRange(1), help="Connections at a time."
)
@click.option(
    "--max-batch",
    default=Limits.max_batch,
    type=click.IntRange(1),
    help="Pairs or tiles of one run of the model.",
)
@click.option(
    "--max-delay",
    default=Limits.max_delay,
    type=click.FloatRange(0),
    help="Milliseconds that a request waits for others to share its run with.",
)
@click.option(
    "--max-queue",
    default=Limits.max_queue,
    type=click.IntRange(1),
    help="Pairs, tiles or pictures that may wait.",
)
@click.option("--token-file", type=_FILE, help="File with a token that clients must send.")
@click.option(
    "--page",
    type=_FOLDER,
    show_default="the page that ships",
    help="Folder of a static page to serve at /.",
)
@min_confidence_option
@model_option
def command(
    host: str,
    port: int,
    token_file: Path | None,
    page: Path | None,
    min_confidence: float | None,
    model_file: str | None,
    **limits: float,
) -> None:
    """Answer requests over HTTP.

    POST /predict and /classify take pictures and answer with the JSON of the commands of the same names.
    GET /openapi.json describes them, /metrics is for Prometheus. Logs are JSON lines on standard error.

    SIGTERM and Ctrl+C end the server when it has answered what it was asked before. SIGHUP makes it read
    --model again; a file that cannot be used is refused, and the old model stays.
    """
    try:
        from pairedge.serve.application import Application
        from pairedge.serve.server import read_token, serve
    except ImportError as error:
        package = str(error.name).partition(".")[0]
        raise click.ClickException(f"serving needs {package}: pip install 'pairedge[serve]'") from error
    try:
        application = Application(
            model_file,
            Limits(**limits),  # type: ignore[arg-type] # click checked them
            min_confidence=min_confidence,
            token=None if token_file is None else read_token(token_file),
            page=page,
        )
        serve(application, host, port)
    except PairedgeError as error:
        raise click.ClickException(str(error)) from error
