"""Watching a training: its files, its figure, TensorBoard, another device, and a kill within a round."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

from pairedge_train.cli import train as cli
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.machine import machine, one_after_the_other
from pairedge_train.training.rounds import bundles

QUICK = ["--dataset", "uci", "--epochs", "2", "--pairs", "20", "--variant", "twinnet_base"]
PROGRAM = "from pairedge_train.cli.train import main; main()"


def train(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, arguments)


def test_a_run_leaves_its_metrics_recipe_facts_and_curves_and_runs_are_compared(tmp_path: Path) -> None:
    for epochs in ("2", "3"):
        result = train(*QUICK, "--epochs", epochs, "--out", str(tmp_path))
        assert result.exit_code == 0, result.output
        assert "curves.png" in result.stdout
    runs = sorted(map(str, tmp_path.iterdir()))
    names = {path.name for path in Path(runs[0]).iterdir()}
    assert names == {
        *("metrics.csv", "recipe.toml", "run.json", "rows.jsonl", "seed-2021.safetensors"),
        *("curves.svg", "curves.png"),
    }
    result = train("--plot", *runs, "--out", str(tmp_path))
    assert result.stdout.splitlines() == [f"Curves: {tmp_path}/curves.{ending}" for ending in ("svg", "png")]
    svg = (tmp_path / "curves.svg").read_text()
    assert all(f"<!-- optim.epochs={epochs} (n = 1) -->" in svg for epochs in (2, 3))


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--plot"], 2, "--plot needs the folders of runs"),
        (["runs/a"], 2, "--plot needs the folders of runs"),
        (["--plot", "nowhere"], 1, "nowhere: no run of pairedge-train: it has no metrics.csv to read"),
        (["--checkpoint-every", "0"], 2, "0 is not in the range x>=1"),
    ],
)
def test_wrong_use_is_one_sentence(
    arguments: list[str], code: int, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = train(*arguments)
    assert result.exit_code == code
    assert sentence in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_tensorboard_has_every_metric_by_epoch(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert train(*QUICK, "--tensorboard", "--out", str(tmp_path)).exit_code == 0
    [folder] = tmp_path.glob("*/tensorboard/seed-2021-twinnet_base-0")
    events = EventAccumulator(str(folder)).Reload()
    assert {"loss", "comparison_loss", "validation_accuracy"} <= set(events.Tags()["scalars"])
    [rows] = tmp_path.glob("*/metrics.csv")
    header, *lines = (line.split(",") for line in rows.read_text().splitlines())
    losses = [(int(cells[header.index("epoch")]), float(cells[header.index("loss")])) for cells in lines]
    assert [(each.step, each.value) for each in events.Scalars("loss")] == [
        (epoch, pytest.approx(loss)) for epoch, loss in losses
    ]


def test_without_tensorboard_one_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    result = train(*QUICK, "--tensorboard", "--out", str(tmp_path))
    assert result.exit_code == 1
    assert result.stderr.endswith("tensorboard: pip install 'pairedge[tensorboard]'\n")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_gpu_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_gpu(*_: object, **__: object) -> None:
        raise RuntimeError("no GPU")

    if torch.cuda.is_available():
        monkeypatch.setattr(torch, "zeros", no_gpu)
    result = train(*QUICK, "--device", "cuda")
    assert result.exit_code == 1
    [line] = result.stderr.splitlines()
    assert line.startswith("Error: device 'cuda' is not available")
    assert line.endswith("; cpu always is")


def test_on_a_gpu_all_rounds_of_a_stackable_recipe_are_one_bundle() -> None:
    stackable, alone = Recipe(), Recipe().with_({"network.variant": "aux_ws"})
    assert bundles(stackable, 3, "cuda") == [[0, 1, 2]]
    assert bundles(stackable, 3, "cpu") == bundles(alone, 3, "cuda:1") == [[0], [1], [2]]


def test_a_gpu_and_its_versions_are_part_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "A GPU")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    assert machine("cuda") == {**machine(), "gpu": "A GPU", "cuda": "13.0"}


def test_machines_in_turn_are_named_once_each() -> None:
    a, b = {"cpu": "A", "torch": "2.13"}, {"cpu": "B", "torch": "2.13"}
    both = {"cpu": "A, then B", "torch": "2.13"}
    assert one_after_the_other(a, b) == both
    assert one_after_the_other(both, b) == both


@pytest.mark.campaign
@pytest.mark.slow
def test_a_training_that_is_killed_within_a_round_ends_with_the_same_bytes(tmp_path: Path) -> None:
    arguments = ["--dataset", "uci", "--epochs", "40", "--pairs", "200", "--variant", "aux_ws"]
    assert train(*arguments, "--out", str(tmp_path / "undisturbed")).exit_code == 0
    stopped = [*arguments, "--checkpoint-every", "1", "--out", str(tmp_path / "stopped")]
    for epochs in (5, 12):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *stopped], stderr=subprocess.DEVNULL, start_new_session=True
        )
        while not any(
            len(path.read_bytes().splitlines()) > epochs
            for path in (tmp_path / "stopped").glob("*/metrics.csv")
        ):
            assert process.poll() is None
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert list((tmp_path / "stopped").glob("*/*.unfinished"))
        assert not list((tmp_path / "stopped").glob("*/*.safetensors"))
    assert train(*stopped).exit_code == 0
    for name in ("metrics.csv", "seed-2021.safetensors", "curves.svg"):
        [expected], [found] = (tmp_path.glob(f"{side}/*/{name}") for side in ("undisturbed", "stopped"))
        assert found.read_bytes() == expected.read_bytes()
    assert not list((tmp_path / "stopped").glob("*/*.unfinished"))
