"""The results of what runs without onnxruntime, in words and tables: plain C, the page, the reading in C."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.records import CRecord, EngineRow, PageRecord, ReadingRecord, ReadingRow
from tools.markdown import table


def plain_c(record: CRecord) -> Iterator[str]:
    """The C of a model beside onnxruntime, and its targets, by the slower or larger of its builds."""
    engine, *others = record.engines
    builds = [each for each in others if each.engine.removeprefix("C, ") in record.object_bytes]
    yield "## The same graph in plain C"
    yield ""
    yield (
        f"By `python -m benchmarks.plain_c`, 1 thread, compiled with `{record.flags}`; "
        "[docs/c.md](../docs/c.md) is about the C. Of several builds, the slower or larger one counts."
    )
    yield ""
    one = max(each.one_pair_microseconds.p50 for each in builds) / engine.one_pair_microseconds.p50
    batch = max(map(per_pair, builds)) / per_pair(engine)
    start, largest = record.starts[0].p50, max(record.object_bytes.values()) / 1000
    yield from table(
        ("quantity", "target", "measured", ""),
        (
            (
                quantity,
                f"<= {bound:g} {unit}",
                f"{value:.2f} {unit}",
                "met" if value <= bound else "**missed**",
            )
            for quantity, bound, value, unit in (
                ("time of one pair, of `session.run`'s", 1.0, one, "x"),
                (f"time of {record.batch:,} pairs, of `session.run`'s", 1.5, batch, "x"),
                ("a program with one answer, from start to end, p50", 5, start, "ms"),
                ("code and constants", 200, largest, "kB"),
            )
        ),
    ).splitlines()
    yield ""
    yield from c_table(record.engines, record.object_bytes, record.batch)
    yield ""
    yield from (
        f"- {row.program[0].upper()}{row.program[1:]}: {row.p50:.2f} ms from start to end, the least of "
        f"{row.n} runs {row.least:.2f} ms."
        for row in record.starts
    )
    if record.cortex_m:
        yield on_cortex_m(record.cortex_m)
    if record.int8:
        yield ""
        yield "The same in int8, beside onnxruntime's answers for the graphs in int8:"
        yield ""
        yield from c_table(record.int8.engines, record.int8.object_bytes, record.batch)
        if record.int8.cortex_m:
            yield ""
            yield on_cortex_m(record.int8.cortex_m)


def c_table(engines: Sequence[EngineRow], sizes: Mapping[str, int], batch: int) -> list[str]:
    """Onnxruntime and the builds of the C; `sizes` are bytes of code and constants, by build."""
    return table(
        (
            "engine",
            "one pair, p50",
            f"batch of {batch:,}, per pair",
            "code and constants",
            "decisions that agree with onnxruntime",
            "largest difference",
        ),
        (
            (
                re.sub(r", -.*?(?=, int8|$)", "", each.engine),
                f"{each.one_pair_microseconds.p50:.1f} us",
                "no batches" if each.batch_microseconds_per_pair is None else f"{per_pair(each):.1f} us",
                f"{size / 1000:.1f} kB" if (size := sizes.get(each.engine.removeprefix("C, "))) else "",
                f"{each.agreeing:,} of {each.decisions:,}",
                f"{each.largest_difference:.1e}",
            )
            for each in engines
        ),
    ).splitlines()


def on_cortex_m(size: Mapping[str, int]) -> str:
    """What the example for a microcontroller takes, in words."""
    flash, static, stack = (size[name] / 1000 for name in ("flash", "static_memory", "stack"))
    return (
        f"- On a Cortex-M4, [examples/c/](../examples/c/Makefile) takes {flash:.1f} kB of flash and "
        f"{static:.1f} kB of memory beside a stack of {stack:.1f} kB."
    )


def per_pair(row: EngineRow) -> float:
    """Microseconds per pair of a batch."""
    assert row.batch_microseconds_per_pair is not None
    return row.batch_microseconds_per_pair


def in_browser(record: PageRecord) -> Iterator[str]:
    """The page beside onnxruntime-web."""
    yield "## The page without a server"
    yield ""
    yield (
        f"In headless {record.browser}, by `python -m benchmarks.page_in_browser`: medians of "
        f"{len(record.reading_milliseconds)} fresh starts, in turn. The page is "
        f"{record.page_bytes / 1000:.0f} kB with its pictures, and reads a photo of 300 x 400 pixels in "
        f"{statistics.median(record.reading_milliseconds):.0f} ms."
    )
    yield ""
    yield from table(
        ("engine", "bytes", "first answer after load", "one pair", "largest difference of leq"),
        (
            (
                each.engine,
                f"{each.bytes / 1000:,.0f} kB",
                f"{statistics.median(each.first_answer_milliseconds):.0f} ms",
                f"{statistics.median(each.pair_microseconds):.0f} us",
                f"{each.largest_difference:.1e}",
            )
            for each in record.engines
        ),
    ).splitlines()


def reading(record: ReadingRecord) -> Iterator[str]:
    """How far the reading in C agrees with that in Python, and how long each takes."""
    yield "## The reading of pictures in C"
    yield ""
    yield (
        "Beside the reading in Python, by `python -m benchmarks.reading_in_c`. The same answer is a tile "
        "from both, or the same refusal; levels are those of the tiles that both read, 0 to 255."
    )
    yield ""
    yield from table(
        ("pictures", "n", "same answer", "the very same tile", "levels within 1", "C", "Python"),
        map(reading_cells, [*record.sets, every_set(record.sets)]),
    ).splitlines()


def every_set(sets: Sequence[ReadingRow]) -> ReadingRow:
    """All sets as one."""
    pictures = sum(each.pictures for each in sets)
    return ReadingRow(
        name="all",
        pictures=pictures,
        refused=sum(each.refused for each in sets),
        same_status=sum(each.same_status for each in sets),
        same_tile=sum(each.same_tile for each in sets),
        levels=sum(each.levels for each in sets),
        levels_within_one=sum(each.levels_within_one for each in sets),
        python_milliseconds=sum(each.pictures * each.python_milliseconds for each in sets) / pictures,
        c_milliseconds=sum(each.pictures * each.c_milliseconds for each in sets) / pictures,
    )


def reading_cells(each: ReadingRow) -> Iterator[str]:
    """A line of the table of readings."""
    yield each.name
    yield f"{each.pictures:,}"
    yield f"{each.same_status:,}"
    yield f"{each.same_tile:,} of {each.pictures - each.refused:,}"
    yield f"{100 * each.levels_within_one / each.levels:.3f} %"
    yield f"{each.c_milliseconds:.1f} ms"
    yield f"{each.python_milliseconds:.1f} ms"
