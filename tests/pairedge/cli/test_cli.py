"""The command's contract: answers on standard output, all else on standard error, and the exit code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

import pairedge

Command = Callable[..., CompletedProcess[str]]
Interpreter = Callable[..., str]

FOLDER = Path(__file__).parents[3] / "examples"
THREE, SEVEN, NINE = (FOLDER / f"{name}.png" for name in ("three", "seven", "nine"))
BASE = Path(__file__).parents[1] / "graphs" / "base.onnx"


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
    expected = model.classify(THREE)
    assert json.loads(answer.stdout) == {"picture": str(THREE), **expected.to_dict()}


@pytest.mark.parametrize(
    ("arguments", "start"),
    [(("predict", "-", SEVEN), "3 <= 7 "), (("predict", NINE, "-"), "9 > 3 "), (("classify", "-"), "-: 3 ")],
)
def test_a_dash_is_standard_input(command: Command, arguments: tuple[str | Path, ...], start: str) -> None:
    answer = command(*arguments, stdin=THREE.read_bytes())
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.startswith(start)


@pytest.mark.parametrize(
    ("arguments", "names"), [(("predict", "-", THREE), f"-, {THREE}"), (("classify", "-"), "-")]
)
def test_standard_input_without_a_picture_is_named(
    command: Command, arguments: tuple[str | Path, ...], names: str
) -> None:
    answer = command(*arguments)
    assert (answer.returncode, answer.stdout) == (1, f"{names}: no answer  unreadable\n")
    assert answer.stderr == "Error: standard input: the file is empty\n"


def test_a_failing_pair_is_reported_and_the_others_are_answered(command: Command) -> None:
    answer = command("predict", THREE, SEVEN, NINE, "gone.png", NINE, THREE)
    assert answer.returncode == 1
    lines = [line.split("  ")[0] for line in answer.stdout.splitlines()]
    assert lines == ["3 <= 7", f"{NINE}, gone.png: no answer", "9 > 3"]
    assert answer.stderr == "Error: gone.png: no such file or directory\n"


def test_a_failing_picture_is_reported_and_the_others_are_classified(command: Command) -> None:
    answer = command("classify", THREE, "gone.png", SEVEN)
    assert answer.returncode == 1
    assert [line.split(": ")[1].split("  ")[0] for line in answer.stdout.splitlines()] == [
        "3",
        "no answer",
        "7",
    ]
    assert answer.stderr == "Error: gone.png: no such file or directory\n"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("predict", THREE), f"an odd number: 1; to read a single digit: pairedge classify {THREE}"),
        (("predict", THREE, SEVEN, NINE), "expected pairs of pictures, but got an odd number: 3"),
        (("predict", "-", "-"), "only one picture can be read from standard input"),
        (("classify", "-", "-"), "only one picture can be read from standard input"),
        (("predict",), "Missing argument"),
        (("predict", "--show", "out.png", THREE, SEVEN, NINE, THREE), "--show draws a single pair"),
        (("predict", "--min-confidence", "1.5", THREE, SEVEN), "1.5 is not from 0 to 1"),
        (("classify", "--min-confidence", "nan", THREE), "nan is not from 0 to 1"),
        (("tile", THREE), "Missing option '-o'"),
        (("tile", THREE, SEVEN, "-o", "out.png"), "unexpected extra argument"),
        (("evaluate",), "Missing argument"),
        (("predict", "--fast", THREE, SEVEN), "No such option"),
        (("rank",), "Missing argument"),
        (("rank", "-", "-"), "only one picture can be read from standard input"),
        (("info", BASE, BASE), "unexpected extra argument"),
        (("bench", BASE, BASE), "to measure several graphs, use --compare"),
        (("bench", "--compare"), "--compare needs at least one FILE"),
        (("bench", "--seconds", "0"), "0.0 is not in the range x>0"),
        (("sort", THREE), "No such command 'sort'. Did you mean 'rank'?"),
        (("xyz", THREE), "No such command 'xyz'.\n"),
        (("clasify", THREE), "No such command 'clasify'. Did you mean 'classify'?"),
        (("compare", THREE), "No such command 'compare'. Did you mean 'predict'?"),
    ],
)
def test_wrong_usage_exits_with_code_2(
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
    assert answer.stderr == "Error: the model 'base' has no digit head: it can only compare\n"
    assert command("evaluate", "--model", BASE, FOLDER).stderr == answer.stderr


def test_help_lists_the_commands_and_version_prints_the_version(command: Command) -> None:
    listed = re.findall(r"^  (\w+)  .+$", command("--help").stdout.partition("Commands:")[2], re.MULTILINE)
    assert listed == [
        "bench",
        "check",
        "classify",
        "evaluate",
        "examples",
        "info",
        "predict",
        "rank",
        "serve",
        "tile",
        "watch",
    ]
    assert command("--version").stdout == f"pairedge {pairedge.__version__}\n"


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text elsewhere")
def test_a_name_that_is_not_text_can_be_printed(interpreter: Interpreter, tmp_path: Path) -> None:
    path = tmp_path / "\udcff.png"
    path.write_bytes(THREE.read_bytes())
    code = "import sys; from pairedge.cli import main; main(sys.argv[1:])"
    said = interpreter(code, "classify", path, env={"PYTHONIOENCODING": "utf-8:strict"})
    assert said.startswith(f"{tmp_path}/\N{REPLACEMENT CHARACTER}.png: 3 ")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["predict", str(THREE), str(SEVEN)], 0),
        (["classify", str(THREE), "gone.png"], 1),
        (["predict", str(THREE)], 2),
        (["--version"], 0),
    ],
    ids=lambda value: " ".join(value[:1]) if isinstance(value, list) else None,
)
def test_the_program_prints_what_main_prints_and_exits_with_its_code(
    command: Command, arguments: list[str], code: int
) -> None:
    start = "import sys; from pairedge.cli import run; sys.argv[0] = 'pairedge'; run()"
    done = subprocess.run(
        [sys.executable, "-c", start, *arguments], capture_output=True, text=True, check=False
    )
    expected = command(*arguments)
    assert done.returncode == expected.returncode == code
    assert (done.stdout, done.stderr) == (expected.stdout, expected.stderr)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a closed pipe")
def test_a_closed_pipe_is_no_traceback_and_no_success() -> None:
    start = "import sys; from pairedge.cli import run; run()"
    with subprocess.Popen(
        [sys.executable, "-c", start, "classify", str(THREE)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as program:
        assert program.stdout is not None
        program.stdout.close()
        assert program.stderr is not None
        errors = program.stderr.read()
    assert program.returncode != 0
    assert b"Traceback" not in errors
