"""The study of adapting resumes hand by hand, judges on pictures of its own, and writes its page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pairedge_train.adaptation import hands as module
from pairedge_train.adaptation.fine_tune import adapted_recipe
from pairedge_train.adaptation.hands import HandRow, own_pictures, read_hand_rows, reads, run_study
from pairedge_train.adaptation.page import errors, figure, loss, page
from pairedge_train.data.datasets import DataSet
from pairedge_train.errors import DataError
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.rendering.hands import hands
from pairedge_train.rows import Paired
from pairedge_train.training.checkpoint import Checkpoint


def paired(n: int, wrong_before: int, wrong_after: int, p: float = 1.0) -> Paired:
    lost = max(0, wrong_after - wrong_before)
    gained = wrong_before - wrong_after + lost
    before, after = 1 - wrong_before / n, 1 - wrong_after / n
    return Paired(n=n, before=before, after=after, gained=gained, lost=lost, p=p)


def row(hand: str, own: Paired, mnist: Paired) -> HandRow:
    return HandRow(
        hand=hand,
        designer="D",
        start="5e" * 32,
        recipe="abcdef01",
        split="test",
        each=5,
        pictures=49,
        refused=1,
        own=own,
        mnist=mnist,
        seconds=9.0,
        seed=2021,
    )


def test_a_study_resumes_and_adds_a_row_a_hand(
    shipped: Checkpoint,
    own: DataSet,
    uci: DataSet,
    few: Recipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chosen = hands("test")[:2]
    judged = [*own.test.tiles[:20], None]
    monkeypatch.setattr(module, "hands", lambda _: chosen)
    monkeypatch.setattr(module, "own_pictures", lambda hand, count: own.training)
    monkeypatch.setattr(
        module, "judged_pictures", lambda _: (judged, torch.cat([own.test.labels[:20], torch.tensor([3])]))
    )
    recipe = adapted_recipe(few.with_({"optim.epochs": 1, "adapt.replay": 100}), shipped)
    file = tmp_path / "hands.jsonl"

    def study(count: int = 5, seed: int = 3) -> list[HandRow]:
        return run_study(recipe, shipped.network, uci, file, count=count, seed=seed)

    rows = study()
    assert [each.hand for each in rows] == [hand.name for hand in chosen]
    assert read_hand_rows(file) == rows
    for each in rows:
        assert (each.own.n, each.refused, each.pictures, each.mnist.n) == (21, 1, 200, len(uci.test))
        assert each.own.after < 1  # the refused picture is an error

    file.write_text(file.read_text().splitlines()[0] + "\n")  # stopped after the first hand
    assert [replace(each, seconds=0.0) for each in study()] == [replace(each, seconds=0.0) for each in rows]
    monkeypatch.delattr(module, "fine_tune")  # nothing is left to do
    assert study() == read_hand_rows(file)
    for other in ({"seed": 4}, {"count": 4}):
        with pytest.raises(NameError):
            study(**other)


def test_a_hand_writes_so_many_pictures_of_each_digit() -> None:
    hand = hands("test")[0]
    digits = own_pictures(hand, 1)
    assert digits.labels.tolist() == list(range(10))
    assert (own_pictures(hand, 1).tiles == digits.tiles).all()


def test_a_refused_picture_is_read_by_no_network(shipped: Checkpoint, uci: DataSet) -> None:
    tiles = [None, *uci.training.tiles[:8]]
    labels = torch.cat([torch.tensor([0]), uci.training.labels[:8]])
    right = reads(shipped.network, tiles, labels)
    assert not right[0]
    assert right[1:].sum() >= 7  # the model that ships reads 97 of 100 of these


def test_the_page_has_the_means_the_targets_and_a_line_a_hand() -> None:
    rows = [
        row("caveat", paired(200, 40, 10, 0.0001), paired(10_000, 50, 56)),
        row("kalam", paired(200, 20, 18, 0.8), paired(10_000, 50, 52)),
    ]
    assert errors(rows, "before") == pytest.approx(0.15)
    assert errors(rows, "after") == pytest.approx(0.07)
    assert loss(rows) == pytest.approx(0.0004)
    lines = page(rows).splitlines()
    assert "| errors on the hand | 15.00 % | 7.00 % | at least halved | met |" in lines
    assert "| errors on MNIST's test digits | 0.50 % | 0.54 % | at most 0.05 points more | met |" in lines
    assert "| caveat | D | 200 | 1 | 40 | 10 | 0.0001 | -0.06 |" in lines
    worse = [replace(each, own=paired(200, 20, 11), mnist=paired(10_000, 50, 56)) for each in rows]
    assert page(worse).count("**missed**") == 2


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hands.jsonl").write_text('{"hand": "caveat"}\n')
    with pytest.raises(DataError, match="holds something else than rows of hands"):
        read_hand_rows(tmp_path / "hands.jsonl")


def test_the_figure_is_the_same_bytes_every_time() -> None:
    rows = [row("caveat", paired(200, 40, 10), paired(10_000, 50, 56))]
    assert figure(rows) == figure(rows)
