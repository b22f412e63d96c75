"""`pairedge evaluate`: pictures in a folder are classified and scored against the digits in their names."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from PIL import Image, ImageDraw

import pairedge
from pairedge.drawing import Cell, draw_evaluation, draw_sheet
from pairedge.scoring import BINS, Evaluation, LabelError, digit_of, label_of
from pairedge_train.rendering.pen_digits import Look, draw_digit

from ..image.hostile import HOSTILE

Command = Callable[..., CompletedProcess[str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Digits named in all ways: nine right, two misnamed, one blank; and what is no picture."""
    top = tmp_path / "digits"
    for digit in range(9):
        (top / str(digit)).mkdir(parents=True)
        draw_digit(digit, Look()).save(top / str(digit) / f"{9 - digit}_a.png")
    draw_digit(9, Look()).save(top / "1_named_wrongly.png")
    draw_digit(2, Look(slant=0.1)).save(top / "wrong-7.jpg")
    Image.new("L", (40, 40), 200).save(top / "blank_3.png")
    (top / "notes.txt").write_text("no picture")
    (top / ".hidden").mkdir()
    (top / ".hidden" / "unnamed.png").write_text("no picture")
    return top


@pytest.mark.parametrize(
    ("path", "digit"),
    [
        ("7/abc.png", 7),
        ("7/3_abc.png", 7),  # the folder decides
        ("set/7_abc.png", 7),
        ("set/7.png", 7),
        ("set/7-abc 12.png", 7),
        ("set/abc_7.png", 7),
        ("set/abc12.7.png", 7),
        ("set/7_abc_7.png", 7),
        ("12/0 a.png", 0),
    ],
)
def test_a_digit_is_the_folder_or_set_apart_in_the_name(path: str, digit: int) -> None:
    assert digit_of(Path("/data") / path) == digit


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("7_abc_3.png", "starts and ends with different digits"),
        ("digit7.png", "neither starts nor ends with a single digit"),
        ("7abc.png", "neither"),
        ("17.png", "neither"),
        ("abc_17.png", "neither"),
        ("a_7_b.png", "neither"),
        ("\N{SUPERSCRIPT TWO}.png", "neither"),
    ],
)
def test_an_ambiguous_name_is_refused_in_one_sentence(name: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=reason):
        digit_of(tmp_path / name)


def test_a_folder_named_by_a_relative_path_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    (tmp_path / "7").mkdir()
    draw_digit(7, Look()).save(tmp_path / "7" / "a.png")
    monkeypatch.chdir(tmp_path / "7")
    assert command("evaluate", ".").stdout.startswith("1 right of 1: 100.00%\n")


def test_a_folder_without_pictures_is_refused(tmp_path: Path, command: Command) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    answer = command("evaluate", tmp_path)
    assert answer.returncode == 1
    assert f"{tmp_path}: contains no pictures\n" in answer.stdout
    assert f"{tmp_path / 'notes.txt'}: not a picture by its suffix '.txt'\n" in answer.stdout
    answer = command("evaluate", tmp_path / "7_gone.png")
    assert answer.returncode == 1
    assert answer.stderr == f"Error: {tmp_path / '7_gone.png'}: no such file or directory\n"


def test_counts_are_those_of_answers_one_by_one(
    model: pairedge.PairModel, folder: Path, command: Command
) -> None:
    paths = sorted(path for path in folder.rglob("[!u]*") if path.suffix in (".png", ".jpg"))
    assert len(paths) == 12
    expected = np.zeros((10, 10), int)
    for path in paths:
        if path.name != "blank_3.png":
            expected[digit_of(path), model.classify(path).digit] += 1
    scores = json.loads(command("evaluate", "--json", folder).stdout)
    np.testing.assert_array_equal(scores["confusion"], expected)
    assert [(Path(each["picture"]).name, each["status"]) for each in scores["refused"]] == [
        ("blank_3.png", "no-ink")
    ]


def test_mistakes_come_most_confident_first_and_then_what_was_refused() -> None:
    evaluation = Evaluation()
    for name, probability in (("low", 0.6), ("high", 0.9)):
        evaluation.add(
            {"picture": name, "label": 1, "status": "ok", "digit": 7, "probability": probability}
            | {"confidence": probability}
        )
    evaluation.add({"picture": "blank", "label": 1, "status": "no-ink", "error": "blank: no ink"})
    evaluation.add({"picture": "torn", "label": 1, "status": "unreadable", "error": "torn: damaged"})
    assert [outcome["picture"] for outcome in evaluation.mistakes()] == ["high", "low", "blank"]
    assert (evaluation.pictures, evaluation.answered, evaluation.accuracy) == (4, 2, 0)


def test_the_histogram_of_confidence_counts_right_and_wrong_answers_apart() -> None:
    evaluation = Evaluation()
    for digit, confidence in ((7, 1.0), (7, 0.999), (7, 0.0), (1, 0.5)):
        evaluation.add(
            {"picture": "a", "label": 7, "status": "ok", "digit": digit, "probability": confidence}
            | {"confidence": confidence}
        )
    wrong, right = evaluation.confidences
    assert (wrong.nonzero()[0].tolist(), wrong.sum()) == ([BINS // 2], 1)
    assert (right[0], right[BINS - 1], right.sum()) == (1, 2, 3)


def test_the_command_prints_counts_confusion_matrix_and_mistakes(command: Command, folder: Path) -> None:
    answer = command("evaluate", folder)
    assert (answer.returncode, answer.stderr) == (0, "")
    lines = answer.stdout.splitlines()
    assert lines[0] == "9 right of 12: 75.00% (1 refused)"
    assert "no-ink               1         0" in lines
    assert "7          .    .    1    .    .    .    .    1    .    ." in lines
    assert any(line.startswith(f"  {folder / '1_named_wrongly.png'}: 1, read as 9, P = ") for line in lines)
    assert f"  {folder / 'blank_3.png'}: 3, no-ink" in lines
    assert lines[-3:] == [
        "left out",
        f"  {folder / '.hidden'}: hidden",
        f"  {folder / 'notes.txt'}: not a picture by its suffix '.txt'",
    ]


def test_json_has_every_count_and_mistake(command: Command, folder: Path) -> None:
    [line] = command("evaluate", "--json", folder).stdout.splitlines()
    scores = json.loads(line)
    assert (scores["pictures"], scores["answered"], scores["right"]) == (12, 11, 9)
    assert scores["accuracy"] == 9 / 12
    assert scores["statuses"] == {
        "ok": {"pictures": 11, "right": 9},
        "no-ink": {"pictures": 1, "right": 0},
    }
    assert np.sum(scores["confusion"]) == 11
    assert {(Path(one["picture"]).name, one["label"], one["digit"]) for one in scores["mistakes"]} == {
        ("1_named_wrongly.png", 1, 9),
        ("wrong-7.jpg", 7, 2),
    }
    [refused] = scores["refused"]
    assert (refused["status"], refused["label"]) == ("no-ink", 3)
    assert "no ink found" in refused["error"]
    assert scores["left_out"] == [
        {"path": str(folder / ".hidden"), "reason": "hidden"},
        {"path": str(folder / "notes.txt"), "reason": "not a picture by its suffix '.txt'"},
    ]


def test_csv_has_a_row_per_picture(command: Command, folder: Path) -> None:
    (folder / "unlabeled.png").write_bytes((folder / "1_named_wrongly.png").read_bytes())
    answer = command("evaluate", "--csv", folder)
    assert answer.returncode == 1
    rows = {Path(row["picture"]).name: row for row in csv.DictReader(answer.stdout.splitlines())}
    assert len(rows) == 13
    assert (rows["1_named_wrongly.png"]["digit"], rows["1_named_wrongly.png"]["right"]) == ("9", "false")
    assert (rows["9_a.png"]["label"], rows["9_a.png"]["right"]) == ("0", "true")
    assert rows["unlabeled.png"]["status"] == "unlabeled"
    assert rows["blank_3.png"]["status"] == "no-ink"
    assert answer.stderr.startswith("Left out: ")


def test_a_picture_without_a_label_is_left_out_and_said(command: Command, folder: Path) -> None:
    (folder / "scan.png").write_bytes((folder / "1_named_wrongly.png").read_bytes())
    answer = command("evaluate", folder)
    assert answer.returncode == 1
    assert answer.stdout.startswith("9 right of 12: 75.00% (1 refused)\n")
    assert f"  {folder / 'scan.png'}: its name neither starts nor ends with a single digit" in answer.stdout
    [row] = json.loads(command("evaluate", "--json", folder).stdout)["unlabeled"]
    assert (Path(row["picture"]).name, row["status"]) == ("scan.png", "unlabeled")


def test_a_list_may_say_the_labels(command: Command, folder: Path, tmp_path: Path) -> None:
    paths = [folder / "1_named_wrongly.png", folder / "wrong-7.jpg", folder / "0" / "9_a.png"]
    listed = tmp_path / "list.csv"
    listed.write_text("picture,label\n" + "".join(f"{p},{d}\n" for p, d in zip(paths, "92x", strict=True)))
    answer = command("evaluate", "--from", listed)
    assert answer.stdout.startswith("2 right of 2: 100.00%\n")
    assert f"{paths[2]}: its label is 'x', which is no digit" in answer.stdout
    assert label_of(None, paths[2]) == 0


def test_uncertain_answers_fail_only_with_min_confidence(command: Command, folder: Path) -> None:
    answer = command("evaluate", "--min-confidence", "1", folder)
    assert answer.returncode == 1
    assert "uncertain" in answer.stdout


def test_an_unreadable_picture_is_reported_and_fails(command: Command, folder: Path) -> None:
    (folder / "5_cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    answer = command("evaluate", "--json", folder)
    assert answer.returncode == 1
    assert answer.stderr == f"Error: {folder / '5_cut.png'}: the picture is damaged or truncated\n"
    assert json.loads(answer.stdout)["statuses"]["unreadable"] == {"pictures": 1, "right": 0}


def test_every_refused_picture_counts_as_a_mistake(command: Command, folder: Path) -> None:
    digits = [np.asarray(draw_digit(digit, Look(size=(160, 240)))) for digit in (5, 7)]
    Image.fromarray(np.hstack(digits)).save(folder / "5_and_more.png")
    (folder / "5_cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    scores = json.loads(command("evaluate", "--json", folder).stdout)
    assert {status: counts["pictures"] for status, counts in scores["statuses"].items()} == {
        "ok": 11,
        "no-ink": 1,
        "several": 1,
        "unreadable": 1,
    }
    assert scores["accuracy"] == 9 / 14
    assert command("evaluate", folder).stdout.startswith("9 right of 14: 64.29% (3 refused)\n")


def test_without_refusals_none_are_reported(command: Command, tmp_path: Path) -> None:
    draw_digit(7, Look()).save(tmp_path / "7.png")
    answer = command("evaluate", tmp_path)
    assert answer.returncode == 0
    assert answer.stdout.startswith("1 right of 1: 100.00%\n")


def test_when_nothing_is_answered_the_command_fails(command: Command, tmp_path: Path) -> None:
    Image.new("L", (40, 40), 200).save(tmp_path / "3.png")
    answer = command("evaluate", tmp_path)
    assert (answer.returncode, answer.stderr) == (1, "")
    assert answer.stdout.startswith("0 right of 1: 0.00% (1 refused)\n")
    assert "as 0" not in answer.stdout  # a confusion matrix of nothing
    answer = command("evaluate", "--json", tmp_path)
    assert answer.returncode == 1
    assert json.loads(answer.stdout)["accuracy"] == 0


def test_without_any_picture_there_is_no_accuracy() -> None:
    assert Evaluation().accuracy is None


def test_long_lists_of_mistakes_are_truncated_and_say_so(
    command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pairedge.cli.evaluate._LISTED", 1)
    lines = command("evaluate", folder).stdout.splitlines()
    place = lines.index("  and 2 more: --json lists all, --mistakes draws them")
    assert lines[place - 2] == "mistakes"
    assert lines[-1] == "  and 1 more: --json lists all"


def test_mistakes_are_drawn(command: Command, folder: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    assert command("evaluate", "--mistakes", sheet, folder).returncode == 0
    with Image.open(sheet) as three:
        assert three.width > 3 * 2 * 126
    (folder / "1_named_wrongly.png").rename(folder / "9_named.png")
    command("evaluate", "--mistakes", sheet, folder)
    with Image.open(sheet) as two:
        assert two.width < three.width


def test_a_contact_sheet_draws_each_cell_up_to_a_limit() -> None:
    cell = Cell(np.zeros((20, 30)), np.zeros((14, 14), np.uint8), "7, read as 1", "a.png")
    sizes = {count: draw_sheet([cell] * count, count).size for count in (0, 1, 4, 5, 200, 1000)}
    assert sizes[4][0] == sizes[5][0] > sizes[1][0]
    assert sizes[5][1] > sizes[4][1] == sizes[1][1]
    assert sizes[1000] == sizes[200]
    all_there, first = (draw_sheet([cell] * 2, total).tobytes() for total in (2, 3))
    assert all_there != first  # it says that there are more


def test_the_confusion_matrix_and_the_confidence_are_drawn(
    command: Command, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts: list[str] = []
    draw = ImageDraw.ImageDraw.text

    def keep_and_draw(pen: ImageDraw.ImageDraw, place: object, text: str, *rest: object) -> None:
        texts.append(text)
        draw(pen, place, text, *rest)  # type: ignore[arg-type]  # the rest is passed on as it came

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", keep_and_draw)
    assert command("evaluate", "--confusion", tmp_path / "matrix.png", folder).returncode == 0
    assert texts[0] == "9 right of 12: 75.00% (1 refused)"
    assert texts.count("1") == 2 + 11 + 1  # heads of a row and a column, each digit read once, the axis
    assert any(text.startswith("9 right, at most ") for text in texts)
    assert any(text.startswith("2 wrong, at most ") for text in texts)
    with Image.open(tmp_path / "matrix.png") as drawing:
        assert drawing.format == "PNG"


def test_a_right_answer_is_blue_and_a_mistake_orange() -> None:
    confusion, confidences = np.zeros((10, 10), np.int64), np.zeros((2, 20), np.int64)
    confusion[3, 3], confusion[3, 8] = 5, 1
    confidences[1, 19], confidences[0, 0] = 5, 1
    pixels = np.asarray(draw_evaluation(confusion, confidences, "title")).astype(int)
    red, blue = pixels[..., 0] - pixels[..., 2] > 40, pixels[..., 2] - pixels[..., 0] > 40
    right_of_matrix = 100 + 10 * 44 + 60
    assert red[:, :right_of_matrix].any()
    assert blue[:, :right_of_matrix].any()
    assert red[:, right_of_matrix:].any()
    assert blue[:, right_of_matrix:].any()
    confusion[3, 8] = confidences[0, 0] = 0
    pixels = np.asarray(draw_evaluation(confusion, confidences, "title")).astype(int)
    assert not (pixels[:, :right_of_matrix, 0] - pixels[:, :right_of_matrix, 2] > 40).any()


def test_mistakes_that_would_cost_much_or_cannot_be_read_do_not_stop_the_drawing(
    command: Command, tmp_path: Path
) -> None:
    folder = tmp_path / "7"
    folder.mkdir()
    (folder / "large.png").write_bytes(HOSTILE["WebP"][0]())
    (folder / "none.png").write_bytes(b"")
    Image.new("L", (1, 40), 255).save(folder / "line.png")
    sheet = tmp_path / "sheet.png"
    answer = command("evaluate", "--mistakes", sheet, folder)
    assert answer.returncode == 1
    assert answer.stderr.count("Error: ") == 2
    assert sheet.exists()
