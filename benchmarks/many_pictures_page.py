"""The results of `benchmarks.many_pictures`, in words and tables."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from benchmarks.records import KillsRecord, ManyRowsRecord, ThroughputRecord, ThroughputRow
from tools.markdown import table

TARGET = 1.15  # times the time of reading alone, by one process and by two
_TARGET_WAYS = ("1 process", "2 processes")
_KINDS = {"drawing": "PNG of 28x28 pixels", "photo": "JPEG of 12 megapixels"}
_COUNTS = (10**7, 10**9)
_BLOCK = 4096  # bytes: what a small file takes on most file systems
_UNITS = {"TB": 10**12, "GB": 10**9, "MB": 10**6, "kB": 10**3}


def throughput(record: ThroughputRecord) -> Iterator[str]:
    """`classify` beside reading alone."""
    bounded = [row for row in record.rows if row.kind == "drawing" and row.way in _TARGET_WAYS]
    met = sum(row.median_ratio <= TARGET for row in bounded)
    yield "## Many pictures"
    yield ""
    yield (
        "Pictures through `pairedge classify --csv`, and at the same time through as many processes that "
        "only read them: CPU time of all processes, start-up included, median of the runs, by `python -m "
        f"benchmarks.many_pictures throughput`. Target: at most {TARGET} times the time of reading the PNG "
        f"files, with one process and with two: {met} of {len(bounded)} met. What that makes for millions: "
        "[docs/scale.md](../docs/scale.md)."
    )
    yield ""
    heading = ["pictures", "n", "answered by", "runs", "CPU time, as a multiple of reading alone"]
    yield from table(
        [*heading, "pictures a second of CPU time"],
        [
            [
                _KINDS[row.kind],
                f"{row.pictures:,}",
                row.way,
                str(len(row.cpu_seconds)),
                f"{row.median_ratio:.3f} x",
                f"{rate(row):,.0f}",
            ]
            for row in record.rows
        ],
    ).splitlines()


def rate(row: ThroughputRow) -> float:
    """Pictures a second of CPU time."""
    return row.pictures / median(row.cpu_seconds)


def core_hours(record: ThroughputRecord) -> str:
    """What 10 million and a billion pictures cost at the measured rates, as a table."""
    return table(
        [
            "pictures",
            "answered by",
            "pictures a second and core",
            "their files",
            "of the time, reading",
            "10 million: core-hours",
            "a billion: core-hours",
        ],
        [
            [
                _KINDS[row.kind],
                row.way,
                f"{rate(row):,.0f}",
                size(rate(row) * row.picture_bytes / row.pictures),
                f"{100 / row.median_ratio:.0f} %",
                *(f"{count / rate(row) / 3600:,.0f}" for count in _COUNTS),
            ]
            for row in record.rows
        ],
    )


def storage(record: ThroughputRecord) -> str:
    """What 10 million and a billion pictures and their rows take on a disk, as a table."""
    kinds = {row.kind: row for row in record.rows}
    return table(
        ["pictures", "10 million: files", "rows", "a billion: files", "rows"],
        [
            [_KINDS[kind], *(size(count * each) for count in _COUNTS for each in _bytes_of_one(row))]
            for kind, row in kinds.items()
        ],
    )


def _bytes_of_one(row: ThroughputRow) -> tuple[float, float]:
    """What a picture's file and its row take on a disk, where a small file takes a block."""
    return max(row.picture_bytes / row.pictures, _BLOCK), row.row_bytes / row.pictures


def size(count: float) -> str:
    """Bytes, in the unit in which they are easily read."""
    unit, of_unit = next(each for each in _UNITS.items() if count >= 0.9995 * each[1] or each[0] == "kB")
    return f"{count / of_unit:.2g} {unit}" if count < 9.95 * of_unit else f"{count / of_unit:,.0f} {unit}"


def many_rows(record: ManyRowsRecord) -> Iterator[str]:
    """The memory of a process as its rows grow."""
    first, last = record.samples[0], record.samples[-1]
    yield "## Memory of many rows"
    yield ""
    yield (
        f"One `pairedge classify --csv` over a list of {record.rows:,} rows, nine of ten refused: it held "
        f"{first.bytes / 1e6:.1f} MB after {first.rows:,} rows and {last.bytes / 1e6:.1f} MB after "
        f"{last.rows:,}; at most {record.growth() / 1e6:.1f} MB more than at first. By `python -m "
        "benchmarks.many_pictures memory`."
    )


def kills(record: KillsRecord) -> Iterator[str]:
    """Runs that were killed and resumed."""
    yield "## Killed and resumed"
    yield ""
    yield (
        f"{record.runs} runs of `pairedge classify` over {record.rows:,} rows were killed {record.kills} "
        f"times at random moments (seed {record.seed}) and continued with `--resume`: {record.equal} of the "
        f"{record.runs} outputs are the bytes of an undisturbed run. By `python -m benchmarks.many_pictures "
        "kills`."
    )
