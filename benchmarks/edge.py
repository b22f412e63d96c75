"""What a device pays: every target of the edge, measured in one run, each beside what it is held against.

python benchmarks/edge.py [MODEL] [--quick] [--only NAME...]

MODEL is a folder with pair.onnx, digit.onnx and compare.onnx; without it, the model that ships. What is
compared takes turns; medians count. Run it on a machine that has nothing else to do, from a checkout, in an
environment with the export extra (for torch) and an index for pip (for the installed size). Linux only:
memory is read from /proc.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from side_by_side import ROOT, arguments, compare_commands, keep

import pairedge
from pairedge.bench import FLOOR, NEEDED, interleaved
from pairedge.graph import open_graph
from pairedge_export.eager import torch_eager

IMPORTS = "import onnxruntime, PIL.Image, click"
# What no program that answers with onnxruntime can go below: a session of a graph that only copies.
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
class Target:
    """One line of the table.

    Attributes:
        name: how the command line calls it.
        what: what is measured.
        against: what it is held against.
        bound: at most this, or at least it where `least`; in `unit`.
        unit: "x" for a ratio, "MB" for a difference.
        measure: gives the figure to hold against the bound under "found", what it was made of, and under
            "floor", where there is one, the least that it could be.
        least: whether more is better.
    """

    name: str
    what: str
    against: str
    bound: float
    unit: str
    measure: Callable[[Path, Effort], dict[str, Any]]
    least: bool = False

    def met(self, found: float) -> bool:
        """Whether a figure meets the target."""
        return found >= self.bound if self.least else found <= self.bound


def noise(*shape: int) -> NDArray[np.uint8]:
    """Tiles that show nothing, uint8 (*shape, 14, 14); what they show does not change what they cost."""
    return np.random.default_rng(0).integers(0, 256, (*shape, 14, 14), np.uint8)


def ratio(
    ours: Callable[[], object], theirs: Callable[[], object], seconds: float, *, by_turns: bool = True
) -> dict[str, Any]:
    """Two calls in turn: the median seconds of both, and ours / theirs.

    Args:
        ours: the first.
        theirs: the second.
        seconds: how long to measure.
        by_turns: A B A B ...; else A A ... B B ... several times, where each would empty the other's caches
            and neither is used like that.
    """
    groups = [{"ours": ours, "theirs": theirs}] if by_turns else [{"ours": ours}, {"theirs": theirs}]
    times = interleaved(groups, seconds)
    medians = {name: statistics.median(values) for name, values in times.items()}
    return {
        "found": medians["ours"] / medians["theirs"],
        "median_seconds": medians,
        "n": len(times["ours"]),
    }


def predict(model: Path, effort: Effort) -> dict[str, Any]:
    """`predict` of two tiles beside the bare call."""
    graph, loaded, pairs = (
        open_graph(model / "pair.onnx", "pair"),
        pairedge.load(model / "pair.onnx"),
        noise(1, 2),
    )
    first, second = pairs[0]
    outputs = list(graph.outputs)
    return ratio(
        lambda: loaded.predict(first, second),
        lambda: graph.session.run(outputs, {"images": pairs}),
        effort.seconds,
    )


def predict_batch(model: Path, effort: Effort) -> dict[str, Any]:
    """`predict_batch` of 1,024 pairs beside the bare call."""
    graph, loaded = open_graph(model / "pair.onnx", "pair"), pairedge.load(model / "pair.onnx")
    pairs, outputs = noise(1024, 2), list(graph.outputs)
    return ratio(
        lambda: loaded.predict_batch(pairs),
        lambda: graph.session.run(outputs, {"images": pairs}),
        effort.seconds,
    )


def against_torch(count: int) -> Callable[[Path, Effort], dict[str, Any]]:
    """Measure how many times as fast as torch eager, with the same weights, `count` pairs are answered."""

    def measure(model: Path, effort: Effort) -> dict[str, Any]:
        loaded, pairs = pairedge.load(model / "pair.onnx"), noise(count, 2)
        first, second = pairs[0]
        with torch_eager(str(model / "pair.onnx")) as answer:
            if answer is None:
                raise SystemExit(f"{model}: no variant of the registry answers as its graph does")
            return ratio(
                lambda: answer(pairs),
                (lambda: loaded.predict(first, second))
                if count == 1
                else lambda: loaded.predict_batch(pairs),
                effort.seconds,
                by_turns=False,
            )

    return measure


def command(*arguments: str) -> list[str]:
    """The command that pip installed, with arguments."""
    return [str(Path(sys.executable).with_name("pairedge")), *arguments]


def whole_process(
    arguments: Callable[[Path], list[str]], imports: str, floor: str | None = None
) -> Callable[[Path, Effort], dict[str, Any]]:
    """Measure a whole command beside a Python that only imports, and one at the floor."""

    def measure(model: Path, effort: Effort) -> dict[str, Any]:
        commands = {"ours": command(*arguments(model)), "theirs": [sys.executable, "-c", imports]}
        if floor:
            commands["floor"] = [sys.executable, "-c", floor]
        found = compare_commands(commands, effort.runs)
        ratios = found["median_ratios"]
        return {"found": ratios["ours"], **({"floor": ratios["floor"]} if floor else {}), **found}

    return measure


def peak_memory(model: Path, effort: Effort) -> dict[str, Any]:
    """The most that `predict` of two pictures holds, beside the imports alone, in processes of their own."""
    answering = (
        "from pairedge.cli import main; import sys; "
        f"main(['predict', '--model', sys.argv[1], *sys.argv[2:]], standalone_mode=False); {_PEAK}"
    )
    commands = {
        "ours": [sys.executable, "-c", answering, str(model / "pair.onnx"), *PICTURES],
        "theirs": [sys.executable, "-c", f"{IMPORTS}; {_PEAK}"],
        "floor": [sys.executable, "-c", f"{SESSION}; {_PEAK}"],
    }
    bytes_held: dict[str, list[int]] = {name: [] for name in commands}
    for _ in range(effort.runs):
        for name, one in commands.items():
            done = subprocess.run(one, check=True, capture_output=True, text=True)
            bytes_held[name].append(1024 * int(done.stdout.split()[-1]))
    medians = {name: statistics.median(values) for name, values in bytes_held.items()}
    return {
        "found": medians["ours"] / medians["theirs"],
        "floor": medians["floor"] / medians["theirs"],
        "median_bytes": medians,
        "bytes": bytes_held,
    }


def installed_size(model: Path, effort: Effort) -> dict[str, Any]:  # noqa: ARG001 (as all measures)
    """What installing pairedge puts on the disk beyond what it needs, its model included, in MB."""
    sizes = {}
    with tempfile.TemporaryDirectory() as name:
        for what, packages in (("ours", [str(ROOT)]), ("theirs", list(NEEDED))):
            folder = Path(name) / what
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
            sizes[what] = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return {"found": (sizes["ours"] - sizes["theirs"]) / 1e6, "bytes": sizes}


def rank(model: Path, effort: Effort) -> dict[str, Any]:
    """`rank` of 1,000 tiles beside the branch on all of them in one call."""
    loaded, tiles = pairedge.load(model / "pair.onnx"), noise(1000)
    branch = open_graph(model / "digit.onnx", "digit").session
    return ratio(
        lambda: loaded.rank(tiles),
        lambda: branch.run(["posterior", "embedding"], {"tiles": tiles}),
        effort.seconds,
    )


def all_pairs(model: Path, effort: Effort) -> dict[str, Any]:
    """How many times as fast as 499,500 runs of the pair graph 1,000 tiles are all compared."""
    loaded, tiles = pairedge.load(model / "pair.onnx"), noise(1000)
    pairs = noise(effort.pairs, 2)
    found = ratio(
        lambda: loaded.predict_batch(pairs),
        lambda: loaded.compare_all(tiles),
        effort.seconds,
        by_turns=False,
    )
    return {**found, "found": found["found"] * 499_500 / effort.pairs, "extrapolated_from": effort.pairs}


def no_growth(model: Path, effort: Effort) -> dict[str, Any]:
    """By how many MB a process grows from the first to the last quarter of its answers, warmed up."""
    program = Path(__file__).with_name("no_growth.py")
    run = [sys.executable, str(program), str(model / "pair.onnx"), str(effort.answers)]
    found = json.loads(subprocess.run(run, check=True, capture_output=True).stdout)
    _, *held = found["bytes"]
    quarter = len(held) // 4
    return {
        "found": (statistics.mean(held[-quarter:]) - statistics.mean(held[:quarter])) / 1e6,
        **found,
    }


TARGETS = (
    Target("predict", "`predict` of two ready tiles", "the bare `session.run`", 1.25, "x", predict),
    Target(
        "predict_batch", "`predict_batch` of 1,024 pairs", "the bare `session.run`", 1.05, "x", predict_batch
    ),
    Target("torch_one", "one pair", "torch eager, same weights, 1 thread", 10, "x", against_torch(1), True),
    Target(
        "torch_batch",
        "a batch of 1,024",
        "torch eager, same weights, 1 thread",
        5,
        "x",
        against_torch(1024),
        True,
    ),
    Target(
        "process",
        "`pairedge predict a.png b.png`, whole process",
        f'`python -c "{IMPORTS}"`',
        1.15,
        "x",
        whole_process(
            lambda model: ["predict", "--model", str(model / "pair.onnx"), *PICTURES], IMPORTS, SESSION
        ),
    ),
    Target(
        "help",
        "`pairedge --help`",
        '`python -c "import click"`',
        1.2,
        "x",
        whole_process(lambda _: ["--help"], "import click"),
    ),
    Target(
        "version",
        "`pairedge --version`",
        '`python -c "import click"`',
        1.2,
        "x",
        whole_process(lambda _: ["--version"], "import click"),
    ),
    Target("memory", "peak memory of `pairedge predict`", "the same imports", 1.10, "x", peak_memory),
    Target("installed", "installed size", "all that it needs", 1, "MB", installed_size),
    Target("rank", "`rank` of 1,000 tiles", "their branch runs in one batch", 1.5, "x", rank),
    Target(
        "all_pairs",
        "`compare_all` of 1,000 tiles",
        "499,500 pairs through `predict_batch`",
        50,
        "x",
        all_pairs,
        True,
    ),
    Target("growth", "memory after the last of all answers", "after the first quarter", 1, "MB", no_growth),
)


def main(model: Path, effort: Effort, only: list[str], kept: bool) -> None:
    """Measure, print a line for each target, and keep all figures of a whole run."""
    rows = []
    for target in TARGETS:
        if only and target.name not in only:
            continue
        found = target.measure(model, effort)
        row = {key: value for key, value in asdict(target).items() if key != "measure"}
        rows.append({**row, "met": target.met(found["found"]), **found})
        sys.stdout.write(
            f"{target.name:<14} {found['found']:8.2f} {target.unit:<2} "
            f"{'>=' if target.least else '<='} {target.bound:<5} {'met' if rows[-1]['met'] else 'MISSED'}\n"
        )
        sys.stdout.flush()
    metadata = pairedge.load(model / "pair.onnx").metadata
    if kept:
        graph = {"variant": metadata["variant"], "weights_sha256": metadata["weights_sha256"]}
        keep("edge", {"model": graph, "effort": asdict(effort), "targets": rows})


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument("--only", nargs="+", choices=[target.name for target in TARGETS], default=[])
    options = parser.parse_args()
    main(
        options.model,
        QUICK if options.quick else Effort(),
        options.only,
        kept=not options.quick and not options.only,
    )
