"""`pairedge-train` from the command line."""

from __future__ import annotations

import errno
import math
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from pairedge_train.cli import train as cli
from pairedge_train.cli.adapting import report
from pairedge_train.data import published
from pairedge_train.data.published import MNIST_FILES, load_uci
from pairedge_train.experiments.library import load_recipe
from pairedge_train.experiments.recipe import Recipe, setting_names
from pairedge_train.experiments.settings import flat
from pairedge_train.experiments.study import FIRST_SEED
from pairedge_train.networks import variants as registry
from pairedge_train.rows import Adapted, Paired, read_rows
from pairedge_train.training.checkpoint import load_checkpoint

from ..networks.own_code import HEAD, LINEAR, install

QUICK = ["--dataset", "uci", "--epochs", "1", "--pairs", "20"]
PROGRAM = "from pairedge_train.cli.train import main; main()"
# A shell without job control ignores Ctrl-C in background jobs, and their children inherit that.
IGNORING_CTRL_C = ["sh", "-c", 'trap "" INT; exec "$@"', "sh"]


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


def test_list_leaves_out_what_packages_break_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    for names in ("_OWN", "_LOADED"):
        monkeypatch.setattr(registry, names, {})
    (tmp_path / "listed_nets.py").write_text(HEAD + LINEAR)
    (tmp_path / "broken_nets.py").write_text("import sys\nsys.exit(3)\n")
    install(tmp_path, "fine", listed="listed_nets:linear")
    (tmp_path / "raising_nets.py").write_text(
        f"from pairedge.errors import PairedgeError\n{HEAD}@variant(parameters=1)\ndef net():\n"
        "    raise PairedgeError('weights are not here')\n"
    )
    install(tmp_path, "broken", broken="broken_nets:net", gone="no_such_nets:net", raising="raising_nets:net")
    result = train("--list")
    assert result.exit_code == 0
    assert re.search(r"^listed +1,970 parameters  One layer\.$", result.stdout, re.MULTILINE)
    assert re.search(r"^aux_ws\b.*^--recipe ship$", result.stdout, re.MULTILINE | re.DOTALL)
    assert result.stderr.splitlines() == [
        "Left out: broken: module 'broken_nets' cannot be imported: SystemExit: 3 (broken_nets.py, line 2)",
        "Left out: gone: module 'no_such_nets' cannot be imported: ModuleNotFoundError: "
        "No module named 'no_such_nets'",
        "Left out: raising: weights are not here",
    ]


def test_training_prints_rounds_mean_and_the_next_command(tmp_path: Path) -> None:
    result = train(*QUICK, "--rounds", "2", "--variant", "ws", "--out", str(tmp_path))
    assert result.exit_code == 0, result.output
    [mean, sd] = re.findall(r"ws: test accuracy (\S+) % \(sd (\S+), n = 2 rounds\)", result.stdout)[0]
    first, second = (float(value) for value in re.findall(r"test accuracy (\S+) %, \d", result.output))
    assert float(mean) == pytest.approx((first + second) / 2, abs=0.01)
    assert float(sd) == pytest.approx(abs(first - second) / math.sqrt(2), abs=0.02)  # of two: unbiased
    [command] = re.findall(r"Next: pairedge-export (\S+)", result.stdout)
    assert Path(command).is_file()
    assert len(read_rows(Path(command).parent / "rows.jsonl")) == 2


def test_progress_shows_epoch_losses_validation_and_time_left(tmp_path: Path) -> None:
    result = train(*QUICK, "--out", str(tmp_path))
    bar = result.stderr.replace("\r", "\n")
    assert re.search(r"aux_ws round 1/1: +100%.*\[\d\d:\d\d<\d\d:\d\d, epoch 1/1", bar), bar
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


def test_the_shipped_model_is_adapted_to_a_file_of_one_s_own(tmp_path: Path) -> None:
    # scikit-learn's digits, lying on their side.
    tiles = [np.rot90(tile) for tile in load_uci().training.tiles[:300]]
    labels = load_uci().training.labels[:300].tolist()
    rows = [[label, *tile.ravel().tolist()] for label, tile in zip(labels, tiles, strict=True)]
    (tmp_path / "own.csv").write_text("\n".join(",".join(map(str, row)) for row in rows) + "\n")
    settings: dict[str, Any] = {
        f"data.synthetic.{kind}": 0 for kind in ("rendered", "printed", "negatives", "hands", "written")
    }
    settings |= {"data.hold_out": 0, "evaluation.temperature": 1, "adapt.replay": 500, "adapt.share": 0.5}
    settings |= {"data.dataset": "uci", "optim.epochs": 6, "optim.lr": 0.004, "adapt.step": 1}
    changes = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    own = ("--start-from", "shipped", "--dataset", str(tmp_path / "own.csv"))
    result = train(*own, *changes, "--out", str(tmp_path / "runs"))
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert re.match(r"Your pictures, held out \(n = \d+\): .* better \(p = ", lines[-5]), lines
    assert re.match(r"Test digits of others \(n = 500\): .* % correct before", lines[-4])
    assert lines[-3] == "It reads your pictures better than before."
    [row] = read_rows(Path(lines[-2].removeprefix("Rows: ")))
    assert row.seed == 2021  # that of the model that ships
    checkpoint = load_checkpoint(Path(lines[-1].removeprefix("Next: pairedge-export ")))
    assert row.adapted is not None
    assert checkpoint.recipe.adapt.start == row.adapted.start


@pytest.mark.parametrize(
    ("paired", "advice"),
    [
        (((0, 0, 1.0), (0, 0, 1.0)), "It is not shown to read your pictures better than before; more"),
        (((5, 0, 0.06), (2, 0, 0.5)), "It is not shown to read your pictures better than before; more"),
        (((9, 0, 0.004), (3, 9, 0.15)), "It reads your pictures better than before."),
        (((9, 0, 0.004), (3, 19, 0.001)), "It reads the digits of others worse than before: do not use it."),
        (((0, 9, 0.004), (3, 3, 1.0)), "It reads your own pictures worse than before: do not use it."),
    ],
)
def test_nothing_is_called_better_that_is_not(
    paired: tuple[tuple[int, int, float], ...], advice: str
) -> None:
    own, test = (
        Paired(n=100, before=0.5, after=0.5 + (gained - lost) / 100, gained=gained, lost=lost, p=p)
        for gained, lost, p in paired
    )
    assert report(Adapted(start="5e", pictures=70, own=own, test=test))[-1].startswith(advice)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--variant", "aux_wz"], 1, "unknown variant 'aux_wz'; near it are aux_ws"),
        (["--rounds", "0"], 2, "0 is not in the range x>=1"),
        (["--pairs", "many"], 2, "'many' is neither a count of at least one nor 'all'"),
        (["--recipe", "nothing.toml"], 1, "neither a file nor a shipped recipe"),
        (["--lr", "-1"], 1, "optim.lr must be a number above 0, not -1"),
        (["--set", "optim.epoch=3"], 1, "unknown setting 'optim.epoch'; did you mean 'optim.epochs'"),
        (["--set", "epochs=3"], 1, "unknown setting 'epochs'; did you mean 'optim.epochs'"),
        (
            ["--set", "optim.schedule=one_cycle"],
            1,
            'optim.schedule must be "constant" or "one-cycle", not \'one_c',
        ),
        (["--set", "data.shuffle=True"], 1, "data.shuffle must be true or false, not 'True'"),
        (["--set", "optim.epochs=2.5"], 1, "optim.epochs must be a whole number above 0, not 2.5"),
        (["--set", "network.variant=os:getcwd"], 1, "module 'os' has no variant 'getcwd'"),
        (["--variant", "no_nets:net"], 1, "module 'no_nets' cannot be imported: ModuleNotFoundError"),
        (["--set", "loss.teacher=nobody"], 1, "nobody: neither a file nor a shipped recipe"),
        (["--set", "optim.lr"], 1, "'optim.lr' is no assignment; write section.setting=value"),
        (
            ["--set", "optim.lr=1", "--set", "optim.lr.x=2"],
            1,
            "optim.lr must be a number above 0, not {'x': 2}",
        ),
        (["--variant", "zzzzz"], 1, r"unknown variant 'zzzzz' \(--list shows all\)$"),
        (["--device", "abacus", "--dataset", "uci"], 1, "device 'abacus' is not available"),
        (["--device", "meta", "--dataset", "uci"], 1, "device 'meta' is not available"),
        (["--device", "hpu", "--dataset", "uci"], 1, "device 'hpu' is not available"),
        (["--seed", str(2**64)], 2, r"Invalid value for '--seed': \d+ is not in the range 0<=x<=4294967295"),
        (["--dataset", "uci", "--pairs", "100000"], 1, "training pairs beside 100 for validation asked for"),
        (["--start-from", "shipped"], 2, "--start-from needs --dataset PATH: pictures of your own"),
        (["--start-from", "shipped", "--dataset", "uci"], 1, "adapts to pictures of your own, .* not to uci"),
        (["--start-from", "no.onnx", "--dataset", "own"], 1, "no.onnx: no such file"),
        (["--start-from", "shipped", "--dataset", "a", "--rounds", "2"], 2, "without --variant and --rounds"),
        (
            ["--start-from", "shipped", "--dataset", "a", "--variant", "ws"],
            2,
            "without --variant and --rounds",
        ),
        (["--start-from", "shipped", "--dataset", "no/own"], 1, "no/own: there is no such file or folder"),
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
        train(*QUICK, "--out", str(tmp_path / "runs")), 1, "rows.jsonl: cannot read: not a directory"
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


def interrupt_after_a_row(process: subprocess.Popen[str], out: Path) -> None:
    # The file exists a moment before its first line does.
    while not any(rows.read_bytes().endswith(b"\n") for rows in out.glob("*/rows.jsonl")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)


@pytest.mark.campaign
@pytest.mark.slow
@pytest.mark.parametrize("launcher", [[], IGNORING_CTRL_C], ids=["terminal", "background job"])
def test_ctrl_c_keeps_finished_rounds_and_the_same_command_resumes(
    launcher: list[str], tmp_path: Path
) -> None:
    arguments = ["--dataset", "uci", "--epochs", "3", "--rounds", "40", "--out", str(tmp_path)]
    # These tests may be a background job themselves, so the program does not rely on the inherited handler.
    program = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler); {PROGRAM}"
    command = [*launcher, sys.executable, "-c", program, *arguments]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    interrupt_after_a_row(process, tmp_path)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors.splitlines()[-1].endswith(
        "Error: stopped; finished rounds are kept, and the same command resumes"
    )
    [rows] = tmp_path.glob("*/rows.jsonl")
    kept = read_rows(rows)
    assert 1 <= len(kept) < 40
    of_the_run = {"rows.jsonl", "metrics.csv", "recipe.toml", "run.json"}
    others = [path for path in rows.parent.iterdir() if path.name not in of_the_run]
    assert all(path.suffix == ".safetensors" for path in others)
    result = train(*arguments[:4], "--rounds", str(len(kept) + 1), *arguments[6:])
    assert result.exit_code == 0
    assert read_rows(rows)[: len(kept)] == kept
    assert len(read_rows(rows)) == len(kept) + 1


@pytest.mark.campaign
@pytest.mark.slow
def test_an_inherited_ignored_ctrl_c_stays_ignored(tmp_path: Path) -> None:
    arguments = ["--dataset", "uci", "--epochs", "3", "--rounds", "3", "--out", str(tmp_path)]
    command = [*IGNORING_CTRL_C, sys.executable, "-c", PROGRAM, *arguments]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    interrupt_after_a_row(process, tmp_path)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    [rows] = tmp_path.glob("*/rows.jsonl")
    assert len(read_rows(rows)) == 3


@pytest.mark.campaign
@pytest.mark.slow
def test_two_processes_train_a_round_once(tmp_path: Path) -> None:
    arguments = ["--dataset", "uci", "--epochs", "12", "--rounds", "2", "--out", str(tmp_path)]
    command = [sys.executable, "-c", PROGRAM, *arguments]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    outputs = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    [rows] = tmp_path.glob("*/rows.jsonl")
    assert [row.seed for row in read_rows(rows)] == [FIRST_SEED, FIRST_SEED + 1]
    assert outputs[0][0] == outputs[1][0]  # both print all rounds


CHOICES = {
    "network.variant": "ws",
    "data.dataset": "uci",
    "data.group_by": "folder",
    "data.sha256": "5ea1",
    "data.normalize": "raw",
    "loss.teacher": "ship_teacher",
    "adapt.start": "5e",
    "adapt.pictures": "5e",
    "adapt.step": 0.5,
    "optim.schedule": "constant",
    "optim.plateau_threshold": 0.5,
    "optim.ema": 0.5,
    "stopping.monitor": "loss",
}


@pytest.mark.parametrize("name", setting_names())
def test_set_changes_any_setting(name: str) -> None:
    defaults = flat(load_recipe("flagship").to_dict())
    if name in CHOICES:
        value: Any = CHOICES[name]
    elif isinstance(defaults[name], bool):
        value = not defaults[name]
    else:
        value = defaults[name] + (3 if isinstance(defaults[name], int) else 0.5)
    validation = [] if name == "data.redraw" else ["--set", "data.hold_out=4"]
    if name in ("data.group_by", "data.sha256"):  # of data of one's own
        validation += ["--dataset", "my_digits"]
    text = str(value).lower() if isinstance(value, bool) else str(value)
    result = train(*validation, "--set", f"{name}={text}", "--show-recipe")
    assert result.exit_code == 0, result.output
    settings = flat(tomllib.loads(result.stdout))
    assert settings[name] == value
    changed = {other for other in settings if settings[other] != defaults[other]}
    small = {"data.pairs", "data.test_pairs", "data.validation_pairs"}  # what smaller sets change
    others = {"data.hold_out", *(small if settings["data.dataset"] != "mnist" else ())}
    assert changed - others - ({"data.dataset"} if name.startswith("data.") else set()) <= {name}


@pytest.mark.parametrize(
    ("assignments", "expected"),
    [
        (["optim={lr=0.5}"], {"optim.lr": 0.5, "optim.epochs": 3}),
        (["optim.epochs=7"], {"optim.epochs": 7}),  # --set overrides other options
        (
            ['network.variant=["ws", "aux"]'],
            {"network.variant": ["ws", "aux"], "optim.schedule": "one-cycle"},
        ),
        (["network.variant=twinnet_ws"], {"network.variant": "twinnet_ws", "optim.schedule": "constant"}),
    ],
)
def test_set_takes_sections_lists_and_text(assignments: list[str], expected: dict[str, Any]) -> None:
    options = [part for assignment in assignments for part in ("--set", assignment)]
    result = train("--epochs", "3", *options, "--show-recipe")
    assert result.exit_code == 0, result.output
    settings = flat(tomllib.loads(result.stdout))
    assert {name: settings[name] for name in expected} == expected


@pytest.mark.parametrize(
    "arguments", [["--recipe", "ship"], ["--recipe", "ship_teacher"], ["--variant", "MLP"]]
)
def test_show_recipe_prints_a_file_of_the_same_recipe(arguments: list[str], tmp_path: Path) -> None:
    file = tmp_path / "shown.toml"
    file.write_text(train(*arguments, "--show-recipe").stdout)
    shown = load_recipe(str(file))
    if arguments[0] == "--recipe":
        assert shown == load_recipe(arguments[1])
    else:
        assert shown == Recipe().with_({"network.variant": "MLP"})
    assert file.read_text().startswith(f"# digest {shown.digest()}\n")
    assert train("--recipe", str(file), "--show-recipe").stdout == file.read_text()


def test_recipe_help_lists_every_setting() -> None:
    sections = re.split(r"^\[(.+?)\]  ", train("--recipe-help").stdout, flags=re.MULTILINE)
    listed = [
        f"{section}.{setting}"
        for section, text in zip(sections[1::2], sections[2::2], strict=True)
        for setting in re.findall(r"^  (\w+) = ", text, re.MULTILINE)
    ]
    assert sorted(listed) == sorted(setting_names())


def test_a_recipe_of_validation_only_trains_and_prints_validation_accuracy(tmp_path: Path) -> None:
    small = {"data.hold_out": 30, "data.test_pairs": 10, "data.synthetic.printed": 0}
    result = train(
        *("--recipe", "search.flagship-length.480 epochs", *QUICK[:4], "--pairs", "60", "--rounds", "2"),
        *(part for name, value in small.items() for part in ("--set", f"{name}={value}")),
        *("--out", str(tmp_path)),
    )
    assert result.exit_code == 0, result.output
    assert len(re.findall(r"seed 10[12]: validation accuracy \d+\.\d\d %, \d", result.output)) == 2
    assert re.search(r"^aux_ws: validation accuracy .* \(sd .*, n = 2 rounds\)$", result.stdout, re.MULTILINE)
    assert "test accuracy" not in result.output


def mnist_of_empty_files(folder: Path) -> Path:
    """A folder of data whose files have the right names."""
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in MNIST_FILES:
        (raw / name).touch()
    return raw


@pytest.mark.parametrize("instead", ["folder", "another file", "nothing to read"])
def test_a_data_file_that_is_something_else_is_one_sentence(
    instead: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = mnist_of_empty_files(tmp_path)
    if instead == "folder":
        for name in MNIST_FILES:
            (raw / name).unlink()
            (raw / name).mkdir()
    if instead == "nothing to read":  # gone between the look at its digest and the reading
        monkeypatch.setattr(published, "_sha256", lambda path: MNIST_FILES[path.name])
    sentence = {
        "folder": "train-images-idx3-ubyte: cannot read: is a directory",
        "another file": r"is not the file of MNIST, by its checksum; .* write --dataset .*raw;",
        "nothing to read": "MNIST cannot be read: its files are damaged",
    }[instead]
    result = train("--data-dir", str(tmp_path), "--out", str(tmp_path / "runs"))
    assert_one_sentence(result, 1, sentence)


def test_a_missing_data_set_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pairedge_train.torchvision_import import import_torchvision

    def no_network(*_: Any) -> None:
        raise RuntimeError("no network")

    monkeypatch.setattr(import_torchvision("datasets").MNIST, "download", no_network)
    result = train("--data-dir", str(tmp_path / "nowhere"), "--out", str(tmp_path / "runs"))
    assert_one_sentence(result, 1, r"MNIST is not in .*nowhere.* could not be downloaded; give --data-dir")
