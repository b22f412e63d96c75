"""The committed card is the one of the committed graphs and checks."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from click.testing import CliRunner
from huggingface_hub import ModelCard, ModelCardData

from tools.model_card import main

SHIPPED = Path(__file__).parents[2] / "artifacts" / "aux_ws"


def test_the_committed_card_is_what_the_tool_writes(tmp_path: Path) -> None:
    folder = shutil.copytree(SHIPPED, tmp_path / "aux_ws")
    (folder / "card.md").unlink()
    result = CliRunner().invoke(main, [str(folder)])
    assert result.exit_code == 0, result.output
    assert (folder / "card.md").read_text() == (SHIPPED / "card.md").read_text()


def test_the_committed_checks_say_what_they_checked() -> None:
    proof = json.loads((SHIPPED / "parity.json").read_text())
    assert {check["kind"] for check in proof["checks"]} == {"contract", "values", "decisions", "c"}


def test_hubs_read_the_committed_card() -> None:
    found = ModelCard((SHIPPED / "card.md").read_text())
    assert isinstance(found.data, ModelCardData)
    assert (found.data.license, found.data.library_name) == ("mit", "onnx")
    assert {result.dataset_name for result in found.data.eval_results or []} == {"mnist"}
    sections = [line.removeprefix("## ") for line in found.text.splitlines() if line.startswith("## ")]
    assert sections[:4] == ["Intended use", "Accuracy", "Accuracy by group", "Confidence"]
    assert "Limitations" in sections
