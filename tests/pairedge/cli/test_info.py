"""`pairedge info` shows what a graph is, and lists every way in which it breaks the contract."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

import pairedge
from pairedge.cli.info import settings
from pairedge.digest import append_digest
from pairedge.inspection import accuracies, inspect_graph
from pairedge.quarantine import inspect_apart
from pairedge.shipped import shipped_graph

Command = Callable[..., CompletedProcess[str]]

GRAPHS = Path(__file__).parents[1] / "graphs"


@pytest.mark.parametrize("kind", ["pair", "digit", "compare"])
def test_a_shipped_graph_passes_every_check(kind: str) -> None:
    path = Path(shipped_graph(kind))
    inspection = inspect_graph(path)
    assert inspection.kind == kind
    assert inspection.differences == []
    assert [*inspection.checks][1:] == ["metadata", "signatures", "digest", "answers"]
    assert inspection.size == path.stat().st_size
    assert inspection.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert inspection.metadata["graph"] == kind


def test_without_a_file_the_shipped_model_is_shown(command: Command, model: pairedge.PairModel) -> None:
    answer = command("info")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert [line for line in answer.stdout.splitlines() if " graph, " in line] == [
        f"{path}: {kind} graph, {Path(path).stat().st_size:,} bytes"
        for kind in ("pair", "digit", "compare")
        for path in [shipped_graph(kind)]
    ]
    accuracy = accuracies(model.metadata)["all_pairs"][0]
    for fact in (
        "  input             images tensor(uint8) (N, 2, 14, 14)",
        "  variant           aux_ws",
        f"  parameters        {model.metadata['parameters']:,}",
        f"  accuracy          {accuracy:.3%} of all_pairs, n = 100,000,000",
        f"  uncertain below   digit {model.thresholds.digit:.3f}, pair {model.thresholds.pair:.3f}",
        "  license           MIT",
        f"  weights SHA-256   {model.metadata['weights_sha256']}",
        "  ok                signatures",
    ):
        assert fact in answer.stdout.splitlines()
    assert "dataset mnist" in answer.stdout
    body = Path(shipped_graph("pair")).read_bytes()[:-85]  # the entry with the digest has 85 bytes
    assert f"carries the digest {hashlib.sha256(body).hexdigest()}" in answer.stdout.splitlines()


def test_with_json_each_graph_is_one_object(command: Command, model: pairedge.PairModel) -> None:
    graphs = [json.loads(line) for line in command("info", "--json").stdout.splitlines()]
    assert [graph["graph"] for graph in graphs] == ["pair", "digit", "compare"]
    assert graphs[0] == inspect_graph(shipped_graph("pair")).to_dict()
    assert graphs[0]["contract"]["outputs"]["digits"] == "tensor(float) (N, 2, 10)"
    assert graphs[0]["card"]["weights_sha256"] == model.metadata["weights_sha256"]
    assert set(graphs[0]["checks"].values()) == {True}


def test_a_graph_of_another_tool_passes_with_next_to_no_card(command: Command) -> None:
    answer = command("info", GRAPHS / "base.onnx")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "FAILED" not in answer.stdout
    assert "  parameters        unknown" in answer.stdout.splitlines()
    assert "carries no digest that fits" in answer.stdout
    report = json.loads(command("info", "--json", GRAPHS / "base.onnx").stdout)
    assert report["digest"] is None
    assert "digest" not in report["checks"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("digest_lost", "was exported with a digest and has lost it; export it again"),
        ("digest_wrong", "is damaged, or was edited after its export: its digest does not fit"),
    ],
)
def test_a_digest_that_does_not_fit_is_a_difference(command: Command, name: str, reason: str) -> None:
    answer = command("info", GRAPHS / f"{name}.onnx")
    assert answer.returncode == 1
    assert "  FAILED            digest" in answer.stdout.splitlines()
    assert f"  - {reason}" in answer.stdout.splitlines()
    assert json.loads(command("info", "--json", GRAPHS / f"{name}.onnx").stdout)["digest"] is None


ALL_WRONG = [
    "input 'images' is tensor(float) (1, 2, 28, 28), not tensor(uint8) (N, 2, 14, 14)",
    "output 'leq' is missing",
    "output 'probability' is unknown",
]


def test_every_difference_is_listed(command: Command) -> None:
    answer = command("info", GRAPHS / "all_wrong.onnx")
    assert (answer.returncode, answer.stderr) == (1, "")
    assert [line for line in answer.stdout.splitlines() if line.startswith("  - ")] == [
        f"  - {difference}" for difference in ALL_WRONG
    ]
    report = json.loads(command("info", "--json", GRAPHS / "all_wrong.onnx").stdout)
    assert report["differences"] == ALL_WRONG
    assert (report["checks"]["metadata"], report["checks"]["signatures"]) == (True, False)


def test_a_graph_without_metadata_is_checked_against_the_nearest_contract() -> None:
    inspection = inspect_graph(GRAPHS / "no_metadata.onnx")
    assert inspection.kind == "pair"
    assert inspection.differences == ["has no 'pairedge' metadata; was it written by pairedge-export?"]
    inspection = inspect_graph(GRAPHS / "identity.onnx")
    assert (inspection.kind, len(inspection.differences)) == ("pair", 3)


@pytest.mark.parametrize(
    ("name", "reason"), [("answers_beyond_one", "is not a probability"), ("answers_nan", "is not finite")]
)
def test_wrong_answers_are_detected_by_running_the_graph(name: str, reason: str) -> None:
    inspection = inspect_graph(GRAPHS / f"{name}.onnx")
    assert inspection.checks["signatures"] == []
    assert f"output 'leq' of a batch of 1 {reason}" in inspection.differences


@pytest.mark.parametrize("name", ["gone", "weights_elsewhere"])
def test_a_file_that_is_not_a_graph_is_reported_in_one_sentence(command: Command, name: str) -> None:
    answer = command("info", GRAPHS / f"{name}.onnx")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith(f"Error: {GRAPHS / name}.onnx: ")
    assert answer.stderr.count("\n") == 1


def test_metadata_cannot_steer_the_terminal_nor_the_command(command: Command, tmp_path: Path) -> None:
    content = Path(shipped_graph("pair")).read_bytes()
    path = tmp_path / "odd.onnx"
    odd = content.replace(b'"MIT"', b'"\\rT"').replace(b'"accuracy": 0', b'"accuracy": 7')
    path.write_bytes(append_digest(odd))
    answer = command("info", path)
    assert answer.returncode == 0
    assert "  license           '\\rT'" in answer.stdout.splitlines()
    assert "\n  accuracy " not in answer.stdout


def test_thresholds_that_a_model_could_not_be_loaded_with_are_a_difference(
    command: Command, tmp_path: Path
) -> None:
    content = Path(shipped_graph("pair")).read_bytes()
    path = tmp_path / "odd.onnx"
    path.write_bytes(append_digest(content.replace(b'"pair": 0.', b'"pair": 7.')))
    answer = command("info", path)
    assert answer.returncode == 1
    assert "  FAILED            metadata" in answer.stdout.splitlines()
    assert "  - its confidence thresholds are not numbers from 0 to 1: {'digit': 0." in answer.stdout
    with pytest.raises(pairedge.GraphError, match="its confidence thresholds are not numbers"):
        pairedge.load(path)


def test_settings_of_a_recipe_are_shown_with_their_sections() -> None:
    recipe = {"rounds": 1, "data": {"dataset": "mnist", "synthetic": {"printed": 6, "odd": {"deep": {}}}}}
    assert list(settings(recipe)) == [
        "rounds 1",
        "data.dataset mnist",
        "data.synthetic.printed 6",
        "data.synthetic.odd {'deep': {}}",
    ]


@pytest.mark.parametrize(
    "metrics", [None, [1], {"round": 1}, {"round": {"accuracy": "high", "n": 1}}, {"r": {}}]
)
def test_accuracies_are_numbers_or_are_left_out(metrics: object) -> None:
    assert accuracies({"metrics": metrics}) == {}
    assert accuracies({}) == {}
    assert accuracies({"metrics": {"round": {"accuracy": 1, "n": 5}}}) == {"round": (1.0, 5)}


def test_a_graph_that_never_ends_is_given_up(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pairedge.quarantine.SECONDS", 2)
    path = GRAPHS / "endless.onnx"
    answer = command("info", path)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == f"Error: {path}: cannot be inspected within 2 seconds\n"


def test_a_graph_that_asks_for_100_gb_does_not_get_them(command: Command) -> None:
    answer = command("info", GRAPHS / "greedy.onnx")
    assert answer.returncode == 1
    assert "  - a batch of 1 cannot be run" in answer.stdout.splitlines()
    assert answer.stderr == ""


def test_a_graph_that_ends_the_process_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pairedge.quarantine.sys.executable", "false")
    with pytest.raises(pairedge.GraphError, match=r"^a\.onnx: ends the process that inspects it"):
        inspect_apart("a.onnx")
