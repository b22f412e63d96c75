"""`pairedge-export` as a user meets it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from click.testing import CliRunner, Result
from safetensors import safe_open

from pairedge_export import cli


def export(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, arguments)


def test_the_newest_checkpoint_is_exported(
    checkpoint_files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for age, variant in enumerate(("ws", "base")):
        folder = tmp_path / "runs" / f"{variant}-x"
        folder.mkdir(parents=True)
        copied = shutil.copy(checkpoint_files[variant], folder / "seed-2021.safetensors")
        os.utime(copied, (1_000_000 - age, 1_000_000 - age))
    result = export()
    assert result.exit_code == 0, result.output
    assert re.search(r"✓ pair +decisions, all 500 tiles +0 of 500 differ", result.stdout)
    assert "Next: pairedge predict --model exports/ws-x/seed-2021/pair.onnx" in result.stdout
    assert (tmp_path / "exports" / "ws-x" / "seed-2021" / "card.md").is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["nothing.safetensors"], 1, r"nothing.safetensors: no such checkpoint"),
        (["--runs", "empty"], 1, r"empty: no checkpoint there; train one with pairedge-train"),
        (["a", "b", "--out", "c"], 2, "--out is for one checkpoint"),
    ],
)
def test_wrong_use_is_one_sentence(
    arguments: list[str], code: int, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = export(*arguments)
    assert result.exit_code == code
    assert re.search(sentence, result.stderr.splitlines()[-1])
    assert list(tmp_path.iterdir()) == []


def edited(path: Path, edit: Callable[[Any], Any]) -> bytes:
    """The bytes of a checkpoint with its metadata changed."""
    with safe_open(path, framework="pt") as file:
        metadata = json.loads(file.metadata()["pairedge"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    return safetensors.torch.save(tensors, {"pairedge": json.dumps(edit(metadata))})


@pytest.mark.parametrize(
    "edit",
    [
        lambda metadata: [metadata],
        lambda metadata: None,
        lambda metadata: {**metadata, "schema": 99},
        lambda metadata: {name: value for name, value in metadata.items() if name != "seed"},
        lambda metadata: {name: value for name, value in metadata.items() if name != "recipe"},
        lambda metadata: {**metadata, "recipe": "aux_ws"},
        lambda metadata: {**metadata, "recipe": {"no such setting": 1}},
        lambda metadata: {**metadata, "recipe": {}},  # the defaults: another variant, whose weights differ
        lambda metadata: {**metadata, "metrics": 0.99},
        lambda metadata: {**metadata, "metrics": {**metadata["metrics"], "test_accuracy": "high"}},
        lambda metadata: {**metadata, "metrics": {**metadata["metrics"], "test_accuracy": 1.5}},
        lambda metadata: {**metadata, "metrics": {**metadata["metrics"], "test_accuracy": float("nan")}},
        lambda metadata: {**metadata, "metrics": {**metadata["metrics"], "test_pairs": "many"}},
        lambda metadata: {**metadata, "metrics": {"pair_threshold": []}},
        lambda metadata: {**metadata, "metrics": {"no such metric": 1}},
        lambda metadata: {**metadata, "machine": {}},
        lambda metadata: {**metadata, "machine": {"cpu": 3}},
        lambda metadata: {**metadata, "training_sha256": "| a | table |"},
        lambda metadata: {**metadata, "seed": -1},
        lambda metadata: {**metadata, "schema": [2]},
        lambda metadata: {**metadata, "schema": True},
        lambda metadata: {**metadata, "schema": 1, "recipe": {"variant": "ws", "other_variants": 3}},
        lambda metadata: {**metadata, "schema": 1, "recipe": {"variant": "ws", "members": 10**12}},
        lambda metadata: {**metadata, "schema": 1, "recipe": {"variant": "ws", "members": "two"}},
        lambda metadata: {**metadata, "schema": 1, "recipe": {"variant": "ws", "folds": 2, "seed": 1e400}},
    ],
)
def test_metadata_edited_by_hand_are_one_sentence(
    edit: Callable[[Any], Any], checkpoint_files: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "edited.safetensors"
    path.write_bytes(edited(checkpoint_files["ws"], edit))
    result = export(str(path), "--out", str(tmp_path / "out"))
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit), result.exception  # else it would be a traceback
    assert re.fullmatch(r"Error: .+\n", result.stderr)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["[" * 100_000, '{"schema": 2, "recipe": ' + '{"a":' * 100_000, "9" * 5_000])
def test_metadata_that_no_parser_survives_are_one_sentence(
    text: str, checkpoint_files: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "edited.safetensors"
    path.write_bytes(safetensors.torch.save({"a": torch.zeros(1)}, {"pairedge": text}))
    result = export(str(path), "--out", str(tmp_path / "out"))
    assert result.exit_code == 1
    assert result.stderr == f"Error: {path}: its metadata name no schema\n"


@pytest.mark.parametrize(
    "edit",
    [
        lambda weight: weight.fill_(float("nan")),
        lambda weight: weight[..., :1],
        lambda weight: weight.half(),
        lambda weight: weight.long(),
        lambda _: torch.zeros(0),
    ],
)
def test_edited_weights_are_one_sentence(
    edit: Callable[[torch.Tensor], torch.Tensor], checkpoint_files: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "edited.safetensors"
    with safe_open(checkpoint_files["ws"], framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        name = next(name for name in tensors if name.endswith("weight"))
        tensors[name] = edit(tensors[name]).contiguous()
        path.write_bytes(safetensors.torch.save(tensors, file.metadata()))
    result = export(str(path), "--out", str(tmp_path / "out"))
    assert result.exit_code == 1
    assert re.fullmatch(
        r"Error: .+ do not fit this version, or the code of its variant; train again\n", result.stderr
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("converted_before")
def test_links_that_lead_nowhere_are_passed_over(
    checkpoint_files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "gone.safetensors").symlink_to("nowhere")
    result = export()
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: runs: no checkpoint there")
    shutil.copy(checkpoint_files["ws"], tmp_path / "runs" / "seed-2021.safetensors")
    result = export()
    assert result.exit_code == 0, result.output
    assert "Exporting runs/seed-2021.safetensors" in result.stdout


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", None])
def test_a_damaged_checkpoint_is_one_sentence(
    content: bytes | None, checkpoint_files: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "damaged.safetensors"
    path.write_bytes(checkpoint_files["ws"].read_bytes()[:5000] if content is None else content)
    result = export(str(path), "--out", str(tmp_path / "out"))
    assert result.exit_code == 1
    assert result.stderr == f"Error: {path}: not a safetensors file, or a damaged one\n"


@pytest.mark.parametrize("missing", ["torch", "onnx"])
def test_a_missing_package_names_the_extra(missing: str) -> None:
    program = (
        f"import sys; sys.modules[{missing!r}] = None; from pairedge_export.cli import main; main(['x'])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr == f"Error: exporting needs {missing}: pip install 'pairedge[export]'\n"


@pytest.mark.usefixtures("converted_before")
def test_an_unwritable_folder_is_one_sentence(checkpoint_files: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file in the way")
    result = export(str(checkpoint_files["ws"]), "--out", str(tmp_path / "out"))
    assert result.exit_code == 1
    assert re.search(r"out: cannot write pair.onnx, parity.json, card.md: ", result.stderr.splitlines()[-1])
    assert (tmp_path / "out").read_text() == "a file in the way"
