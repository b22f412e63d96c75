"""Many pictures: `pairedge classify` beside reading them alone, its memory, and its output after kills.

python -m benchmarks.many_pictures throughput    (needs MNIST: PAIREDGE_DATA)
python -m benchmarks.many_pictures memory        (Linux: memory is read from /proc)
python -m benchmarks.many_pictures kills

Each writes its figures to results/. With --quick, it only checks that it runs.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import click
from PIL import Image

from benchmarks.options import HELP, quick_option
from benchmarks.records import (
    ROOT,
    KillsRecord,
    ManyRowsRecord,
    ManyRowsSample,
    keep,
)
from benchmarks.throughput import CLASSIFY, throughput
from pairedge.bench import machine

EXAMPLE = str(ROOT / "examples" / "eight.png")  # 28x28 pixels

LONGEST_LIFE = 2.0  # seconds until a run is killed, about as long as it takes to start
MOST_BYTES = 30_000  # of output until a run is killed, some hundred rows


@click.group(context_settings=HELP)
def main() -> None:
    """Measure `pairedge classify` on many pictures."""


main.add_command(throughput)


@main.command()
@quick_option
def memory(quick: bool) -> None:
    """A list of 1,000,000 rows, nine of ten refused, through `classify`: its memory as its rows grow."""
    count = 3_000 if quick else 1_000_000
    sizes: list[tuple[int, int]] = []  # of the output, and of the memory
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        output, part = folder / "out.csv", folder / "out.csv.part"
        Image.new("L", (20, 20), 255).save(folder / "blank.png")
        with (folder / "list").open("w") as file:
            for number in range(count):
                file.write(f"{EXAMPLE if number % 10 == 0 else folder / 'blank.png'}\n")
        start = time.perf_counter()
        command = [*CLASSIFY, "--from", str(folder / "list"), "-o", str(output)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None:
                time.sleep(0.1)
                with suppress(OSError):  # before the first row, and after the last
                    sizes.append((part.stat().st_size, resident_bytes(process.pid)))
        seconds = time.perf_counter() - start
        with output.open() as file:
            assert sum(1 for _ in file) == count + 1
        row_bytes = output.stat().st_size / (count + 1)
    measured = [ManyRowsSample(rows=round(size / row_bytes), bytes=held) for size, held in sizes]
    first = next(number for number, sample in enumerate(measured) if sample.rows >= count // 100)
    samples = measured[first :: max(1, (len(measured) - first) // 200)]
    record = ManyRowsRecord(machine=machine(), rows=count, seconds=seconds, samples=samples)
    click.echo(f"{record.growth() / 1e6:.2f} MB from {samples[0].rows:,} rows to {samples[-1].rows:,}")
    if not quick:
        keep("many_rows", record)


@main.command()
@quick_option
def kills(quick: bool) -> None:
    """Runs killed at 50 random moments and resumed until they are complete, beside undisturbed ones."""
    needed, rows = (2, 400) if quick else (50, 4_000)
    record = kill_and_resume(needed, rows, seed=0)
    click.echo(
        f"{record.kills} kills in {record.runs} runs; {record.equal} of the {record.runs} outputs are equal "
        "to the undisturbed one"
    )
    if not quick:
        keep("many_kills", record)
    if record.equal < record.runs:
        raise SystemExit(1)


def kill_and_resume(needed: int, rows: int, seed: int) -> KillsRecord:
    """Kill runs until so many kills have hit one, each resumed until it is complete.

    Every run has pictures that are refused, ids, and a list as long as `rows`; runs take turns with one
    process and two, CSV and JSON.
    """
    randomness = random.Random(seed)
    kills = runs = equal = 0
    kept: list[int] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        listed = write_list(folder, rows)
        while kills < needed:
            suffix, jobs = (("csv", "1"), ("csv", "2"), ("jsonl", "1"))[runs % 3]
            options = ["--from", str(listed), "--jobs", jobs]
            command = [sys.executable, "-m", "pairedge", "classify", *options]
            whole, torn = folder / f"whole.{suffix}", folder / f"torn.{suffix}"
            if not whole.exists():
                subprocess.run([*command, "-o", whole], stderr=subprocess.DEVNULL, check=False)
            torn.unlink(missing_ok=True)
            part = Path(f"{torn}.part")
            while not torn.exists():
                process = subprocess.Popen([*command, "-o", torn, "--resume"], stderr=subprocess.DEVNULL)
                before = part.stat().st_size if part.exists() else 0
                if kills < needed and wait_for_growth(process, part, before, randomness):
                    process.kill()
                    kills += 1
                    process.wait()
                    kept.append(part.stat().st_size if part.exists() else 0)
                process.wait()
            runs += 1
            equal += torn.read_bytes() == whole.read_bytes()
    return KillsRecord(
        machine=machine(), rows=rows, seed=seed, kills=kills, runs=runs, equal=equal, kept=kept
    )


def wait_for_growth(
    process: subprocess.Popen[bytes], part: Path, before: int, randomness: random.Random
) -> bool:
    """Wait for a random moment: one time in five after the start, else after so many bytes of output.

    Returns:
        Whether the process still runs.
    """
    early = randomness.random() < 0.2
    deadline = time.monotonic() + (randomness.uniform(0, LONGEST_LIFE) if early else 600)
    target = before + (10**9 if early else randomness.randint(1, MOST_BYTES))
    while process.poll() is None:
        if time.monotonic() > deadline or (part.exists() and part.stat().st_size >= target):
            return True
        time.sleep(0.0005)
    return False


def write_list(folder: Path, rows: int) -> Path:
    """A list with ids, in which every seventh picture is refused."""
    (folder / "no picture, but a name\nin two lines.png").write_bytes(b"no picture")
    names = [EXAMPLE] * 6 + [str(folder / "no picture, but a name\nin two lines.png")]
    listed = folder / "list.jsonl"
    with listed.open("w") as file:
        for number in range(rows):
            file.write(json.dumps({"picture": names[number % 7], "id": number}) + "\n")
    return listed


def resident_bytes(process: int) -> int:
    """The memory that a process holds now."""
    pages = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
