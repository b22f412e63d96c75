"""Speed, size and memory on a device: every target, measured in one run beside its baseline.

python -m benchmarks.edge [MODEL] [--quick] [--only NAME]...

MODEL is a folder with pair.onnx, digit.onnx and compare.onnx; without it, the model that ships. What is
compared takes turns; medians count. Run it on an idle machine, from a checkout, in an environment with the
export extra (for torch) and an index for pip (for the installed size). Linux only: memory is read from /proc.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import click
import numpy as np
from numpy.typing import NDArray

import pairedge
from benchmarks.options import HELP, model_argument, quick_option
from benchmarks.records import ROOT, EdgeRecord, TargetRow, keep
from benchmarks.side_by_side import compare_commands
from pairedge.bench import DEPENDENCIES, FLOOR, interleaved, machine
from pairedge.graph import open_graph
from pairedge_export.eager import torch_eager

IMPORTS = "import onnxruntime, PIL.Image, click"
# The floor of every program that runs onnxruntime: a session of a graph that only copies.
SESSION = f"{IMPORTS}; onnxruntime.InferenceSession({FLOOR!r}, providers=['CPUExecutionProvider'])"
PICTURES = [str(ROOT / "examples" / f"{name}.png") for name in ("three", "seven")]
_PEAK = "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    Attributes:
        seconds: for each group of calls that take turns.
        runs: pairs of runs of whole commands.
        answers: of one process, whose memory should not grow.
        pairs: run by the pair graph, from which the time of all pairs is extrapolated.
    """

    seconds: float = 20
    runs: int = 30
    answers: int = 1_000_000
    pairs: int = 10_000


QUICK = Effort(seconds=0.5, runs=2, answers=21_000, pairs=2_000)


@dataclass(frozen=True)
class Measurement:
    """A figure to compare with a target's bound.

    Attributes:
        value: in the target's unit.
        raw: what it was computed from.
        floor: the least that it could be, where that is known.
    """

    value: float
    raw: dict[str, Any] = field(default_factory=dict)
    floor: float | None = None


Measure: TypeAlias = Callable[[Path, Effort], Measurement]


@dataclass(frozen=True)
class Target:
    """One line of the table; the fields are those of `records.TargetRow`.

    Attributes:
        name: how the command line calls it.
        quantity: what is measured.
        baseline: what it is compared with.
        bound: at most this, or at least this where `higher_is_better`; in `unit`.
        unit: "x" for a ratio, "MB" for a difference.
        measure: from the folder of a model.
        higher_is_better: whether the bound is a lower one.
    """

    name: str
    quantity: str
    baseline: str
    bound: float
    unit: Literal["x", "MB"]
    measure: Measure
    higher_is_better: bool = False

    def met(self, value: float) -> bool:
        """Whether a figure meets the target."""
        return value >= self.bound if self.higher_is_better else value <= self.bound

    def row(self, measurement: Measurement) -> TargetRow:
        """The target with what was measured."""
        return TargetRow(
            name=self.name,
            quantity=self.quantity,
            baseline=self.baseline,
            bound=self.bound,
            unit=self.unit,
            higher_is_better=self.higher_is_better,
            measured=measurement.value,
            met=self.met(measurement.value),
            raw=measurement.raw,
            floor=measurement.floor,
        )


def noise(*shape: int) -> NDArray[np.uint8]:
    """Random tiles, uint8 (*shape, 14, 14); latency does not depend on their content."""
    return np.random.default_rng(0).integers(0, 256, (*shape, 14, 14), np.uint8)


def slowdown(ours: Callable[[], object], baseline: Callable[[], object], seconds: float) -> Measurement:
    """The time of a call over that of its baseline, by medians; the two take turns, A B A B ..."""
    times = interleaved([{"pairedge": ours, "baseline": baseline}], seconds)
    medians = _medians(times)
    value = medians["pairedge"] / medians["baseline"]
    return Measurement(value, {"median_seconds": medians, "n": len(times["pairedge"])})


def speedup(ours: Callable[[], object], baseline: Callable[[], object], seconds: float) -> Measurement:
    """The time of the baseline over that of a call, by medians.

    They are timed A A ... B B ..., several times: each would empty the other's caches, and neither is used
    like that.
    """
    times = interleaved([{"baseline": baseline}, {"pairedge": ours}], seconds)
    medians = _medians(times)
    value = medians["baseline"] / medians["pairedge"]
    return Measurement(value, {"median_seconds": medians, "n": len(times["baseline"])})


def _medians(times: dict[str, list[float]]) -> dict[str, float]:
    return {name: statistics.median(values) for name, values in times.items()}


def predict(model: Path, effort: Effort) -> Measurement:
    """`predict` of two tiles beside `session.run` alone."""
    graph, loaded, pairs = (
        open_graph(model / "pair.onnx", "pair"),
        pairedge.load(model / "pair.onnx"),
        noise(1, 2),
    )
    first, second = pairs[0]
    outputs = list(graph.outputs)
    return slowdown(
        lambda: loaded.predict(first, second),
        lambda: graph.session.run(outputs, {"images": pairs}),
        effort.seconds,
    )


def predict_batch(model: Path, effort: Effort) -> Measurement:
    """`predict_batch` of 1,024 pairs beside `session.run` alone."""
    graph, loaded = open_graph(model / "pair.onnx", "pair"), pairedge.load(model / "pair.onnx")
    pairs, outputs = noise(1024, 2), list(graph.outputs)
    return slowdown(
        lambda: loaded.predict_batch(pairs),
        lambda: graph.session.run(outputs, {"images": pairs}),
        effort.seconds,
    )


def against_torch(count: int) -> Measure:
    """Measure how many times as fast as torch eager, with the same weights, `count` pairs are answered."""

    def measure(model: Path, effort: Effort) -> Measurement:
        loaded, pairs = pairedge.load(model / "pair.onnx"), noise(count, 2)
        first, second = pairs[0]
        with torch_eager(str(model / "pair.onnx")) as answer:
            if answer is None:
                raise click.ClickException(f"{model}: no variant of the registry answers as its graph does")
            return speedup(
                (lambda: loaded.predict(first, second))
                if count == 1
                else lambda: loaded.predict_batch(pairs),
                lambda: answer(pairs),
                effort.seconds,
            )

    return measure


def command(*arguments: str) -> list[str]:
    """The command that pip installed, with arguments."""
    return [str(Path(sys.executable).with_name("pairedge")), *arguments]


def whole_process(arguments: Callable[[Path], list[str]], imports: str, floor: str | None = None) -> Measure:
    """Measure a whole command beside a Python that only imports, and one at the floor."""

    def measure(model: Path, effort: Effort) -> Measurement:
        commands = {"pairedge": command(*arguments(model)), "baseline": [sys.executable, "-c", imports]}
        if floor:
            commands["floor"] = [sys.executable, "-c", floor]
        times = compare_commands(commands, effort.runs)
        ratios = times.median_ratios
        return Measurement(ratios["pairedge"], asdict(times), ratios.get("floor"))

    return measure


def peak_memory(model: Path, effort: Effort) -> Measurement:
    """Peak memory of `predict` of two pictures beside the imports alone, in processes of their own."""
    answering = (
        "from pairedge.cli import main; import sys; "
        f"main(['predict', '--model', sys.argv[1], *sys.argv[2:]], standalone_mode=False); {_PEAK}"
    )
    commands = {
        "pairedge": [sys.executable, "-c", answering, str(model / "pair.onnx"), *PICTURES],
        "baseline": [sys.executable, "-c", f"{IMPORTS}; {_PEAK}"],
        "floor": [sys.executable, "-c", f"{SESSION}; {_PEAK}"],
    }
    bytes_held: dict[str, list[int]] = {name: [] for name in commands}
    for _ in range(effort.runs):
        for name, one in commands.items():
            done = subprocess.run(one, check=True, capture_output=True, text=True)
            bytes_held[name].append(1024 * int(done.stdout.split()[-1]))
    medians = {name: statistics.median(values) for name, values in bytes_held.items()}
    return Measurement(
        medians["pairedge"] / medians["baseline"],
        {"median_bytes": medians, "bytes": bytes_held},
        medians["floor"] / medians["baseline"],
    )


def installed_size(model: Path, effort: Effort) -> Measurement:  # noqa: ARG001 (as all measures)
    """What installing pairedge, its model included, adds on the disk to its dependencies, in MB."""
    sizes = {}
    with tempfile.TemporaryDirectory() as name:
        for side, packages in (("pairedge", [str(ROOT)]), ("baseline", list(DEPENDENCIES))):
            folder = Path(name) / side
            install = [
                sys.executable,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--no-compile",
                "--target",
                str(folder),
            ]
            subprocess.run([*install, *packages], check=True)
            sizes[side] = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Measurement((sizes["pairedge"] - sizes["baseline"]) / 1e6, {"bytes": sizes})


def rank(model: Path, effort: Effort) -> Measurement:
    """`rank` of 1,000 tiles beside the branch on all of them in one call."""
    loaded, tiles = pairedge.load(model / "pair.onnx"), noise(1000)
    branch = open_graph(model / "digit.onnx", "digit").session
    return slowdown(
        lambda: loaded.rank(tiles),
        lambda: branch.run(["posterior", "embedding"], {"tiles": tiles}),
        effort.seconds,
    )


def all_pairs(model: Path, effort: Effort) -> Measurement:
    """How many times as fast as 499,500 runs of the pair graph 1,000 tiles are all compared."""
    loaded, tiles = pairedge.load(model / "pair.onnx"), noise(1000)
    pairs = noise(effort.pairs, 2)
    part = speedup(lambda: loaded.compare_all(tiles), lambda: loaded.predict_batch(pairs), effort.seconds)
    return Measurement(part.value * 499_500 / effort.pairs, {**part.raw, "extrapolated_from": effort.pairs})


def no_growth(model: Path, effort: Effort) -> Measurement:
    """By how many MB a process grows from the first to the last quarter of its answers, warmed up."""
    run = [sys.executable, "-m", "benchmarks.no_growth", str(model / "pair.onnx"), str(effort.answers)]
    done = subprocess.run(run, check=True, capture_output=True, cwd=ROOT)
    raw: dict[str, Any] = json.loads(done.stdout)
    _, *held = raw["bytes"]
    quarter = len(held) // 4
    growth = statistics.mean(held[-quarter:]) - statistics.mean(held[:quarter])
    return Measurement(growth / 1e6, raw)


TARGETS = (
    Target("predict", "time of `predict` for two tiles", "`session.run` alone", 1.25, "x", predict),
    Target(
        "predict_batch",
        "time of `predict_batch` for 1,024 pairs",
        "`session.run` alone",
        1.05,
        "x",
        predict_batch,
    ),
    Target(
        "torch_one",
        "speed of `predict` for one pair",
        "torch eager, same weights, 1 thread",
        10,
        "x",
        against_torch(1),
        higher_is_better=True,
    ),
    Target(
        "torch_batch",
        "speed of `predict_batch` for 1,024 pairs",
        "torch eager, same weights, 1 thread",
        5,
        "x",
        against_torch(1024),
        higher_is_better=True,
    ),
    Target(
        "process",
        "time of `pairedge predict a.png b.png`, whole process",
        f'`python -c "{IMPORTS}"`',
        1.15,
        "x",
        whole_process(
            lambda model: ["predict", "--model", str(model / "pair.onnx"), *PICTURES], IMPORTS, SESSION
        ),
    ),
    Target(
        "help",
        "time of `pairedge --help`",
        '`python -c "import click"`',
        1.2,
        "x",
        whole_process(lambda _: ["--help"], "import click"),
    ),
    Target(
        "version",
        "time of `pairedge --version`",
        '`python -c "import click"`',
        1.2,
        "x",
        whole_process(lambda _: ["--version"], "import click"),
    ),
    Target("memory", "peak memory of `pairedge predict`", "the same imports alone", 1.10, "x", peak_memory),
    Target("installed", "installed size", "the dependencies", 1, "MB", installed_size),
    Target("rank", "time of `rank` for 1,000 tiles", "the branch on all in one batch", 1.5, "x", rank),
    Target(
        "all_pairs",
        "speed of `compare_all` for 1,000 tiles",
        "499,500 pairs through `predict_batch`",
        50,
        "x",
        all_pairs,
        higher_is_better=True,
    ),
    Target(
        "growth",
        "memory in the last quarter of 1,000,000 answers",
        "the first quarter, after warm-up",
        1,
        "MB",
        no_growth,
    ),
)


@click.command(context_settings=HELP)
@model_argument
@quick_option
@click.option(
    "--only",
    multiple=True,
    type=click.Choice([target.name for target in TARGETS]),
    help="Measure only this target; may be repeated.",
)
def main(model: Path, quick: bool, only: tuple[str, ...]) -> None:
    """Measure every target with the graphs in the folder MODEL; store the results of a full run."""
    effort = QUICK if quick else Effort()
    rows = []
    for target in TARGETS:
        if only and target.name not in only:
            continue
        row = target.row(target.measure(model, effort))
        rows.append(row)
        click.echo(
            f"{row.name:<14} {row.measured:8.2f} {row.unit:<2} "
            f"{'>=' if row.higher_is_better else '<='} {row.bound:<5} {'met' if row.met else 'MISSED'}"
        )
    if quick or only:
        return
    metadata = pairedge.load(model / "pair.onnx").metadata
    graph = {"variant": metadata["variant"], "weights_sha256": metadata["weights_sha256"]}
    keep("edge", EdgeRecord(machine=machine(), model=graph, effort=asdict(effort), targets=rows))


if __name__ == "__main__":
    main()
