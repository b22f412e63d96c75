"""`pairedge bench` measures what it says it does, and prints it as a report, a table or JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

import pairedge
from pairedge.bench import (
    BASELINES,
    BATCHES,
    DEPENDENCIES,
    FLOOR,
    STARTS,
    benchmark,
    installed_bytes_of,
    interleaved,
)
from pairedge.cli.bench import accuracy, page
from pairedge.machine import cores
from pairedge.shipped import shipped_graph

Command = Callable[..., CompletedProcess[str]]

GRAPHS = Path(__file__).parents[1] / "graphs"
BASE = GRAPHS / "base.onnx"
SHORT = ("--seconds", "0.01")


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    return benchmark(shipped_graph("pair"), seconds=0.01)


def test_everything_is_measured(result: dict[str, Any], model: pairedge.PairModel) -> None:
    assert result["machine"]["onnxruntime"] == onnxruntime.__version__
    assert {"python", "numpy", "pillow", "pairedge", "cpu", "cores"} < set(result["machine"])
    assert result["graph"] == {
        "file": shipped_graph("pair"),
        "variant": "aux_ws",
        "bytes": Path(shipped_graph("pair")).stat().st_size,
        "accuracy": {
            "on": "all_pairs",
            "value": model.metadata["metrics"]["all_pairs"]["accuracy"],
            "n": 100_000_000,
        },
    }
    assert list(result["start"]["milliseconds"]) == ["import", "load", "first_answer"]
    assert result["start"]["n"] == STARTS
    assert list(result["one_pair_microseconds"])[:3] == ["predict", "session.run", "floor"]
    for latency in result["one_pair_microseconds"].values():
        assert 0 < latency["p50"] <= latency["p95"] <= latency["p99"]
        assert latency["n"] >= 1
    measured = [(rate["batch"], rate["threads"]) for rate in result["pairs_per_second"]]
    assert measured == [(size, count) for size in BATCHES for count in sorted({1, 2, cores()})]
    assert set(result["ratios"]) == {"predict", "predict_batch"}
    assert all(ratio > 0 for ratio in result["ratios"].values())
    assert json.loads(json.dumps(result)) == result


def test_the_installed_size_is_that_of_the_package_and_its_model(result: dict[str, Any]) -> None:
    package = Path(pairedge.__file__).parent
    code = sum(path.stat().st_size for path in package.rglob("*") if path.suffix in (".py", ".typed"))
    graphs = sum(Path(shipped_graph(kind)).stat().st_size for kind in ("pair", "digit", "compare"))
    assert result["installed_bytes"] == code + graphs


def test_dependencies_are_counted_with_their_own(result: dict[str, Any]) -> None:
    assert installed_bytes_of(["no such package"]) == 0
    alone, needed = installed_bytes_of(["numpy"]), installed_bytes_of(DEPENDENCIES)
    assert needed > alone + installed_bytes_of(["flatbuffers"]) > alone > 0  # which onnxruntime needs
    assert result["installed_bytes_with_dependencies"] == result["installed_bytes"] + needed


def test_alternatives_of_other_packages_are_measured_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []

    @contextmanager
    def slate(path: str) -> Iterator[Callable[[NDArray[np.uint8]], object] | None]:
        assert path == str(BASE)
        yield lambda pairs: given.append(len(pairs))

    @contextmanager
    def mute(path: str) -> Iterator[None]:
        yield None

    class Entry:
        def __init__(self, name: str, enter: object) -> None:
            self.name, self.enter = name, enter

        def load(self) -> object:
            if self.enter is None:
                raise ImportError("of what is not installed")
            return self.enter

    entries = [Entry("by_slate", slate), Entry("mute", mute), Entry("absent", None)]
    monkeypatch.setattr("pairedge.bench.entry_points", lambda group: entries * (group == BASELINES))
    monkeypatch.setattr("pairedge.bench.STARTS", 1)
    result = benchmark(str(BASE), seconds=0.01)
    assert list(result["one_pair_microseconds"])[3:] == ["by slate"]
    assert set(given) == {1, 1024}
    assert set(result["speedups"]["by slate"]) == {"one pair", "batch 1024"}
    assert re.search(
        r"speedup over by slate: [\d.]+x on one pair, [\d.]+x on batch 1024", "\n".join(page(result))
    )


def test_the_page_shows_every_figure(result: dict[str, Any]) -> None:
    shown = "\n".join(page(result))
    threads = "".join(rf" +threads {count}" for count in sorted({1, 2, cores()}))
    for pattern in (
        r"^python [\d.]+, onnxruntime ",
        r"^fresh process, median of 5\n  import +[\d.]+ ms\n  load +[\d.]+ ms\n  first answer +[\d.]+ ms\n",
        r"^one pair, us +p50 +p95 +p99\n  predict( +[\d.]+){3}\n  session.run( +[\d.]+){3}\n",
        r"^  floor( +[\d.]+){3}\n",
        r"^  predict / session.run = [\d.]+\n  predict_batch / session.run = [\d.]+\n",
        rf"^pairs per second{threads}\n  batch 1 +[\d,]+",
    ):
        assert re.search(pattern, shown, re.MULTILINE), pattern
    without = {**result, "start": {**result["start"], "peak_bytes": None}}
    assert "peak memory" not in "\n".join(page(without))


def test_the_command_prints_one_object_with_json(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pairedge.bench.STARTS", 1)
    answer = command("bench", BASE, "--json", *SHORT)
    assert (answer.returncode, answer.stderr) == (0, "")
    report = json.loads(answer.stdout)
    assert (report["graph"]["file"], report["graph"]["accuracy"]) == (str(BASE), None)
    assert command("bench", *SHORT).stdout.startswith("python ")


def test_several_graphs_are_put_in_one_table(command: Command) -> None:
    answer = command("bench", "--compare", BASE, shipped_graph("pair"), *SHORT)
    assert (answer.returncode, answer.stderr) == (0, "")
    heading, base, shipped = answer.stdout.splitlines()
    assert heading.split() == ["file", "bytes", "one", "pair", "us", "1,024:", "us", "each", "accuracy"]
    assert re.fullmatch(rf"{re.escape(str(BASE))} +459 +[\d.]+ +[\d.]+ +unknown", base)
    assert re.fullmatch(rf"{re.escape(shipped_graph('pair'))} +[\d,]+ +[\d.]+ +[\d.]+ +99\.\d+%", shipped)


def test_a_graph_that_cannot_be_used_is_reported_and_the_others_are_compared(command: Command) -> None:
    answer = command("bench", "--compare", "--json", "gone.onnx", BASE, *SHORT)
    assert answer.returncode == 1
    assert answer.stderr.startswith("Error: gone.onnx: no such file or directory")
    report = json.loads(answer.stdout)
    assert set(report) == {"machine", "graphs"}
    [row] = report["graphs"]
    assert set(row) == {
        "file",
        "variant",
        "bytes",
        "accuracy",
        "one_pair_microseconds",
        "batch_microseconds_per_pair",
    }
    answer = command("bench", "gone.onnx", *SHORT)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith("Error: gone.onnx: no such file or directory")


def test_calls_of_a_group_are_made_in_turn_and_each_is_timed() -> None:
    made: list[str] = []
    groups = [{"a": lambda: made.append("a"), "b": lambda: made.append("b")}, {"c": lambda: made.append("c")}]
    times = interleaved(groups, 1e-9)
    assert "".join(made) == "ababcc" * 5  # one turn to warm up and one that counts, in each of five passes
    assert {name: len(values) for name, values in times.items()} == {"a": 5, "b": 5, "c": 5}


def test_the_floor_is_the_graph_that_the_script_writes() -> None:
    assert (GRAPHS / "identity.onnx").read_bytes() == FLOOR


def test_an_accuracy_that_the_metadata_do_not_state_is_unknown() -> None:
    assert accuracy({"accuracy": None}) == "unknown"
    assert accuracy({"accuracy": {"on": "round", "value": 0.9876, "n": 1000}}) == "98.760%"
