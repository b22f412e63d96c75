"""The tables of README.md and of pages in docs/, generated from the committed rows and graphs.

python -m tools.readme README.md docs/accuracy.md docs/scale.md
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import click

import pairedge
from benchmarks import many_pictures_page
from benchmarks.records import (
    EdgeRecord,
    ParetoPoint,
    ParetoRecord,
    RoundsRecord,
    ThroughputRecord,
    read_record,
)
from pairedge_train.experiments.library import reports, studies
from pairedge_train.rendering.conditions import CONDITIONS
from pairedge_train.reports.agreement import Tally, rows_of, summary, tallies
from pairedge_train.reports.claims import evaluate_claim
from pairedge_train.reports.statistics import Summary
from pairedge_train.robustness.accuracy import mean_of_conditions, mean_of_hands
from pairedge_train.robustness.rows import read_robustness
from pairedge_train.rows import RoundRow, read_rows
from tools.markdown import replace_tables, table

ROOT = Path(__file__).parents[1]
REPORT_TITLES = {
    "report0": "Classification, weight sharing, auxiliary losses (A. Zadoks)",
    "report1": "Deep Learning Mini Project 1: Classification, weight sharing, auxiliary losses "
    "(J. Salomon, R. Caristan)",
    "report2": "Project 1 – Classification, weight sharing, auxiliary losses "  # noqa: RUF001 (as printed)
    "(M. Kriukov, F. Moiseev, S. Leserri)",
    "report3": "EE559 Project 1: Classification, Weight Sharing, Auxiliary Losses "
    "(L. Kong, J. Wu, P. H. Thong)",
    "report4": "EE-559 Deep Learning Project 1 Report (D. Celik, X. Oliva i Jürgens, N. Mainusch)",
}
_ROUNDS_TARGET = 6  # times as many an hour as the plain PyTorch baseline
_SPEED_ROWS = ("predict", "torch_one", "torch_batch", "process", "memory", "rank")


def fill(text: str, root: Path) -> str:
    """The text with every marked table made from artifacts/ and benchmarks/results/ under `root`."""
    tables = {
        "model": model_table,
        "accuracy": accuracy_table,
        "best": best_table,
        "ablation": ablation_table,
        "reports": reports_table,
        "speed": speed_table,
        "core_hours": core_hours_table,
        "storage": storage_table,
    }
    return replace_tables(text, {name: partial(make, root) for name, make in tables.items()})


def model_table(root: Path) -> str:
    """Size and time of the model that ships."""
    metadata = shipped_model(root).metadata
    [shipped] = [point for point in pareto_points(root) if point.row is None]
    return table(
        ["the model that ships", ""],
        [
            ["parameters", f"{metadata['parameters']:,}"],
            ["file", f"{shipped_graph(root).stat().st_size / 1000:.1f} kB"],
            ["one pair, one CPU thread", f"{shipped.one_pair_microseconds.p50:.0f} microseconds"],
        ],
    )


def accuracy_table(root: Path) -> str:
    """Accuracy on handwriting of the model that ships, and how well it rejects negatives."""
    metrics = shipped_model(root).metadata["metrics"]
    measured = read_robustness(root / "artifacts" / "robustness")
    conditions, hands, rejection = measured.conditions, measured.hands, measured.rejection
    system = conditions[-1].system  # the current reading and model stand last
    current = {row.condition: row for row in conditions if row.system == system}
    real = current["uci-real"]
    held_out, drawn = (rejection.mean_of_negatives(held_out=held_out) for held_out in (True, False))
    return table(
        ["handwriting", "n", "accuracy"],
        [
            ["MNIST's test digits", f"{metrics['digits']['n']:,}", percent(metrics["digits"]["accuracy"], 2)],
            [
                "all ordered pairs of these: first <= second?",
                f"{metrics['all_pairs']['n']:,}",
                percent(metrics["all_pairs"]["accuracy"], 2),
            ],
            ["scikit-learn's real 8x8 digits, never trained on", f"{real.n:,}", percent(real.accuracy)],
            [
                f"photo-like pictures of MNIST's test digits, mean of {len(CONDITIONS)} conditions",
                f"{sum(current[name].n for name in CONDITIONS):,}",
                percent(mean_of_conditions(conditions, system)),
            ],
            [
                f"digits of {len({row.condition for row in hands})} handwriting fonts, in these conditions",
                f"{sum(row.n for row in hands if row.system == system):,}",
                percent(mean_of_hands(hands, system)),
            ],
            [
                "negatives rejected: letters, symbols and shapes that training never draws",
                f"{held_out.n:,}",
                percent(held_out.rejected),
            ],
            [
                "negatives rejected: scribbles, noise, textures and blank paper, which training draws too",
                f"{drawn.n:,}",
                percent(drawn.rejected),
            ],
            [
                "MNIST's test digits rejected",
                f"{rejection.digits['mnist'].n:,}",
                percent(rejection.digits["mnist"].rejected),
            ],
        ],
    )


def best_table(root: Path) -> str:
    """A report's network, the flagship, the best ensemble and the model that ships, side by side."""
    costs = {"ships" if point.row is None else point.variant: point for point in pareto_points(root)}
    lines = []
    for study, table_name, label, name, cost in (
        (
            "report0",
            "sharing-and-losses",
            "sharing and auxiliary",
            "`twinnet_aux_ws`, report 000",
            "twinnet_aux_ws",
        ),
        ("best", "small", "from labels", "**`aux_ws`, the flagship**", "aux_ws"),
        ("best", "small", "distilled from best", "`aux_ws`, distilled from best", "aux_ws"),
        ("best", "any-size", "best", "**best**: three networks of different shapes", "best"),
    ):
        rounds = rows_of(studies()[study].table(table_name).row(label), rows_of_study(study, root))
        exact, test = (summary(rounds, statistic) for statistic in ("exact_accuracy", "test_accuracy"))
        if test is None:
            continue
        parameters = f"{rounds[0].parameters:,}"
        accuracies = [mean_and_sd(exact), mean_and_sd(test)]
        asked = studies()[study].table(table_name).rounds
        n = str(test.n) if test.n >= asked else f"{test.n} of {asked}"
        lines.append([name, "1,000 pairs", *accuracies, n, parameters, *size_and_time(costs.get(cost))])
    metadata = shipped_model(root).metadata
    accuracy = percent(metadata["metrics"]["all_pairs"]["accuracy"], 2)
    parameters = f"{metadata['parameters']:,}"
    cells = [training_tiles(metadata), accuracy, "", "1", parameters, *size_and_time(costs.get("ships"))]
    lines.append(["**`aux_ws`, ships**", *cells])
    return table(
        [
            "network",
            "trained on",
            "accuracy, all ordered test pairs",
            "accuracy, 1,000 test pairs",
            "n",
            "parameters",
            "file",
            "microseconds per pair",
        ],
        lines,
    )


def training_tiles(metadata: Mapping[str, Any]) -> str:
    """What the model that ships was trained on, and what was held out of it."""
    data = metadata["recipe"]["data"]
    if "held_out" in metadata:
        return f"all 60,000 tiles less {metadata['held_out']['digits']:,}, and rendered pictures"
    pictures = sum(data["synthetic"].values())
    return f"all 60,000 tiles and {pictures:,} rendered pictures, less {2 * data['hold_out']:,} of both"


def ablation_table(root: Path) -> str:
    """The 2x2 of weight sharing and auxiliary losses, report 000's and the flagship's, as far as trained."""
    heads = {"report0": "TwinNet, report 000's settings", "best": "the flagship's architecture and settings"}
    rows = {name: rows_of_study(name, root) for name in heads}
    tables = {name: studies()[name].table("sharing-and-losses") for name in heads}
    trained = [name for name in heads if all(rows_of(row, rows[name]) for row in tables[name].rows)]
    lines = []
    for row in tables["report0"].rows:
        printed = None if row.published is None else Summary(row.published, row.sd, 1)
        summaries = [
            summary(rows_of(tables[name].row(row.label), rows[name]), "test_accuracy") for name in trained
        ]
        cells = [cell for each in summaries if each for cell in (mean_and_sd(each), str(each.n))]
        lines.append([row.label, mean_and_sd(printed), *cells])
    heading = [cell for name in trained for cell in (heads[name], "n")]
    return table(["", "report 000 printed", *heading], lines)


def reports_table(root: Path) -> str:
    """Each report: its title, its main claim, and the verdicts on the numbers that it prints."""
    lines = []
    printed = Tally()
    for study in reports().values():
        rows = read_rows(root / "artifacts" / "reports" / f"{study.name}.jsonl")
        if not rows:
            continue
        claim = study.claims[0]
        [first, *_] = evaluate_claim(claim, study, rows)
        counts = tallies(study, rows)["printed"]
        printed += counts
        number = study.title.partition(":")[0].removeprefix("Report ")
        lines.append(
            [
                f"[{number}](artifacts/reports/{study.name}.md)",
                REPORT_TITLES[study.name],
                claim.text,
                f"**{first.verdict}**",
                *(str(count) for count in (counts.total, counts.agrees, counts.differs, counts.cannot_tell)),
                str(len(rows)),
            ]
        )
    sums = (printed.total, printed.agrees, printed.differs, printed.cannot_tell)
    lines.append(["all", "", "", "", *(str(count) for count in sums), ""])
    heads = ["report", "title", "main claim", "verdict", "numbers printed", "agree", "differ", "cannot tell"]
    return table([*heads, "rounds"], lines)


def speed_table(root: Path) -> str:
    """Measurements of the benchmarks with their targets: the ones users ask for, and all that missed."""
    results = root / "benchmarks" / "results"
    targets = read_record(results / "edge.json", EdgeRecord).targets
    rounds = read_record(results / "rounds_per_hour.json", RoundsRecord)
    lines = [
        [
            target.quantity,
            target.baseline,
            f"{target.measured:.2f} {target.unit}{' as fast' if target.higher_is_better else ''}",
            f"{'at least' if target.higher_is_better else 'at most'} {target.bound:g}",
            "met" if target.met else "**missed**",
        ]
        for target in targets
        if target.name in _SPEED_ROWS or not target.met
    ]
    lines.append(
        [
            f"rounds of `twinnet_aux_ws` per hour in a study, {rounds.workers} cores",
            "a plain PyTorch baseline",
            f"{rounds.median_ratio:.2f} x as fast",
            f"at least {_ROUNDS_TARGET}",
            "met" if rounds.median_ratio >= _ROUNDS_TARGET else "**missed**",
        ]
    )
    return table(["pairedge", "compared with", "measured", "target", ""], lines)


def core_hours_table(root: Path) -> str:
    """The time that millions of pictures take."""
    return many_pictures_page.core_hours(throughput_record(root))


def storage_table(root: Path) -> str:
    """The storage that millions of pictures take."""
    return many_pictures_page.storage(throughput_record(root))


def throughput_record(root: Path) -> ThroughputRecord:
    """The rates at which many pictures were answered."""
    return read_record(root / "benchmarks" / "results" / "many_pictures.json", ThroughputRecord)


def percent(share: float, decimals: int = 1) -> str:
    """A share, 0 to 1, in percent."""
    return f"{100 * share:.{decimals}f} %"


def mean_and_sd(result: Summary | None) -> str:
    """A mean share with its standard deviation, in percent; a dash where it was not measured."""
    if result is None:
        return "-"
    return f"{100 * result.mean:.2f}" + (" %" if result.sd is None else f" ± {100 * result.sd:.2f} %")


def size_and_time(point: ParetoPoint | None) -> list[str]:
    """A graph's size and its median time for a pair, as two cells."""
    if point is None:
        return ["-", "-"]
    return [f"{point.bytes / 1000:,.0f} kB", f"{point.one_pair_microseconds.p50:.0f}"]


def rows_of_study(name: str, root: Path) -> list[RoundRow]:
    """All rows of a study."""
    folder = "reports" if studies()[name].is_report else "best"
    return read_rows(root / "artifacts" / folder / f"{name}.jsonl")


def pareto_points(root: Path) -> list[ParetoPoint]:
    """Size and time of each exported graph; the one without a study's row is the model that ships."""
    return read_record(root / "benchmarks" / "results" / "pareto.json", ParetoRecord).points


def shipped_graph(root: Path) -> Path:
    """The pair graph of the model that ships."""
    return root / "artifacts" / "aux_ws" / "pair.onnx"


def shipped_model(root: Path) -> pairedge.PairModel:
    """The model that ships."""
    return pairedge.load(shipped_graph(root))


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("pages", nargs=-1, type=click.Path(path_type=Path, exists=True))
def main(pages: tuple[Path, ...]) -> None:
    """Update the tables in PAGES from artifacts/ and benchmarks/results/."""
    for page in pages:
        page.write_text(fill(page.read_text(), ROOT))


if __name__ == "__main__":
    main()
