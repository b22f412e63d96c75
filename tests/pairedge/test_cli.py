"""The command's contract: answers on standard output, all else on standard error, and the exit code."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

import pairedge

Command = Callable[..., CompletedProcess[str]]
Interpreter = Callable[..., str]

FOLDER = Path(__file__).parents[2] / "examples"
THREE, SEVEN, NINE = (FOLDER / f"{name}.png" for name in ("three", "seven", "nine"))
BASE = Path(__file__).parent / "graphs" / "base.onnx"


def test_predict_answers_each_pair_in_one_line(command: Command) -> None:
    answer = command("predict", THREE, SEVEN, NINE, THREE)
    assert (answer.returncode, answer.stderr) == (0, "")
    chance = r"P\(first <= second\) = [01]\.\d{4}"
    assert re.fullmatch(rf"3 <= 7  {chance}\n9 > 3  {chance}\n", answer.stdout)


def test_predict_with_json_prints_what_the_library_answers(
    command: Command, model: pairedge.PairModel
) -> None:
    answer = command("predict", "--json", THREE, SEVEN, NINE, THREE)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert [json.loads(line) for line in answer.stdout.splitlines()] == [
        {"first": str(first), "second": str(second), **model.predict(first, second).to_dict()}
        for first, second in ((THREE, SEVEN), (NINE, THREE))
    ]


def test_classify_answers_each_picture_in_one_line(command: Command) -> None:
    answer = command("classify", THREE, SEVEN)
    assert (answer.returncode, answer.stderr) == (0, "")
    expected = "".join(rf"{re.escape(str(p))}: {d}  P = [01]\.\d{{4}}\n" for p, d in ((THREE, 3), (SEVEN, 7)))
    assert re.fullmatch(expected, answer.stdout)


def test_classify_with_json_prints_what_the_library_answers(
    command: Command, model: pairedge.PairModel
) -> None:
    answer = command("classify", "--json", THREE)
    [expected] = model.classify([THREE])
    assert json.loads(answer.stdout) == {"picture": str(THREE), **expected.to_dict()}


@pytest.mark.parametrize(
    ("arguments", "start"),
    [(("predict", "-", SEVEN), "3 <= 7 "), (("predict", NINE, "-"), "9 > 3 "), (("classify", "-"), "-: 3 ")],
)
def test_a_dash_is_standard_input(command: Command, arguments: tuple[str | Path, ...], start: str) -> None:
    answer = command(*arguments, stdin=THREE.read_bytes())
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.startswith(start)


@pytest.mark.parametrize("arguments", [("predict", "-", THREE), ("classify", "-")])
def test_standard_input_without_a_picture_is_named(
    command: Command, arguments: tuple[str | Path, ...]
) -> None:
    answer = command(*arguments)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == "Error: standard input: the file is empty\n"


def test_a_failing_pair_is_told_and_the_others_are_answered(command: Command) -> None:
    answer = command("predict", THREE, SEVEN, NINE, "gone.png", NINE, THREE)
    assert answer.returncode == 1
    assert [line[:6].strip() for line in answer.stdout.splitlines()] == ["3 <= 7", "9 > 3"]
    assert answer.stderr == "Error: gone.png: no such file or directory\n"


def test_a_failing_picture_is_told_and_the_others_are_classified(command: Command) -> None:
    answer = command("classify", "--json", THREE, "gone.png", SEVEN)
    assert answer.returncode == 1
    assert [json.loads(line)["digit"] for line in answer.stdout.splitlines()] == [3, 7]
    assert answer.stderr == "Error: gone.png: no such file or directory\n"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("predict", THREE), "pictures come in pairs, but 1 were given"),
        (("predict", "-", "-"), "only one picture can be read from standard input"),
        (("classify", "-", "-"), "only one picture can be read from standard input"),
        (("predict",), "Missing argument"),
        (("predict", "--fast", THREE, SEVEN), "No such option"),
        (("rank",), "Missing argument"),
        (("rank", "-", "-"), "only one picture can be read from standard input"),
        (("info", BASE, BASE), "unexpected extra argument"),
        (("bench", BASE, BASE), "several graphs are measured with --compare"),
        (("bench", "--compare"), "--compare needs the graphs to compare"),
        (("bench", "--seconds", "0"), "0.0 is not in the range x>0"),
        (("sort", THREE), "No such command 'sort'"),
    ],
)
def test_wrong_usage_is_told_with_exit_code_2(
    command: Command, arguments: tuple[str | Path, ...], reason: str
) -> None:
    answer = command(*arguments)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert reason in answer.stderr


def test_another_model_can_be_named(command: Command) -> None:
    answer = command("predict", "--model", BASE, THREE, SEVEN)
    assert answer.returncode == 0
    assert re.fullmatch(r"first (<=|>) second  P\(first <= second\) = [01]\.\d{4}\n", answer.stdout)


def test_a_model_without_digit_head_cannot_classify(command: Command) -> None:
    answer = command("classify", "--model", BASE, THREE)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == "Error: the model 'base' has no digit head: it compares only\n"


def test_help_lists_the_verbs_and_version_tells_the_version(command: Command) -> None:
    listed = re.findall(r"^  (\w+)  .+$", command("--help").stdout.partition("Verbs:")[2], re.MULTILINE)
    assert listed == ["bench", "classify", "info", "predict", "rank"]
    assert command("--version").stdout == f"pairedge {pairedge.__version__}\n"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' names are text")
def test_a_name_that_is_no_text_can_be_printed(interpreter: Interpreter, tmp_path: Path) -> None:
    path = tmp_path / "\udcff.png"
    path.write_bytes(THREE.read_bytes())
    code = "import sys; from pairedge.cli import main; main(sys.argv[1:])"
    said = interpreter(code, "classify", path, env={"PYTHONIOENCODING": "utf-8:strict"})
    assert said.startswith(f"{tmp_path}/\N{REPLACEMENT CHARACTER}.png: 3 ")
