"""`pairedge-reproduce`: all tables and figures of the five reports, and of our own studies."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pairedge_train.cli.options import check_device, cli_errors, data_dir_option, device_option

MOST_SECONDS = 60.0  # of training that a row may cost to be verified

if TYPE_CHECKING:
    from pairedge_train.experiments.study import Study, Table
    from pairedge_train.reports.reproduce import Job
    from pairedge_train.rows import RoundRow


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, metavar="[best | report0 ... report4 | all]")
@click.option("--list", "list_", is_flag=True, help="List studies, tables and rounds, and exit.")
@click.option("--table", "tables", multiple=True, metavar="NAME", help="Only this table; may be repeated.")
@click.option("--rounds", type=click.IntRange(min=1), help="At most this many rounds of each row.")
@click.option("--quick", is_flag=True, help="One round of each row.")
@click.option("--fresh", is_flag=True, help="Train every round anew, into a new --out.")
@click.option(
    "--jobs", type=click.IntRange(min=1), help="Processes, one thread each. [one per core; one on a GPU]"
)
@click.option("--dask", "cluster", metavar="tcp://HOST:PORT", help="Train on a Dask cluster.")
@click.option(
    "--verify",
    "sampled",
    type=click.IntRange(min=1),
    metavar="K",
    help="Train K committed rows again, compare them, and exit.",
)
@click.option("--sample-seed", default=0, show_default=True, help="Chooses the rows that --verify trains.")
@device_option
@data_dir_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of rows, pages and figures. [artifacts/reports; artifacts/best for our own studies]",
)
def main(
    names: tuple[str, ...],
    list_: bool,
    tables: tuple[str, ...],
    rounds: int | None,
    quick: bool,
    fresh: bool,
    jobs: int | None,
    cluster: str | None,
    sampled: int | None,
    sample_seed: int,
    device: str,
    data_dir: Path | None,
    out: Path | None,
) -> None:
    """Train the rounds of reports or of our own studies, and write pages that compare them with the reports.

    `all` names the five reports. Rounds that have a row are not trained again: after an interruption, the
    same command resumes. Each study's page and figures are written at the end.
    """
    try:
        import torch  # noqa: F401 (a missing torch is one sentence, not a traceback)
    except ImportError as error:
        raise click.ClickException("reproducing needs torch: pip install 'pairedge[train]'") from error
    with cli_errors():
        chosen = choose(names, tables, everything=(list_ or sampled is not None) and not names)
        if list_:
            list_studies(chosen)
        elif sampled is not None:
            verify_sample(chosen, sampled, sample_seed, data_dir, out)
        else:
            if fresh:
                check_new(out)
            workers = jobs or (os.cpu_count() if device == "cpu" else 1) or 1
            folders = dict.fromkeys(out or default_folder(study) for study, _ in chosen)
            for folder in folders:
                group = [each for each in chosen if (out or default_folder(each[0])) == folder]
                run(group, 1 if quick else rounds, workers, cluster, device, data_dir, folder)


def choose(
    names: tuple[str, ...], tables: tuple[str, ...], *, everything: bool
) -> list[tuple[Study, list[Table]]]:
    """The named studies, each with its tables that are named; all of them where none is named."""
    from pairedge_train.experiments.library import reports, studies

    known = studies()
    if everything or names == ("all",):
        names = tuple(known) if everything else tuple(reports())
    if not names:
        raise click.UsageError(f"name a study, or all: {', '.join(known)}")
    for name in names:
        if name not in known:
            raise click.UsageError(f"unknown study {name!r}; there are {', '.join(known)} and all")
    chosen = []
    for name in names:
        study = known[name]
        for table in tables:
            if table not in {each.name for each in study.tables}:
                names_ = ", ".join(each.name for each in study.tables)
                raise click.UsageError(f"{name} has no table {table!r}; it has {names_}")
        chosen.append((study, [each for each in study.tables if not tables or each.name in tables]))
    return chosen


def list_studies(chosen: list[tuple[Study, list[Table]]]) -> None:
    """Print studies and tables with their numbers of rows and rounds."""
    for study, tables in chosen:
        click.echo(f"{study.name}  {study.title}")
        for table in tables:
            size = f"{len(table.rows):>2} rows x {table.rounds:>2} rounds"
            click.echo(f"  --table {table.name:<20} {size}  {table.title}")


def verify_sample(
    chosen: list[tuple[Study, list[Table]]],
    count: int,
    seed: int,
    data_dir: Path | None,
    out: Path | None,
) -> None:
    """Train some committed rows again and print how they compare; exit with code 1 when one differs."""
    import torch

    from pairedge_train.data.loading import load_data
    from pairedge_train.reports.verify import committed_rows, describe, sample, verify

    torch.set_num_threads(1)
    known = [row for study, _ in chosen for row in committed_rows([study], out or default_folder(study))]
    rows = sample(known, count, seed, MOST_SECONDS)
    comparisons = []
    for row in rows:
        comparisons.append(verify(row, load_data(row.job.recipe.data, data_dir)))
        click.echo(describe(comparisons[-1]))
    verdicts = [comparison.verdict for comparison in comparisons]
    counts = ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in ("equal", "close", "differs"))
    click.echo(f"{len(rows)} of {len(known)} rows trained again: {counts}")
    if "differs" in verdicts:
        raise SystemExit(1)


def check_new(out: Path | None) -> None:
    """Check that --out names a folder from which nothing could be taken over."""
    if out is None:
        raise click.UsageError("--fresh needs --out FOLDER: the rows that are there stay as they are")
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise click.UsageError(
            f"--fresh: {out} is there already; name another --out, or resume without --fresh"
        )


def default_folder(study: Study) -> Path:
    """Where a study's rows, page and figures lie in a checkout."""
    return Path("artifacts") / ("reports" if study.is_report else "best")


def run(
    chosen: list[tuple[Study, list[Table]]],
    rounds: int | None,
    workers: int,
    cluster: str | None,
    device: str,
    data_dir: Path | None,
    out: Path,
) -> None:
    """Train the missing rounds, then write the pages."""
    from pairedge_train.experiments.library import reports
    from pairedge_train.reports.index import write_index
    from pairedge_train.reports.pages import write_page
    from pairedge_train.reports.reproduce import jobs_of, missing

    check_device(device)
    jobs = [job for study, tables in chosen for job in jobs_of(study, tables, rounds, device)]
    todo = missing(jobs, out)
    if todo:
        click.echo(f"{len(jobs)} rounds, of which {len(jobs) - len(todo)} are done")
        train(todo, len(jobs), workers, cluster, device, data_dir, out)
    else:
        click.echo(
            f"All {len(jobs)} rounds have rows in {out}; --fresh --out FOLDER trains them anew, in FOLDER"
        )
    for study, _ in chosen:
        write_page(study, out)
        click.echo(f"Wrote {out / study.name}.md")
    if any(study.is_report for study, _ in chosen):
        write_index(list(reports().values()), out)


def train(
    todo: list[Job],
    total: int,
    workers: int,
    cluster: str | None,
    device: str,
    data_dir: Path | None,
    out: Path,
) -> None:
    """Train rounds under a progress bar that also counts those done before."""
    from tqdm import tqdm

    from pairedge_train.data.loading import load_data
    from pairedge_train.reports.reproduce import reproduce

    # joblib replaces a worker that leaks memory and repeats its task: nothing for a user to act on.
    warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given")
    for data in {job.recipe.data.dataset: job.recipe.data for job in todo}.values():
        load_data(data, data_dir)  # report a missing data set once, here, not in every worker
    interval = 0.1 if sys.stderr.isatty() else 30  # seconds; fewer lines in a log than on a terminal
    with tqdm(total=total, initial=total - len(todo), unit="round", mininterval=interval) as bar:

        def on_row(job: Job, _: RoundRow) -> None:
            bar.set_description(f"{job.study} {job.recipe.variant}", refresh=False)
            bar.update()

        reproduce(
            todo, out, data_dir=data_dir, device=device, workers=workers, cluster=cluster, on_row=on_row
        )
