"""`pairedge classify` on many pictures, by processes and by a Dask cluster, beside only reading them.

The unit is CPU time, user and system, of all processes together: it is what many pictures cost, and it counts
also where other programs keep the cores busy. They make it longer, as caches are shared; so what is compared
runs at the same time.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import get_args

import click
import numpy as np
from PIL import Image

from benchmarks.options import quick_option
from benchmarks.records import RESULTS, PictureKind, ThroughputRecord, ThroughputRow, Way, keep, read_record
from pairedge.bench import machine
from pairedge_train.rendering.pen_digits import Look, draw_digit
from reliability.cluster import free_address, scheduler_at, wait_for, worker

CLASSIFY = [sys.executable, "-m", "pairedge", "classify", "--csv"]

# What no program that answers for pictures goes below: the same processes, which only read them.
READ = """
import multiprocessing, sys, warnings
from pairedge.image import to_tile

def read(paths):
    warnings.simplefilter("ignore")
    for path in paths:
        to_tile(path)

if __name__ == "__main__":
    paths = open(sys.argv[1]).read().splitlines()
    jobs = int(sys.argv[2])
    parts = [paths[place::jobs] for place in range(jobs)]
    if jobs == 1:
        read(paths)
    else:
        processes = [multiprocessing.get_context("spawn").Process(target=read, args=[part]) for part in parts]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
"""
PLAN: dict[PictureKind, list[Way]] = {
    "drawing": ["1 process", "2 processes", "2 Dask workers"],
    "photo": ["1 process"],
}
PHOTO_SIDES = (3000, 4000)  # pixels: 12 megapixels, as a phone's
PHOTOS = 10  # different ones, in turn
ONE_PHOTO_FOR = 400  # drawings, which take as long to read


@click.command()
@click.option("--pictures", type=click.IntRange(1, 60_000), default=20_000, show_default=True)
@click.option("--runs", type=click.IntRange(1), default=3, show_default=True)
@click.option(
    "--way", "ways", multiple=True, type=click.Choice(get_args(Way)), help="Measure this way; others stay."
)
@quick_option
def throughput(pictures: int, runs: int, ways: tuple[Way, ...], quick: bool) -> None:
    """CPU time of `classify` by one process, by two and by a Dask cluster, beside only reading. For Linux."""
    pictures, runs = (200, 1) if quick else (pictures, runs)
    with tempfile.TemporaryDirectory() as folder:
        for kind, of_kind in PLAN.items():
            paths: list[Path] = []
            for way in of_kind:
                if ways and way not in ways:
                    continue
                paths = paths or write(kind, Path(folder, kind), pictures)
                row = measure(kind, way, paths, runs)
                click.echo(f"{kind}s, {way}: {row.median_ratio:.3f} x reading alone")
                if not quick:
                    keep_row(row)


def measure(kind: PictureKind, way: Way, paths: list[Path], runs: int) -> ThroughputRow:
    """Answer pictures in one way and only read them, at the same time."""
    jobs = way.partition(" ")[0]
    with tempfile.TemporaryDirectory() as name, workers(way) as (options, cluster):
        listed, output, program = (Path(name, each) for each in ("list", "out.csv", "read.py"))
        listed.write_text("".join(f"{path}\n" for path in paths))
        program.write_text(READ)
        read = [sys.executable, str(program), str(listed), jobs]
        classify = [*CLASSIFY, "--from", str(listed), "-o", str(output), *options]
        seconds = [cpu_seconds(classify, read, cluster) for _ in range(runs)]
        return ThroughputRow(
            kind=kind,
            way=way,
            pictures=len(paths),
            picture_bytes=sum(path.stat().st_size for path in paths),
            row_bytes=output.stat().st_size,
            median_ratio=statistics.median(ours / reading for ours, reading in seconds),
            cpu_seconds=[ours for ours, _ in seconds],
            reading_cpu_seconds=[reading for _, reading in seconds],
        )


def keep_row(row: ThroughputRow) -> None:
    """Put a row in the place of the one that was measured before; the others stay."""
    path = RESULTS / "many_pictures.json"
    others = read_record(path, ThroughputRecord).rows if path.exists() else []
    rows = [other for other in others if (other.kind, other.way) != (row.kind, row.way)] + [row]
    rows.sort(key=lambda each: (each.kind, get_args(Way).index(each.way)))
    keep("many_pictures", ThroughputRecord(machine=machine(), rows=rows))


def cpu_seconds(classify: list[str], read: list[str], cluster: Sequence[int]) -> tuple[float, float]:
    """The CPU time of two commands and what they start, run at once; of the first, a cluster's, too."""
    before = sum(map(cpu_seconds_so_far, cluster))
    processes = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for command in (classify, read)]
    answering, reading = map(cpu_seconds_until_end, processes)
    return answering + sum(map(cpu_seconds_so_far, cluster)) - before, reading


def cpu_seconds_until_end(process: subprocess.Popen[bytes]) -> float:
    """Wait for a process; the CPU time that it and those that it waited for have taken."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return usage.ru_utime + usage.ru_stime


def cpu_seconds_so_far(process: int) -> float:
    """The CPU time of a running process, user and system, since its start."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def workers(way: Way) -> Iterator[tuple[list[str], list[int]]]:
    """The options by which `classify` answers so, and the processes for that which run already."""
    if way != "2 Dask workers":
        yield ["--jobs", way.partition(" ")[0]], []
        return
    from distributed import Client

    address = free_address()
    with ExitStack() as stack:
        scheduler = stack.enter_context(scheduler_at(address))
        wait_for(address, scheduler)
        cluster = [scheduler, *(stack.enter_context(worker(address)) for _ in range(2))]
        with Client(address) as client:  # type: ignore[no-untyped-call]  # it has no types
            client.wait_for_workers(2)
        yield ["--dask", address], [each.process.pid for each in cluster]


def write(kind: PictureKind, folder: Path, drawings: int) -> list[Path]:
    """Write so many drawings, or photos that take about as long to read."""
    folder.mkdir()
    return (
        write_drawings(folder, drawings)
        if kind == "drawing"
        else write_photos(folder, max(1, drawings // ONE_PHOTO_FOR))
    )


def write_drawings(folder: Path, count: int) -> list[Path]:
    """Write so many of MNIST's training digits as PNG files, 28x28 pixels."""
    raw = Path(os.environ["PAIREDGE_DATA"]) / "MNIST" / "raw" / "train-images-idx3-ubyte"
    digits = np.fromfile(raw, np.uint8, count * 28 * 28, offset=16).reshape(count, 28, 28)
    paths = [folder / f"{number:05}.png" for number in range(count)]
    for path, digit in zip(paths, digits, strict=True):
        Image.fromarray(digit).save(path)
    return paths


def write_photos(folder: Path, count: int) -> list[Path]:
    """Write photos, digits in uneven light with a camera's noise, as JPEG files; so many paths, in turn."""
    randomness = np.random.default_rng(0)
    paths = [folder / f"{number}.jpg" for number in range(PHOTOS)]
    width, height = PHOTO_SIDES
    light = np.linspace(0.55, 1, height, dtype=np.float32)[:, None, None]
    for digit, path in enumerate(paths):
        paper = draw_digit(digit, Look(size=(width // 4, height // 4), height=0.5)).resize(PHOTO_SIDES)
        noise = randomness.normal(0, 3, (height, width, 1)).astype(np.float32)
        levels = np.asarray(paper, np.float32) * light + noise
        Image.fromarray(levels.clip(0, 255).astype(np.uint8)).save(path, quality=90)
    return list(islice(cycle(paths), count))
