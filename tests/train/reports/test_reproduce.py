"""Studies are carried over cores or a cluster, and whatever dies, no row is lost and none doubled."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pairedge_train.cli.reproduce import main
from pairedge_train.data import loading
from pairedge_train.errors import WorkersError
from pairedge_train.experiments import library
from pairedge_train.experiments.library import studies
from pairedge_train.experiments.study import FIRST_SEED
from pairedge_train.reports import workers
from pairedge_train.reports.reproduce import Job, jobs_of, missing, reproduce, rows_path
from pairedge_train.rows import RoundRow, append_row, read_rows
from reliability.cluster import free_address, scheduler_at, worker

from .study_program import JOBS, RECIPE, ROUNDS

PROGRAM = Path(__file__).with_name("study_program.py")


def test_no_round_is_trained_twice() -> None:
    study = studies()["report0"]
    jobs = jobs_of(study, study.tables)
    assert len({job.key for job in jobs}) == len(jobs)
    # 32 rounds of the 2x2 for the figure, three further rows of 16, and 4 x 32 at batch 128.
    assert len(jobs) == 4 * 32 + 3 * 16 + 4 * 32
    assert len(jobs_of(study, study.tables[2:3])) == 4 * 32
    assert len(jobs_of(study, study.tables, rounds=1)) == 4 + 3 + 4


def test_folds_keep_their_number_when_only_some_are_trained() -> None:
    study = studies()["report4"]
    jobs = jobs_of(study, study.tables, rounds=2)
    assert {job.number for job in jobs} == {0, 1}
    assert {job.recipe.data.folds for job in jobs} == {8}


def test_rounds_with_a_row_are_not_missing(tmp_path: Path) -> None:
    digest, seed, _ = JOBS[3].key
    append_row(rows_path(tmp_path, "small"), RoundRow(variant="conv_3", recipe=digest, seed=seed))
    assert missing(JOBS, tmp_path) == [job for job in JOBS if job.number != 3]


def test_a_round_that_diverges_has_a_row_that_says_so(tmp_path: Path) -> None:
    job = Job(
        "small",
        RECIPE.with_(
            {
                "network.variant": "twinnet_aux_ws",
                "optim.lr": 1e30,
                "optim.epochs": 1,
                "data.pairs": 100,
                "optim.batch_size": 25,
            }
        ),
        FIRST_SEED,
        0,
    )
    reproduce([job], tmp_path)
    [row] = read_rows(rows_path(tmp_path, "small"))
    assert row.diverged is not None
    assert "the loss became" in row.diverged
    assert missing([job], tmp_path) == []


def seeds(out: Path) -> list[int]:
    return sorted(row.seed for row in read_rows(rows_path(out, "small")))


def wait_for_rows(out: Path, count: int, process: subprocess.Popen[str]) -> None:
    while len(seeds(out)) < count:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


@pytest.mark.campaign
@pytest.mark.slow
def test_a_killed_study_goes_on_where_it_was(tmp_path: Path) -> None:
    command = [sys.executable, str(PROGRAM), str(tmp_path)]
    process = subprocess.Popen(command, text=True, start_new_session=True)
    wait_for_rows(tmp_path, 2, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    kept = seeds(tmp_path)
    assert 2 <= len(kept) < ROUNDS
    subprocess.run(command, check=True)
    assert seeds(tmp_path) == [FIRST_SEED + number for number in range(ROUNDS)]


@pytest.fixture
def scheduler() -> Iterator[str]:
    """The address of a Dask scheduler of its own process."""
    address = free_address()
    with scheduler_at(address):
        yield address


@pytest.mark.campaign
@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_loses_no_row(scheduler: str, tmp_path: Path) -> None:
    with worker(scheduler) as first, worker(scheduler):
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(tmp_path), scheduler], text=True, stderr=subprocess.PIPE
        )
        wait_for_rows(tmp_path, 2, process)
        first.kill()
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert seeds(tmp_path) == [FIRST_SEED + number for number in range(ROUNDS)]


@pytest.mark.campaign
@pytest.mark.slow
def test_a_cluster_whose_scheduler_is_restarted_trains_every_round_once(tmp_path: Path) -> None:
    address = free_address()
    with scheduler_at(address) as first, worker(address):
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(tmp_path), address], text=True, stderr=subprocess.PIPE
        )
        wait_for_rows(tmp_path, 1, process)
        first.kill()
    with scheduler_at(address), worker(address):
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert seeds(tmp_path) == [FIRST_SEED + number for number in range(ROUNDS)]


@pytest.mark.campaign
@pytest.mark.slow
def test_a_study_whose_worker_process_is_killed_says_so_and_resumes(tmp_path: Path) -> None:
    program = [sys.executable, str(PROGRAM), str(tmp_path)]
    process = subprocess.Popen(program, text=True, stderr=subprocess.PIPE)
    wait_for_rows(tmp_path, 1, process)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for child in children:
        if b"loky" in Path(f"/proc/{child}/cmdline").read_bytes():
            os.kill(int(child), signal.SIGKILL)
    _, errors = process.communicate(timeout=120)
    assert "WorkersError: a worker process was killed" in errors
    subprocess.run(program, check=True)
    assert seeds(tmp_path) == [FIRST_SEED + number for number in range(ROUNDS)]


def command(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_list_shows_every_table() -> None:
    result = command("--list")
    assert result.exit_code == 0
    for study in studies().values():
        assert study.title in result.stdout
        for table in study.tables:
            assert f"--table {table.name} " in result.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "name a study, or all: best, report0, report1"),
        (["report9"], "unknown study 'report9'; there are best, report0"),
        (["report3", "--table", "9"], "report3 has no table '9'; it has 1, 2, 3"),
        (["report0", "--rounds", "0"], "0 is not in the range"),
    ],
)
def test_wrong_use_is_one_sentence(arguments: list[str], sentence: str) -> None:
    result = command(*arguments)
    assert result.exit_code == 2
    assert sentence in re.sub(r"\s+", " ", result.stderr)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "PATIENCE", 0.5)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://a", "tcp://no such host:1", "tcp://"])
def test_a_cluster_without_a_scheduler_is_one_sentence(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten(monkeypatch, "report3", "1")
    monkeypatch.setattr(loading, "load_data", lambda *_: None)
    result = command("report3", "--table", "1", "--quick", "--dask", address, "--out", str(tmp_path))
    assert result.exit_code == 1
    [line] = result.stderr.replace("\r", "\n").splitlines()[-1:]
    assert line.startswith(f"Error: {address}: no Dask scheduler answers there; finished rounds are kept")


def test_a_cluster_without_workers_is_one_sentence(
    scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distributed import Client

    with Client(scheduler, timeout=60):  # type: ignore[no-untyped-call]  # as soon as it answers
        monkeypatch.setattr(workers, "PATIENCE", 3)
    with pytest.raises(WorkersError, match="the Dask scheduler has no worker"):
        reproduce(JOBS, tmp_path, cluster=scheduler)


def test_a_cluster_without_dask_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(WorkersError, match=r"a cluster needs Dask: pip install 'pairedge\[scale\]'"):
        reproduce(JOBS, tmp_path, cluster="tcp://127.0.0.1:9")


def shorten(monkeypatch: pytest.MonkeyPatch, study: str, table: str) -> None:
    """Let the rounds of a study's table take one epoch in place of many."""
    whole = studies()[study]
    rows = [replace(row, recipe=row.recipe.with_({"optim.epochs": 1})) for row in whole.table(table).rows]
    tables = [replace(each, rows=tuple(rows)) if each.name == table else each for each in whole.tables]
    monkeypatch.setattr(library, "studies", lambda: {study: replace(whole, tables=tuple(tables))})


@pytest.mark.slow
@pytest.mark.mnist
def test_a_quick_look_writes_rows_and_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shorten(monkeypatch, "report3", "1")
    look = ("report3", "--table", "1", "--quick", "--jobs", "1", "--out", str(tmp_path))
    result = command(*look)
    assert result.exit_code == 0, result.output
    assert len(read_rows(tmp_path / "report3.jsonl")) == len(studies()["report3"].table("1").rows)
    assert "| fc_2 | 76.30 ± 0.40 |" in (tmp_path / "report3.md").read_text()
    again = command(*look)
    assert "All 10 rounds have rows" in again.stdout
