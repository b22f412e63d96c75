"""Progress bars: pictures and epochs each have one of their own, a teacher's named as such."""

from __future__ import annotations

import re

import pytest

from pairedge_train.cli.progress import Progress
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.training.evaluate import Scores
from pairedge_train.training.fit import Epoch
from pairedge_train.training.rounds import Stage

RECIPE = Recipe().with_({"data.synthetic.rendered": 40, "data.synthetic.negatives": 10})


def epoch(number: int) -> Epoch:
    scores = Scores(pairs=0.9, digits=None, comparison_loss=0.1, digit_loss=None)
    return Epoch(number, 1.5, 0.5, 1.0, 0.1, validation=scores, train=None, test=None)


def test_pictures_have_a_bar_before_the_epochs_begin(capfd: pytest.CaptureFixture[str]) -> None:
    with Progress(RECIPE, seed=2021, rounds=3) as progress:
        progress.pictures(25)
        progress.pictures(25)
        progress.epoch(Stage("aux_ws", 2022, epochs=2), epoch(1))
        progress.say("a line")
    lines = capfd.readouterr()
    bars = lines.err.replace("\r", "\n")
    assert re.search(r"rendering: +0%.*\| 0/50 \[", bars)
    assert re.search(r"aux_ws round 2/3: +50%.*1/2 .*loss 1.500, comparison 0.500, digits 1.000", bars)
    assert "validation 90.0 %" in bars
    assert lines.out == "a line\n"


def test_a_teacher_is_named_and_each_member_begins_anew(capfd: pytest.CaptureFixture[str]) -> None:
    with Progress(RECIPE, seed=2021, rounds=1) as progress:
        for member in ("deep_aux_ws", "deep_aux_ws"):
            progress.epoch(Stage(member, 2021, epochs=1, teacher=True), epoch(1))
    bars = capfd.readouterr().err.replace("\r", "\n")
    assert len(re.findall(r"teacher deep_aux_ws round 1/1: +0%", bars)) == 2
