"""Progress bars: rendering, training and judging each have their own, and each counts all of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from pairedge_train.cli import progress as module
from pairedge_train.cli.progress import Progress
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.training.epoch import Epoch
from pairedge_train.training.evaluate import Scores
from pairedge_train.training.events import EpochEnd, Event, Judged, Rendered, Stage, Step

COUNTS = {"rendered": 20, "printed": 5, "negatives": 10, "hands": 8, "written": 7}
RECIPE = Recipe().with_({f"data.synthetic.{name}": count for name, count in COUNTS.items()})


def epoch(number: int) -> Epoch:
    scores = Scores(pairs=0.9, digits=None, comparison_loss=0.1, digit_loss=None)
    return Epoch(number, 1.5, 0.5, 1.0, 0.1, validation=scores, train=None, test=None)


@pytest.fixture(autouse=True)
def drawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DELAY", 0)
    monkeypatch.setattr(module, "_interval", lambda: 0)


def bars(events: Sequence[Event], capfd: pytest.CaptureFixture[str], rounds: int = 1) -> str:
    with Progress(RECIPE, seed=2021, rounds=rounds) as progress:
        for event in events:
            progress(event)
        progress.say("a line")
    lines = capfd.readouterr()
    assert lines.out == "a line\n"
    return lines.err.replace("\r", "\n")


def test_pictures_of_all_kinds_have_a_bar_before_the_epochs_begin(capfd: pytest.CaptureFixture[str]) -> None:
    stage = Stage("aux_ws", 2022, epochs=2, steps=4)
    shown = bars([Rendered(25), Rendered(25), EpochEnd(stage, epoch(1))], capfd, rounds=3)
    assert re.search(r"rendering: +50%.*\| 25/50 \[", shown)
    training = re.search(
        r"aux_ws round 2/3: +50%.*epoch 1/2, loss 1.500, comparison 0.500, digits 1.0", shown
    )
    assert training
    assert shown.index("rendering: 100%") < training.start()
    assert "validation 90.0 %" in shown


def test_a_batch_moves_the_bar_before_the_first_epoch_ends(capfd: pytest.CaptureFixture[str]) -> None:
    stage = Stage("aux_ws", 2021, epochs=2, steps=5)
    assert re.search(r"aux_ws round 1/1: +30%\|.*<", bars([Step(stage)] * 3, capfd))


def test_an_epoch_ends_where_its_last_batch_was_left_out(capfd: pytest.CaptureFixture[str]) -> None:
    stage = Stage("aux_ws", 2021, epochs=2, steps=5)
    assert re.search(r": +50%\|.*epoch 1/2", bars([*[Step(stage)] * 4, EpochEnd(stage, epoch(1))], capfd))


def test_resumed_epochs_count_as_done_and_not_as_fast(capfd: pytest.CaptureFixture[str]) -> None:
    stage = Stage("aux_ws", 2021, epochs=4, steps=5, resumed=3)
    ends = [EpochEnd(stage, epoch(number)) for number in (1, 2, 3)]
    shown = bars([*ends, Step(stage)], capfd)
    assert ": 75%" in shown.replace("  ", " ")
    assert ": 80%" in shown.replace("  ", " ")
    assert "epoch 3/4" not in shown


def test_a_teacher_is_named_and_each_member_begins_anew(capfd: pytest.CaptureFixture[str]) -> None:
    stages = [Stage("deep_aux_ws", 2021, epochs=1, steps=2, member=i, teacher=True) for i in range(2)]
    shown = bars([EpochEnd(stage, epoch(1)) for stage in stages], capfd)
    assert len(re.findall(r"teacher deep_aux_ws round 1/1: +0%", shown)) == 2


def test_judging_has_a_bar_for_each_kind_of_pairs(capfd: pytest.CaptureFixture[str]) -> None:
    shown = bars([Judged(25, 50, "test pairs"), Judged(25, 50, "test pairs"), Judged(1, 9, "others")], capfd)
    assert re.search(r"judging test pairs: +50%.*25/50 \[\d\d:\d\d<\d\d:\d\d", shown)
    assert re.search(r"judging others: +11%.*1/9", shown)
