"""Train a study on a Dask cluster whose machines fail, and count its rows: every round once.

    python -m reliability.soak --rounds 200

Two workers train. At random moments one of them is killed and another started, one is halted for some
seconds as a straggler, or the scheduler is killed and started again at the same address, with new workers.
A row goes to artifacts/reliability/soak.jsonl.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import click

from pairedge_train.rows import read_rows
from reliability.cluster import free_address, rows_in, scheduler_at, wait_for, worker
from reliability.rows import RESULTS, SoakRow, add_to_campaign

ROWS = RESULTS / "soak.jsonl"
SEED = 20_261_121
_STUDY = """
import sys
from pathlib import Path
from pairedge_train.reports.reproduce import missing, reproduce
from reliability.short_study import jobs
reproduce(missing(jobs(int(sys.argv[3])), Path(sys.argv[1])), Path(sys.argv[1]), cluster=sys.argv[2])
"""


def soak(out: Path, rounds: int, seed: int) -> SoakRow:
    """Train so many rounds while machines fail."""
    draw, events = random.Random(seed), Counter[str]()
    address, rows = free_address(), out / "short.jsonl"
    with ExitStack() as stack:
        scheduler = stack.enter_context(scheduler_at(address))
        wait_for(address, scheduler)
        workers = [stack.enter_context(worker(address)) for _ in range(2)]
        command = [sys.executable, "-c", _STUDY, str(out), address, str(rounds)]
        study = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        while study.poll() is None:
            target = rows_in(rows) + draw.randint(2, 12)  # rows until the next failure
            while study.poll() is None and rows_in(rows) < target:
                time.sleep(0.05)
            if study.poll() is not None:
                break
            event = draw.choice(("killed", "killed", "halted", "restarted"))
            events[event] += 1
            if event == "halted":
                straggler = draw.choice(workers)
                straggler.halt()
                time.sleep(5)
                straggler.go_on()
            elif event == "killed":
                victim = draw.randrange(2)
                workers[victim].kill()
                workers[victim] = stack.enter_context(worker(address))
            else:
                scheduler.kill()
                for each in workers:
                    each.kill()
                scheduler = stack.enter_context(scheduler_at(address))
                workers = [stack.enter_context(worker(address)) for _ in range(2)]
        _, errors = study.communicate()
    if study.returncode:
        click.echo(errors, err=True)
    found = [row.seed for row in read_rows(rows)]
    return SoakRow(
        rounds=rounds,
        killed=events["killed"],
        halted=events["halted"],
        restarted=events["restarted"],
        rows=len(found),
        distinct=len(set(found)),
        finished=study.returncode == 0,
        seed=seed,
    )


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rounds", type=click.IntRange(min=1), default=200, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=SEED, show_default=True)
@click.option("--rows", type=click.Path(path_type=Path), default=ROWS, show_default=True)
def main(rounds: int, seed: int, rows: Path) -> None:
    """Train ROUNDS rounds; exit with code 1 when one has no row or two."""
    with tempfile.TemporaryDirectory(prefix="pairedge-soak-") as folder:
        row = soak(Path(folder), rounds, seed)
    add_to_campaign(row, rows)
    click.echo(row)
    if not row.sound:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
