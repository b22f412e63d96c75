"""The page is made from the rows, counts them, and says what is missed."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from reliability.page import PAGE, page
from reliability.rows import FuzzRow, KillRow, MutantRow, SoakRow, add_to_campaign, read_campaign


def test_the_committed_page_is_that_of_the_committed_rows() -> None:
    assert PAGE.read_text() == page(), "run `make reliability-page`"


def kill(**changes: object) -> KillRow:
    facts = {
        **{"command": "train", "disturbance": "SIGKILL", "moment": 0.5, "stopped": True, "sentence": ""},
        **{"finished": True, "equal": True, "doubled": 0, "leftovers": (), "seed": 1, **changes},
    }
    return KillRow(**facts)  # type: ignore[arg-type]  # they fit


def test_lines_count_rows_and_compare_them_with_the_goals(tmp_path: Path) -> None:
    for _ in range(200):
        add_to_campaign(kill(), tmp_path / "kills.jsonl")
    for outcome in ("killed", "killed", "hung", "survived"):
        row = MutantRow(
            file="pairedge/a.py", line=3, old="<", new="<=", outcome=outcome, seed=1, reason="equal"
        )
        add_to_campaign(row, tmp_path / "mutants.jsonl")
    fuzz = FuzzRow(
        reader="PNG to tile",
        executions=1_000_000,
        seconds=1.0,
        crashes=0,
        hangs=1,
        over_memory=0,
        undocumented=0,
        seed=1,
    )
    add_to_campaign(fuzz, tmp_path / "fuzz.jsonl")
    soak = SoakRow(rounds=5, killed=1, halted=1, restarted=1, rows=5, distinct=5, finished=True, seed=1)
    add_to_campaign(soak, tmp_path / "soak.jsonl")
    text = page(tmp_path)
    assert "| PNG to tile | 1,000,000 | 0 | 1 | 0 | 0 | **missed** |" in text
    assert "| train | SIGKILL | 200 | 200 | 200 | met |" in text
    assert "200 kills in all; goal: 200, all sound: met." in text
    assert "| 5 | 1 | 1 | 1 | 5 | met |" in text
    # Wilson's interval of 3 in 4 goes from 30 to 95 %.
    assert "| `pairedge` | 3 of 4 | 75 % (30 to 95) | at least 90 % | the sample cannot tell |" in text
    assert "| pairedge/a.py:3 | `` < `` → `` <= `` | equal |" in text


@pytest.mark.parametrize(
    "changes", [{"finished": False}, {"equal": False}, {"doubled": 1}, {"leftovers": ("a",)}]
)
def test_what_is_not_sound_is_missed(changes: dict[str, object], tmp_path: Path) -> None:
    add_to_campaign(kill(**changes), tmp_path / "kills.jsonl")
    assert "| train | SIGKILL | 1 | 1 | 0 | **missed** |" in page(tmp_path)


def test_without_rows_the_page_says_so(tmp_path: Path) -> None:
    assert page(tmp_path).count("Not run yet.") == 4


def test_a_row_of_another_schema_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kills.jsonl").write_text('{"command": "train"}\n')
    with pytest.raises(ValidationError, match="disturbance"):
        read_campaign(KillRow, tmp_path / "kills.jsonl")
