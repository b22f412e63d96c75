"""The results of `benchmarks.many_pictures`, in words and tables."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from benchmarks.records import KillsRecord, ManyRowsRecord, ThroughputRecord, ThroughputRow
from tools.markdown import table

TARGET = 1.15  # times the time of reading alone


def throughput(record: ThroughputRecord) -> Iterator[str]:
    """`classify` beside reading alone."""
    met = sum(row.median_ratio <= TARGET for row in record.rows)
    yield "## Many pictures"
    yield ""
    yield (
        f"{record.pictures:,} PNG files of 28x28 pixels through `pairedge classify --csv`, beside as many "
        f"processes that only read them: CPU time, median over {record.runs} in turn, by `python -m "
        f"benchmarks.many_pictures throughput`. Target: at most {TARGET} times the time of reading, with one "
        f"process and with two: {met} of {len(record.rows)} met."
    )
    yield ""
    yield from table(
        ["processes", "CPU time, as a multiple of reading alone", "pictures a second of CPU time"],
        [
            [str(row.processes), f"{row.median_ratio:.3f} x", f"{rate(record, row):,.0f}"]
            for row in record.rows
        ],
    ).splitlines()


def rate(record: ThroughputRecord, row: ThroughputRow) -> float:
    """Pictures a second of CPU time."""
    return record.pictures / median(row.cpu_seconds)


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
