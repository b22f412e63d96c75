"""`pairedge-train` as a user meets it."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pairedge_train.cli import train as cli
from pairedge_train.rows import read_rows

QUICK = ["--dataset", "uci", "--epochs", "1", "--pairs", "20"]


def train(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, arguments)


def assert_one_sentence(result: Result, code: int, sentence: str) -> None:
    assert result.exit_code == code
    [line] = result.stderr.splitlines()[-1:]
    assert re.search(sentence, line), line
    assert line.startswith("Error: ")
    assert "Traceback" not in result.output


def test_list_shows_every_variant_and_recipe() -> None:
    result = train("--list")
    assert result.exit_code == 0
    for name in ("base", "ws", "aux", "aux_ws", "--recipe ship"):
        assert re.search(rf"^{name}\b", result.stdout, re.MULTILINE), name


def test_training_prints_rounds_mean_and_the_next_command(tmp_path: Path) -> None:
    result = train(*QUICK, "--rounds", "2", "--variant", "ws", "--out", str(tmp_path))
    assert result.exit_code == 0, result.output
    assert "ws: test accuracy" in result.stdout
    assert "(sd " in result.stdout
    [command] = re.findall(r"Next: pairedge-export (\S+)", result.stdout)
    assert Path(command).is_file()
    assert len(read_rows(Path(command).parent / "rows.jsonl")) == 2


def test_progress_shows_epoch_losses_validation_and_time_left(tmp_path: Path) -> None:
    result = train(*QUICK, "--out", str(tmp_path))
    bar = result.stderr.replace("\r", "\n")
    assert re.search(r"aux_ws round 1/1: +100%.*\[\d\d:\d\d<\d\d:\d\d", bar), bar
    assert re.search(r"loss \d.*comparison \d.*digits \d.*validation \d+\.\d %", bar), bar


def test_a_recipe_file_is_changed_by_the_options(tmp_path: Path) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text(
        '[network]\nvariant = "base"\n[optim]\nepochs = 3\n'
        '[data]\ndataset = "uci"\npairs = 20\ntest_pairs = 50\nvalidation_pairs = 0\n'
    )
    result = train("--recipe", str(recipe), "--epochs", "1", "--out", str(tmp_path / "runs"))
    assert result.exit_code == 0, result.output
    [row] = read_rows(next((tmp_path / "runs").glob("base-*/rows.jsonl")))
    assert (row.variant, row.epochs, row.pairs, row.test_pairs) == ("base", 1, 20, 50)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--variant", "aux_wz"], 1, "unknown variant 'aux_wz'; near it are aux_ws"),
        (["--rounds", "0"], 2, "0 is not in the range x>=1"),
        (["--pairs", "many"], 2, "'many' is neither a count of at least one nor 'all'"),
        (["--recipe", "nothing.toml"], 1, "neither a file nor a shipped recipe"),
        (["--lr", "-1"], 1, "optim.lr must be a number above 0, not -1"),
        (["--device", "abacus", "--dataset", "uci"], 1, "device 'abacus' is not available"),
        (["--dataset", "uci", "--pairs", "100000"], 1, "training pairs beside 100 for validation asked for"),
        (["--dataset", "uci", "--lr", "1e30"], 1, r"round 1 of 1 \(seed 2021\): the loss became (nan|inf)"),
    ],
)
def test_wrong_use_is_one_sentence_and_leaves_nothing(
    arguments: list[str], code: int, sentence: str, tmp_path: Path
) -> None:
    result = train(*arguments, "--out", str(tmp_path / "runs"))
    assert_one_sentence(result, code, sentence)
    assert not (tmp_path / "runs").exists()


def test_an_unwritable_output_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file in the way")
    assert_one_sentence(
        train(*QUICK, "--out", str(tmp_path / "runs")), 1, "cannot write seed-2021.safetensors"
    )


def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
    assert_one_sentence(train(*QUICK, "--out", str(tmp_path / "runs")), 1, "no space left on device")
    assert [path for path in (tmp_path / "runs").rglob("*") if path.is_file()] == []


def test_missing_torch_names_the_extra() -> None:
    program = (
        "import sys; sys.modules['torch'] = None; from pairedge_train.cli.train import main; main(['--list'])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr == "Error: training needs torch: pip install 'pairedge[train]'\n"


def test_help_does_not_import_torch() -> None:
    program = (
        "import sys; from pairedge_train.cli.train import main\n"
        "try: main(['-h'])\n"
        "except SystemExit: print('torch' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "False"


@pytest.mark.slow
def test_ctrl_c_keeps_finished_rounds_and_the_same_command_goes_on(tmp_path: Path) -> None:
    arguments = ["--dataset", "uci", "--epochs", "3", "--rounds", "40", "--out", str(tmp_path)]
    command = [sys.executable, "-c", "from pairedge_train.cli.train import main; main()", *arguments]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not list(tmp_path.glob("*/rows.jsonl")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors.splitlines()[-1].endswith(
        "Error: stopped; finished rounds are kept, and the same command goes on"
    )
    [rows] = tmp_path.glob("*/rows.jsonl")
    kept = read_rows(rows)
    assert 1 <= len(kept) < 40
    assert all(path.name == "rows.jsonl" or path.suffix == ".safetensors" for path in rows.parent.iterdir())
    result = train(*arguments[:4], "--rounds", str(len(kept) + 1), *arguments[6:])
    assert result.exit_code == 0
    assert read_rows(rows)[: len(kept)] == kept
    assert len(read_rows(rows)) == len(kept) + 1


def test_a_missing_data_set_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pairedge_train.torchvision_import import import_torchvision

    def no_network(*_: Any) -> None:
        raise RuntimeError("no network")

    monkeypatch.setattr(import_torchvision("datasets").MNIST, "download", no_network)
    result = train("--data-dir", str(tmp_path / "nowhere"), "--out", str(tmp_path / "runs"))
    assert_one_sentence(result, 1, r"MNIST is not in .*nowhere.* could not be downloaded; give --data-dir")
