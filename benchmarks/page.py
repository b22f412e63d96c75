"""benchmarks/README.md: what the programs here found, in words and tables, from the figures in results/.

python benchmarks/page.py
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from side_by_side import RESULTS, ROOT

from pairedge_train.files import write_atomically

PAGE = ROOT / "benchmarks" / "README.md"
Found = dict[str, Any]


def page() -> str:
    """The whole page; a section for each result that is there."""
    sections = {
        "edge": edge,
        "engines": engines,
        "precision": precision,
        "compat": compat,
    }
    lines = [
        "# What it costs",
        "",
        "Written by `make benchmark-page` from the raw figures in [results/](results/). What is compared was "
        "measured in one run, in turn; trust the ratios.",
    ]
    for name, section in sections.items():
        path = RESULTS / f"{name}.json"
        if path.exists():
            found = json.loads(path.read_text())
            lines += ["", *section(found), "", f"*{described(found['machine'])}; `results/{name}.json`.*"]
    return "\n".join(lines) + "\n"


def described(machine: Found) -> str:
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


def edge(found: Found) -> Iterator[str]:
    """The targets of the edge."""
    met = sum(target["met"] for target in found["targets"])
    yield f"## Targets: {met} of {len(found['targets'])} met"
    yield ""
    yield (
        f"Of `{found['model']['variant']}`, by `python benchmarks/edge.py`. The floor is the imports and a "
        "session of a graph that only copies: no program that answers with onnxruntime goes below it."
    )
    yield ""
    yield from table(
        ("what", "against", "target", "floor", "found", ""),
        (
            (
                target["what"],
                target["against"],
                f"{'>=' if target['least'] else '<='} {target['bound']:g} {target['unit']}",
                f"{target['floor']:.2f} {target['unit']}" if "floor" in target else "",
                f"{target['found']:.2f} {target['unit']}",
                "met" if target["met"] else "**missed**",
            )
            for target in found["targets"]
        ),
    )


def engines(found: Found) -> Iterator[str]:
    """The engines beside each other, and which is best."""
    judged = [each for each in found["engines"] if each["decisions"]]
    yield "## The same graph in other engines"
    yield ""
    yield f"{verdict(judged, found['batch'])} `python benchmarks/engines.py`, {found['threads']} thread."
    yield ""
    yield from table(
        ("engine", "one pair, p50", f"batch {found['batch']:,}, per pair", "decisions as onnxruntime's"),
        (
            (
                each["engine"],
                f"{each['one_pair_microseconds']['p50']:.1f} us",
                "one by one only" if batch is None else f"{batch:.1f} us",
                f"{each['agreeing']:,} of {each['decisions']:,}" if each["decisions"] else "",
            )
            for each in found["engines"]
            for batch in [each["batch_microseconds_per_pair"]]
        ),
    )


def verdict(judged: list[Found], batch: int) -> str:
    """Which engine is best for one pair, which for many, and by how much, in a sentence."""
    parts = []
    for what, times in (
        ("one pair", {each["engine"]: each["one_pair_microseconds"]["p50"] for each in judged}),
        (
            f"{batch:,} pairs",
            {each["engine"]: time for each in judged if (time := each["batch_microseconds_per_pair"])},
        ),
    ):
        first, *others = sorted(times, key=lambda name: times[name])
        if others:
            ratio = times[others[0]] / times[first]
            parts.append(f"for {what} {first} is the fastest, {ratio:.2f} times as fast as {others[0]}")
    return f"On this CPU, {' and '.join(parts)}." if parts else ""


def precision(found: Found) -> Iterator[str]:
    """fp32, fp16 and int8 beside each other, and whether fewer bits are worth it."""
    yield "## Fewer bits"
    yield ""
    yield f"{advice(found)} `python benchmarks/precision.py`."
    yield ""
    yield from table(
        (
            "",
            "digits right",
            "comparisons right",
            "as fp32's",
            "pair.onnx",
            "one pair, p50",
            f"batch {found['batch']:,}",
        ),
        (
            (
                each["precision"],
                f"{100 * digits['accuracy']:.2f} % of {digits['n']:,}",
                f"{100 * pairs['accuracy']:.2f} % of {pairs['n']:,}",
                f"{100 * min(digits['agreement'], pairs['agreement']):.2f} %",
                f"{each['bytes']['pair'] / 1000:.1f} kB",
                f"{each['one_pair_microseconds']['p50']:.1f} us",
                f"{each['batch_microseconds_per_pair']:.1f} us",
            )
            for each in found["precisions"]
            for digits, pairs in [of_pair_graph(each)]
        ),
    )


def of_pair_graph(each: Found) -> tuple[Found, Found]:
    """The changes of a pair graph's digits and comparisons."""
    by_decision = {change["decision"]: change for change in each["changes"] if change["graph"] == "pair"}
    return by_decision["digits"], by_decision["comparisons"]


def advice(found: Found) -> str:
    """Whether anyone should use fewer bits here, by these figures."""
    fp32, *others = found["precisions"]
    sentences = []
    for each in others:
        ratio = each["one_pair_microseconds"]["p50"] / fp32["one_pair_microseconds"]["p50"]
        size = each["bytes"]["pair"] / fp32["bytes"]["pair"]
        kept = "keeps" if each["promise_kept"] else "breaks"
        sentences.append(
            f"{each['precision']} takes {ratio:.2f} times as long for one pair, {size:.2f} of the size, and "
            f"{kept} its promise"
        )
    useful = [
        each["precision"]
        for each in others
        if each["promise_kept"]
        and each["one_pair_microseconds"]["p50"] < fp32["one_pair_microseconds"]["p50"]
    ]
    end = (
        f"{' and '.join(useful)} may pay on this CPU" if useful else "for one pair neither pays but in bytes"
    )
    return f"{'; '.join(sentences)}: {end}."


def compat(found: Found) -> Iterator[str]:
    """Where every graph loads and agrees."""
    yield "## Engines old and new"
    yield ""
    graphs = found["engines"][0]["graphs"]
    yield (
        f"`make compat`: {len(graphs)} graphs, of what artifacts/ holds and of one fresh variant of each "
        f"family, each environment made anew; a difference may be {found['tolerance']:g}."
    )
    yield ""
    yield from table(
        ("engine", "graphs that load", "largest difference", "decisions that differ"),
        (
            (
                each["engine"],
                f"{sum('error' not in graph for graph in each['graphs'].values())} of {len(each['graphs'])}",
                f"{max(graph['largest_difference'] for graph in each['graphs'].values()):.1e}",
                f"{sum(graph['decisions_differ'] for graph in each['graphs'].values())} of "
                f"{sum(graph['decisions'] for graph in each['graphs'].values()):,}",
            )
            for each in found["engines"]
        ),
    )


if __name__ == "__main__":
    write_atomically(PAGE, page().encode())
