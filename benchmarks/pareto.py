"""Latency against accuracy of every variant whose rounds are committed, and the front that none is beyond.

python benchmarks/pareto.py [--quick | --draw]

Accuracy is the mean test accuracy of the variant's best row in the studies under artifacts/reports; latency
is the median of one pair on one thread, of a graph with fresh weights, which take as long as trained ones.
All graphs take turns. The model that ships stands beside them with its own accuracy; it learned from all
training tiles, where most studies have 1,000 pairs. --draw draws the kept figures again.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from fresh_graphs import fresh_graphs
from matplotlib import rc_context
from matplotlib.figure import Figure
from side_by_side import RESULTS, ROOT, keep

import pairedge
from pairedge.bench import interleaved, percentiles
from pairedge.inspection import accuracies
from pairedge.model import PairModel, shipped_graph
from pairedge_train.experiments.library import studies
from pairedge_train.files import write_all
from pairedge_train.networks.variants import variants
from pairedge_train.reports.agreement import finding, rows_of
from pairedge_train.reports.figures import STYLE, saved
from pairedge_train.rows import read_rows

PICTURE = "latency-accuracy"
SHIPPED = "ships"
Point = dict[str, Any]


def best_rows() -> dict[str, Point]:
    """Each variant's best row in any study: mean, standard deviation and number of rounds, by variant."""
    best: dict[str, Point] = {}
    known = variants()
    for study in studies().values():
        folder = "reports" if study.is_report else "best"
        rounds = read_rows(ROOT / "artifacts" / folder / f"{study.name}.jsonl")
        for table in study.tables:
            for row in table.rows:
                found = finding(rows_of(row, rounds), "test_accuracy")
                if found is None or row.recipe.variant not in known:
                    continue
                # An ensemble is a network of its own, and called as its row.
                name = row.recipe.variant if row.recipe.members == 1 else row.label
                if name not in best or found.mean > best[name]["accuracy"]:
                    best[name] = {
                        "variant": name,
                        "members": row.recipe.member_variants,
                        "study": study.name,
                        "row": row.label,
                        "pairs": row.recipe.pairs,
                        "accuracy": found.mean,
                        "sd": found.sd,
                        "n": found.n,
                    }
    return best


def measure(points: dict[str, Point], seconds: float) -> list[Point]:
    """The points with sizes and latencies, the model that ships among them, fastest first."""
    models = {}
    for name, point in points.items():
        content = fresh_graphs(*point["members"])["pair"]
        point["bytes"] = len(content)
        models[name] = pairedge.load(content)
    models[SHIPPED] = shipped = pairedge.load()
    on, (accuracy, n) = next(iter(sorted(accuracies(shipped.metadata).items())))
    points[SHIPPED] = {
        "variant": shipped.variant,
        "study": on,
        "pairs": shipped.metadata["recipe"]["pairs"],
        "accuracy": accuracy,
        "n": n,
        "bytes": Path(shipped_graph("pair")).stat().st_size,
    }
    times = interleaved([{name: one_pair(model)} for name, model in models.items()], seconds)
    for name, point in points.items():
        point["one_pair_microseconds"] = percentiles(times[name])
    ordered = sorted(points.values(), key=lambda point: float(point["one_pair_microseconds"]["p50"]))
    return mark_front(ordered)


def one_pair(model: PairModel) -> Any:
    """A call that answers one pair of tiles by a model."""
    first, second = np.random.default_rng(0).integers(0, 256, (2, 14, 14), np.uint8)
    return lambda: model.predict(first, second)


def mark_front(points: list[Point]) -> list[Point]:
    """Points, fastest first, with `front` true where none that is as fast is as right."""
    highest = 0.0
    for point in points:
        point["front"] = point["accuracy"] > highest
        highest = max(highest, point["accuracy"])
    return points


def draw(points: list[Point]) -> dict[str, bytes]:
    """The picture by file name, SVG and PNG."""
    with rc_context(STYLE):
        canvas = Figure(figsize=(9, 4.5), layout="constrained")
        axes = canvas.add_subplot()
        front = [point for point in points if point["front"]]
        for some, colour, label in (
            ([point for point in points if not point["front"]], "#5b6770", "variants of the studies"),
            (front, "#1f5f8b", "none is both as fast and as right"),
        ):
            places = [(p["one_pair_microseconds"]["p50"], 100 * p["accuracy"]) for p in some]
            across, up = [p for p, _ in places], [p for _, p in places]
            axes.scatter(across, up, color=colour, s=22, label=label, zorder=3)
        axes.step(
            [p["one_pair_microseconds"]["p50"] for p in front],
            [100 * p["accuracy"] for p in front],
            where="post",
            color="#1f5f8b",
            linewidth=1,
        )
        for turn, point in enumerate(front):  # close neighbours are named on either side
            place = (point["one_pair_microseconds"]["p50"], 100 * point["accuracy"])
            words = f"{point['variant']}, ships" if "row" not in point else point["variant"]
            side, offset = (("left", (4, -11)), ("right", (-4, 4)))[turn % 2]
            axes.annotate(words, place, xytext=offset, textcoords="offset points", ha=side, fontsize=8)
        axes.set_xscale("log")
        axes.set(xlabel="microseconds for one pair, median, 1 thread", ylabel="right comparisons, %")
        axes.legend(fontsize=8, frameon=False, loc="lower right")
        return {f"{PICTURE}.{ending}": content for ending, content in saved(canvas).items()}


def main(quick: bool, redraw: bool) -> None:
    """Measure unless told to draw again; keep figures and picture unless told to be quick."""
    if redraw:
        points = json.loads((RESULTS / "pareto.json").read_text())["points"]
    else:
        found = best_rows()
        if quick:
            found = dict(list(found.items())[:4])
        points = measure(found, 1 if quick else 120)
    for point in points:
        sys.stdout.write(
            f"{point['one_pair_microseconds']['p50']:9.1f} us {100 * point['accuracy']:6.2f} % "
            f"{'*' if point['front'] else ' '} {point['variant']}\n"
        )
    files = draw(points)
    if not quick:
        write_all(ROOT / "docs", files)
        if not redraw:
            keep("pareto", {"points": points})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--quick", action="store_true", help="see that all of it runs; nothing is kept")
    group.add_argument("--draw", action="store_true", help="draw the kept figures again")
    options = parser.parse_args()
    main(options.quick, options.draw)
