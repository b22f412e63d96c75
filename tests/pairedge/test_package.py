"""The package is light to import, and needs nothing of what trains and exports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import pairedge
from pairedge.cli import COMMANDS

Interpreter = Callable[..., str]

EXAMPLES = Path(__file__).parents[2] / "examples"
HEAVY = "print(sorted({'numpy', 'onnxruntime', 'PIL'} & set(sys.modules)))"


def test_importing_pairedge_imports_nothing_heavy(interpreter: Interpreter) -> None:
    assert interpreter(f"import sys, pairedge; {HEAVY}") == "[]\n"


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)],
    ids=" ".join,
)
def test_help_and_version_import_nothing_heavy(interpreter: Interpreter, arguments: list[str]) -> None:
    code = "import sys; from pairedge.cli import main; main(sys.argv[1:], standalone_mode=False);"
    said, heavy = interpreter(code + HEAVY, *arguments).rstrip().rsplit("\n", 1)
    assert heavy == "[]"
    assert said


def test_pairs_are_compared_without_what_trains_and_exports(interpreter: Interpreter) -> None:
    code = """
import sys
for name in ("torch", "torchvision", "onnx", "onnxscript", "pairedge_train", "pairedge_export"):
    sys.modules[name] = None
import pairedge
print(pairedge.load().predict(*sys.argv[1:]).digits)
"""
    assert interpreter(code, EXAMPLES / "three.png", EXAMPLES / "seven.png") == "(3, 7)\n"


def test_predict_imports_nothing_that_only_other_commands_need(interpreter: Interpreter) -> None:
    # What the four dependencies import is theirs: NumPy 1.24 takes urllib along, by way of pathlib.
    code = """
import atexit, os, sys
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import click, numpy, onnxruntime, PIL.Image
theirs = set(sys.modules)
needless = {"socket", "urllib", "csv", "glob", "subprocess", "uvicorn", "distributed", "watchfiles"}
atexit.register(lambda: print(sorted(needless & set(sys.modules) - theirs)))
from pairedge.cli import main
main(sys.argv[1:], standalone_mode=False)
"""
    said = interpreter(code, "predict", EXAMPLES / "three.png", EXAMPLES / "seven.png").splitlines()
    assert said == ["3 <= 7  P(first <= second) = 0.9999", "[]"]


def test_every_public_name_is_listed_and_there() -> None:
    assert set(pairedge.__all__) < set(dir(pairedge))
    for name in set(pairedge.__all__) - {"Picture"}:  # a union of types has no name
        assert getattr(pairedge, name).__name__ == name
    assert bytes in pairedge.Picture.__args__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'pairedge' has no attribute 'compare'"):
        pairedge.compare  # noqa: B018 (it must raise)
