"""benchmarks/README.md: the results of the programs here, in words and tables, from the records in results/.

python -m benchmarks.page
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Sequence

import click

from benchmarks import many_pictures_page
from benchmarks.options import HELP
from benchmarks.records import (
    RESULTS,
    ROOT,
    CompatRecord,
    CRecord,
    DecisionRow,
    EdgeRecord,
    EngineRow,
    EnginesRecord,
    GraphAgreement,
    KillsRecord,
    Machine,
    ManyRowsRecord,
    PageRecord,
    PrecisionRecord,
    PrecisionRow,
    ReadingRecord,
    ReadingRow,
    ServerRow,
    ServersRecord,
    SoakRecord,
    ThroughputRecord,
    read_record,
)
from pairedge_train.files import write_atomically

PAGE = ROOT / "benchmarks" / "README.md"


def page() -> str:
    """The whole page."""
    edge_record = read_record(RESULTS / "edge.json", EdgeRecord)
    engines_record = read_record(RESULTS / "engines.json", EnginesRecord)
    precision_record = read_record(RESULTS / "precision.json", PrecisionRecord)
    compat_record = read_record(RESULTS / "compat.json", CompatRecord)
    servers_record = read_record(RESULTS / "servers.json", ServersRecord)
    soak_record = read_record(RESULTS / "soak.json", SoakRecord)
    page_record = read_record(RESULTS / "page_in_browser.json", PageRecord)
    reading_record = read_record(RESULTS / "reading_in_c.json", ReadingRecord)
    c_record = read_record(RESULTS / "plain_c.json", CRecord)
    lines = [
        "# Benchmarks",
        "",
        "Written by `make benchmark-page` from the raw figures in `results/`. What is compared was "
        "measured in one run, in turn; trust the ratios.",
        *section("edge", edge_record.machine, edge(edge_record)),
        *section("engines", engines_record.machine, engines(engines_record)),
        *section("plain_c", c_record.machine, plain_c(c_record)),
        *section("precision", precision_record.machine, precision(precision_record)),
        *section("page_in_browser", page_record.machine, in_browser(page_record)),
        *section("reading_in_c", reading_record.machine, reading(reading_record)),
        *section("compat", compat_record.machine, compat(compat_record)),
        *section("servers", servers_record.machine, servers(servers_record)),
        *section("soak", soak_record.machine, soak(soak_record)),
        *many_pictures(),
    ]
    return "\n".join(lines) + "\n"


def many_pictures() -> Iterator[str]:
    """The sections on many pictures: of those measurements, each of many minutes, that were made."""
    if (RESULTS / "many_pictures.json").exists():
        throughput = read_record(RESULTS / "many_pictures.json", ThroughputRecord)
        yield from section("many_pictures", throughput.machine, many_pictures_page.throughput(throughput))
    if (RESULTS / "many_rows.json").exists():
        rows = read_record(RESULTS / "many_rows.json", ManyRowsRecord)
        yield from section("many_rows", rows.machine, many_pictures_page.many_rows(rows))
    kills = read_record(RESULTS / "many_kills.json", KillsRecord)
    yield from section("many_kills", kills.machine, many_pictures_page.kills(kills))


def section(name: str, machine: Machine, lines: Iterable[str]) -> Iterator[str]:
    """The lines of one result, with where it was measured and kept."""
    yield ""
    yield from lines
    yield ""
    yield f"*{described(machine)}; `results/{name}.json`.*"


def described(machine: Machine) -> str:
    """A machine in a line."""
    packages = ("python", "onnxruntime", "numpy", "pillow", "pairedge")
    versions = ", ".join(f"{name} {machine[name]}" for name in packages if name in machine)
    return f"{machine['cpu']}, {machine['cores']} cores, {versions}"


def table(heading: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Lines of a Markdown table."""
    cells = list(heading)
    yield row(cells)
    yield row("---" for _ in cells)
    yield from map(row, rows)


def row(cells: Iterable[str]) -> str:
    """One line of a table."""
    return f"| {' | '.join(cells)} |"


def edge(record: EdgeRecord) -> Iterator[str]:
    """The targets on a device."""
    met = sum(target.met for target in record.targets)
    yield f"## Targets: {met} of {len(record.targets)} met"
    yield ""
    yield (
        f"Of `{record.model['variant']}`, by `python -m benchmarks.edge`; x is the ratio to the baseline. "
        "The floor is the imports and a session of a graph that only copies its input: no program that runs "
        "onnxruntime goes below it."
    )
    yield ""
    yield from table(
        ("quantity", "baseline", "target", "floor", "measured", ""),
        (
            (
                target.quantity,
                target.baseline,
                f"{'>=' if target.higher_is_better else '<='} {target.bound:g} {target.unit}",
                "" if target.floor is None else f"{target.floor:.2f} {target.unit}",
                f"{target.measured:.2f} {target.unit}",
                "met" if target.met else "**missed**",
            )
            for target in record.targets
        ),
    )


def engines(record: EnginesRecord) -> Iterator[str]:
    """The engines beside each other, and which is the fastest."""
    compared = [each for each in record.engines if each.decisions]
    yield "## The same graph in other inference engines"
    yield ""
    threads = f"{record.threads} thread{'' if record.threads == 1 else 's'}"
    yield f"{verdict(compared, record.batch)} By `python -m benchmarks.engines`, {threads}."
    yield ""
    yield from table(
        (
            "engine",
            "one pair, p50",
            f"batch of {record.batch:,}, per pair",
            "decisions that agree with onnxruntime",
        ),
        (
            (
                each.engine,
                f"{each.one_pair_microseconds.p50:.1f} us",
                "no batches"
                if each.batch_microseconds_per_pair is None
                else f"{each.batch_microseconds_per_pair:.1f} us",
                f"{each.agreeing:,} of {each.decisions:,}" if each.decisions else "",
            )
            for each in record.engines
        ),
    )


def verdict(engines: list[EngineRow], batch: int) -> str:
    """Which engine is the fastest for one pair, which for many, and by how much, in a sentence."""
    parts = []
    for workload, times in (
        ("one pair", {each.engine: each.one_pair_microseconds.p50 for each in engines}),
        (
            f"{batch:,} pairs",
            {each.engine: time for each in engines if (time := each.batch_microseconds_per_pair)},
        ),
    ):
        first, *others = sorted(times, key=lambda name: times[name])
        if others:
            ratio = times[others[0]] / times[first]
            parts.append(f"for {workload} {first} is the fastest, {ratio:.2f} times as fast as {others[0]}")
    return f"On this CPU, {' and '.join(parts)}." if parts else ""


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
    )
    yield ""
    yield from table(
        (
            "engine",
            "one pair, p50",
            f"batch of {record.batch:,}, per pair",
            "code and constants",
            "decisions that agree with onnxruntime",
            "largest difference",
        ),
        (
            (
                each.engine.split(", -")[0],
                f"{each.one_pair_microseconds.p50:.1f} us",
                "no batches" if each.batch_microseconds_per_pair is None else f"{per_pair(each):.1f} us",
                f"{size / 1000:.1f} kB" if (size := record.object_bytes.get(each.engine[3:])) else "",
                f"{each.agreeing:,} of {each.decisions:,}",
                f"{each.largest_difference:.1e}",
            )
            for each in record.engines
        ),
    )
    yield ""
    yield from (
        f"- {row.program[0].upper()}{row.program[1:]}: {row.p50:.2f} ms from start to end, the least of "
        f"{row.n} runs {row.least:.2f} ms."
        for row in record.starts
    )
    if record.cortex_m:
        flash, static, stack = (record.cortex_m[name] / 1000 for name in ("flash", "static_memory", "stack"))
        yield (
            f"- On a Cortex-M4, [examples/c/](../examples/c/Makefile) takes {flash:.1f} kB of flash and "
            f"{static:.1f} kB of memory beside a stack of {stack:.1f} kB."
        )


def per_pair(row: EngineRow) -> float:
    """Microseconds per pair of a batch."""
    assert row.batch_microseconds_per_pair is not None
    return row.batch_microseconds_per_pair


def precision(record: PrecisionRecord) -> Iterator[str]:
    """fp32, fp16 and int8 beside each other, and whether reduced precision is worth it."""
    criterion = record.criterion
    yield "## Reduced precision"
    yield ""
    yield (
        f"{advice(record.precisions)} Acceptance criterion: in every graph, at least "
        f"{100 * criterion.min_agreement:g} % of the decisions agree with fp32's, and accuracy falls by "
        f"{100 * criterion.max_accuracy_loss:g} percentage points at most. "
        "By `python -m benchmarks.precision`."
    )
    yield ""
    yield from table(
        (
            "",
            "digit accuracy",
            "comparison accuracy",
            "agreement with fp32",
            "pair.onnx",
            "one pair, p50",
            f"batch of {record.batch:,}, per pair",
        ),
        (
            (
                each.precision,
                f"{100 * digits.accuracy:.2f} % of {digits.n:,}",
                f"{100 * pairs.accuracy:.2f} % of {pairs.n:,}",
                f"{100 * min(digits.agreement, pairs.agreement):.2f} %",
                f"{each.bytes['pair'] / 1000:.1f} kB",
                f"{each.one_pair_microseconds.p50:.1f} us",
                f"{each.batch_microseconds_per_pair:.1f} us",
            )
            for each in record.precisions
            for digits, pairs in [of_pair_graph(each)]
        ),
    )


def of_pair_graph(row: PrecisionRow) -> tuple[DecisionRow, DecisionRow]:
    """How the pair graph's digits and comparisons differ from fp32's."""
    by_decision = {change.decision: change for change in row.changes if change.graph == "pair"}
    return by_decision["digits"], by_decision["comparisons"]


def advice(precisions: list[PrecisionRow]) -> str:
    """Whether reduced precision is worth it here, by these figures."""
    fp32, *others = precisions
    sentences = []
    for each in others:
        ratio = each.one_pair_microseconds.p50 / fp32.one_pair_microseconds.p50
        size = each.bytes["pair"] / fp32.bytes["pair"]
        accepted = "meets" if each.accepted else "fails"
        sentences.append(
            f"{each.precision} takes {ratio:.2f} times as long for one pair at {size:.2f} of the size, and "
            f"{accepted} the acceptance criterion"
        )
    useful = [
        each.precision
        for each in others
        if each.accepted and each.one_pair_microseconds.p50 < fp32.one_pair_microseconds.p50
    ]
    end = (
        f"{' and '.join(useful)} may pay on this CPU"
        if useful
        else "for one pair neither pays, except in size"
    )
    return f"{'; '.join(sentences)}: {end}."


def servers(record: ServersRecord) -> Iterator[str]:
    """Pairedge's server beside others, and how far it leads."""
    loads = [(load.encoding, load.connections) for load in record.servers[0].loads]
    yield "## Servers"
    yield ""
    yield (
        f"{server_verdict(record)} The figures are requests per second, each for one pair: medians of "
        f"{record.passes} passes in turn, {record.seconds:g} seconds each, the client on the same cores, "
        "by `python -m benchmarks.servers`. A missing one is of an encoding that the server does not have."
    )
    yield ""
    yield from table(
        ("server", "version", *(f"{name}, {count}" for name, count in loads), "peak memory"),
        (
            (
                server.server,
                server.version,
                *(f"{rates[load]:,.0f}" if load in rates else "" for load in loads),
                f"{server.peak_bytes / 1e6:.0f} MB",
            )
            for server in record.servers
            for rates in [rates_of(server)]
        ),
    )


def rates_of(server: ServerRow) -> dict[tuple[str, int], float]:
    """Requests per second of a server, by encoding and connections."""
    return {(load.encoding, load.connections): load.median_requests_per_second for load in server.loads}


def server_verdict(record: ServersRecord) -> str:
    """How pairedge's server compares with each other one, in sentences."""
    ours, *others = record.servers
    answers = sum(load.answers for load in ours.loads)
    wrong = sum(load.wrong + sum(load.failures.values()) for load in ours.loads)
    sentences = []
    for other in others:
        rates = rates_of(other)
        ratios = [rate / rates[load] for load, rate in rates_of(ours).items() if load in rates]
        sentences.append(f"{min(ratios):.1f} to {max(ratios):.1f} times as many as {other.server}")
    return (
        f"{ours.server} answers {'; '.join(sentences)}. Of its {answers:,} answers, {wrong:,} failed or were "
        "wrong."
    )


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
    )


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
    )


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


def soak(record: SoakRecord) -> Iterator[str]:
    """Pairedge's server under everything at once."""
    asked = sum(sum(counts.values()) for counts in record.statuses.values())
    yield "## A server under everything at once"
    yield ""
    yield (
        f"{record.connections} connections sent {asked:,} good, bad, huge and slow requests in "
        f"{record.seconds / 60:g} minutes, and left in the middle of some: {len(record.wrong)} wrong answers "
        f"and {record.server_errors} answers of 5xx other than 503. The least memory of the server was "
        f"{record.second_quarter_bytes / 1e6:.1f} MB in the second quarter of the time and "
        f"{record.last_quarter_bytes / 1e6:.1f} MB in the last; the most, with large pictures and bodies at "
        f"work, {record.peak_bytes / 1e6:.0f} MB. By `python -m benchmarks.soak`. Dropped are connections "
        "that ended without an answer: the client left, was too slow, or came back to an idle one too late."
    )
    yield ""
    yield from table(
        ("requests", "sent", "answers by status"),
        (
            (
                kind,
                f"{sum(counts.values()):,}",
                ", ".join(f"{status}: {count:,}" for status, count in counts.items()),
            )
            for kind, counts in record.statuses.items()
        ),
    )


def compat(record: CompatRecord) -> Iterator[str]:
    """In which engines every graph loads and agrees."""
    yield "## Old and new engines"
    yield ""
    yield (
        f"By `make compat`: {len(record.engines[0].graphs)} graphs, those in artifacts/ and one with random "
        "weights of each family of variants, each engine in an environment of its own. Tolerance: "
        f"{record.tolerance:g}."
    )
    yield ""
    yield from table(
        ("engine", "graphs that load", "largest difference", "decisions that differ"),
        (
            (
                each.engine,
                f"{len(loaded)} of {len(each.graphs)}",
                f"{max(graph.largest_difference for graph in loaded):.1e}",
                f"{sum(graph.decisions_differ for graph in loaded)} of "
                f"{sum(graph.decisions for graph in loaded):,}",
            )
            for each in record.engines
            for loaded in [[graph for graph in each.graphs.values() if isinstance(graph, GraphAgreement)]]
        ),
    )


@click.command(context_settings=HELP)
def main() -> None:
    """Update benchmarks/README.md from benchmarks/results/."""
    write_atomically(PAGE, page().encode())


if __name__ == "__main__":
    main()
