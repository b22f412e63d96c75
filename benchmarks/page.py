"""benchmarks/README.md: the results of the programs here, in words and tables, from the records in results/.

python -m benchmarks.page
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click

from benchmarks import many_pictures_page, portable_page, servers_page
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
    ServersRecord,
    SoakRecord,
    ThroughputRecord,
    read_record,
)
from pairedge_train.files import write_atomically
from tools.markdown import table

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
        *section("plain_c", c_record.machine, portable_page.plain_c(c_record)),
        *section("precision", precision_record.machine, precision(precision_record)),
        *section("page_in_browser", page_record.machine, portable_page.in_browser(page_record)),
        *section("reading_in_c", reading_record.machine, portable_page.reading(reading_record)),
        *section("compat", compat_record.machine, compat(compat_record)),
        *section("servers", servers_record.machine, servers_page.servers(servers_record)),
        *section("soak", soak_record.machine, servers_page.soak(soak_record)),
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
    ).splitlines()


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
    ).splitlines()


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
    ).splitlines()


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
    ).splitlines()


@click.command(context_settings=HELP)
def main() -> None:
    """Update benchmarks/README.md from benchmarks/results/."""
    write_atomically(PAGE, page().encode())


if __name__ == "__main__":
    main()
