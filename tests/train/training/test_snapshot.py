"""A round that is stopped at random moments and resumed ends with the same bytes as an undisturbed one."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from pairedge_train.data.datasets import DataSet
from pairedge_train.errors import DivergedError
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.machine import machine
from pairedge_train.rows import read_rows
from pairedge_train.training import rounds as rounds_module
from pairedge_train.training import snapshot as snapshot_module
from pairedge_train.training.events import EpochEnd, Event, Judged, RoundEnd, Step, Watch, unwatched
from pairedge_train.training.one_round import identity
from pairedge_train.training.rounds import run_rounds, snapshot_path

EPOCHS = 6
# Between them, all that a training remembers from epoch to epoch.
RECIPES: dict[str, dict[str, Any]] = {
    "dropout": {"evaluation.dropout": True},
    "averages, schedule and augmentation": {
        "network.variant": "aux_ws",
        "data.shuffle": True,
        "augment.rotate": 10.0,
        "augment.elastic": 0.1,
        "optim.schedule": "one-cycle",
        "optim.ema": 0.8,
    },
    "pairs that are drawn anew": {"data.redraw": True, "data.validation_pairs": 5},
    "best weights and a plateau": {
        "data.hold_out": 6,
        "data.validation_pairs": 0,
        "stopping.restore_best": True,
        "stopping.patience": EPOCHS - 1,
        "optim.plateau_threshold": 0.2,
    },
    "members of an ensemble": {"network.variant": ["aux_ws", "twinnet_aux_ws"], "data.shuffle": True},
}


def train(recipe: Recipe, data: DataSet, folder: Path, every: int, watch: Watch = unwatched) -> None:
    run_rounds(recipe, data, folder, rounds=2, checkpoint_every=every, watch=watch)


def contents(folder: Path) -> dict[str, bytes]:
    """What a run leaves, but for the seconds in its rows and in run.json."""
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.name not in ("rows.jsonl", "run.json")
    }


def stopping_at(moment: int) -> Watch:
    """Stops a training at one of its events, as a kill would: nothing is written any more."""
    events = iter(range(moment + 1))

    def watch(_: Event) -> None:
        if next(events) == moment:
            raise KeyboardInterrupt

    return watch


def at_judging(event: Event) -> None:
    """Stops a training when its network is judged."""
    if isinstance(event, Judged):
        raise KeyboardInterrupt


@pytest.mark.parametrize(("name", "every"), [*((name, 1) for name in RECIPES), ("dropout", 4)])
def test_a_round_that_is_stopped_again_and_again_ends_with_the_same_bytes(
    name: str, every: int, uci: DataSet, quick: Recipe, tmp_path: Path
) -> None:
    recipe = quick.with_({"optim.epochs": EPOCHS, **RECIPES[name]})
    events: list[Event] = []
    train(recipe, uci, tmp_path / "undisturbed", 0, events.append)
    draw = random.Random(f"{name} {every}")
    of_first_round = next(i for i, event in enumerate(events) if isinstance(event, RoundEnd))
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            train(recipe, uci, tmp_path / "stopped", every, stopping_at(draw.randrange(of_first_round)))
    with pytest.raises(KeyboardInterrupt):  # while it is judged
        train(recipe, uci, tmp_path / "stopped", every, at_judging)
    again: list[Event] = []
    train(recipe, uci, tmp_path / "stopped", 0, again.append)
    assert max(event.stage.resumed for event in again if isinstance(event, EpochEnd)) >= min(every, 3)
    assert contents(tmp_path / "stopped") == contents(tmp_path / "undisturbed")


def test_a_bundle_is_resumed_too(
    tiny: DataSet, quick: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds_module, "bundles", lambda *_: [[0, 1]])
    recipe = quick.with_({"optim.epochs": EPOCHS})
    train(recipe, tiny, tmp_path / "undisturbed", 0)
    assert {row.bundle for row in read_rows(tmp_path / "undisturbed" / "rows.jsonl")} == {(2021, 2022)}
    for moment in (7, 11):
        with pytest.raises(KeyboardInterrupt):
            train(recipe, tiny, tmp_path / "stopped", 1, stopping_at(moment))
    train(recipe, tiny, tmp_path / "stopped", 0)
    assert contents(tmp_path / "stopped").keys() == contents(tmp_path / "undisturbed").keys()
    for seed in (2021, 2022):
        name = f"seed-{seed}.safetensors"
        assert (tmp_path / "stopped" / name).read_bytes() == (tmp_path / "undisturbed" / name).read_bytes()


def interrupted(recipe: Recipe, data: DataSet, folder: Path) -> Path:
    """Stop a round after its third epoch, and give its snapshot, of two."""

    def watch(event: Event) -> None:
        if isinstance(event, EpochEnd) and event.epoch.number == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(recipe, data, folder, 1, watch)
    return snapshot_path(folder, 2021)


def test_a_resumed_round_trains_only_what_is_missing(tiny: DataSet, quick: Recipe, tmp_path: Path) -> None:
    recipe = quick.with_({"optim.epochs": EPOCHS})
    snapshot = interrupted(recipe, tiny, tmp_path)
    events: list[Event] = []
    run_rounds(recipe, tiny, tmp_path, watch=events.append)
    steps = [event.stage for event in events if isinstance(event, Step)]
    assert {stage.resumed for stage in steps} == {2}
    assert len(steps) == (EPOCHS - 2) * 3
    told = [event.epoch.number for event in events if isinstance(event, EpochEnd)]
    assert told == list(range(1, EPOCHS + 1))
    assert not snapshot.exists()


@pytest.mark.parametrize("harm", ["other pairs", "another architecture", "damaged", "not torch's"])
def test_a_snapshot_of_something_else_does_not_count(
    harm: str, tiny: DataSet, quick: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = quick.with_({"optim.epochs": EPOCHS})
    snapshot = interrupted(recipe, tiny, tmp_path)
    if harm == "other pairs":
        tiny.training.gray.mul_(0.5)
    elif harm == "another architecture":
        monkeypatch.setattr(
            rounds_module, "identity", lambda *of: {**identity(*of), "networks": ["another one"]}
        )
    elif harm == "damaged":
        snapshot.write_bytes(snapshot.read_bytes()[:-100])
    else:
        snapshot.write_bytes(b"no snapshot")
    steps: list[Event] = []
    train(recipe, tiny, tmp_path, 0, lambda event: steps.append(event) if isinstance(event, Step) else None)
    assert len(steps) == 2 * EPOCHS * 3
    assert not snapshot.exists()


def test_a_snapshot_of_another_machine_counts_and_the_row_names_both(
    tiny: DataSet, quick: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = machine()
    with monkeypatch.context() as patch:
        patch.setattr(snapshot_module, "machine", lambda _: {**here, "cpu": "Another CPU"})
        interrupted(quick.with_({"optim.epochs": EPOCHS}), tiny, tmp_path)
    train(quick.with_({"optim.epochs": EPOCHS}), tiny, tmp_path, 0)
    first, second = read_rows(tmp_path / "rows.jsonl")
    assert first.machine == {**here, "cpu": f"Another CPU, then {here['cpu']}"}
    assert second.machine == here


def test_a_round_that_diverges_leaves_no_snapshot(tiny: DataSet, quick: Recipe, tmp_path: Path) -> None:
    recipe = quick.with_({"optim.epochs": EPOCHS})
    snapshot = interrupted(recipe, tiny, tmp_path)

    def diverge(event: Event) -> None:
        raise DivergedError("the loss became nan")

    with pytest.raises(DivergedError, match=r"^round 1 of 2 \(seed 2021\): the loss became nan"):
        train(recipe, tiny, tmp_path, 1, diverge)
    assert not snapshot.exists()


def test_rounds_of_a_bundle_are_trained_alone_where_one_diverges(
    tiny: DataSet, quick: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds_module, "bundles", lambda *_: [[0, 1]])

    def diverge_together(event: Event) -> None:
        if isinstance(event, Step) and event.stage.bundle:
            raise DivergedError("the loss became nan")

    rows = run_rounds(quick, tiny, tmp_path, rounds=2, watch=diverge_together)
    assert [(row.seed, row.bundle, row.stacked) for row in rows] == [(2021, None, 1), (2022, None, 1)]
