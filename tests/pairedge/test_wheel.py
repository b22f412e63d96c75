"""The wheel, installed alone, answers; it carries the model once, and nothing that it should not."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT)
    [path] = folder.glob("pairedge-*.whl")
    return path


def run(*command: str | Path, cwd: Path | None = None) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, cwd=cwd, env=env, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_holds_the_model_once_and_no_tests(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    graphs = {kind: f"pairedge/shipped/{kind}.onnx" for kind in ("pair", "digit", "compare")}
    assert sorted(name for name in content if name.endswith(".onnx")) == sorted(graphs.values())
    for kind, name in graphs.items():
        assert content[name] == (ROOT / "artifacts" / "aux_ws" / f"{kind}.onnx").read_bytes()
    recipes = {f"pairedge_train/recipes/{path.name}" for path in (ROOT / "train" / "recipes").glob("*.toml")}
    assert recipes == {name for name in content if name.endswith(".toml")}
    assert recipes
    assert {"pairedge/py.typed", "pairedge_train/py.typed", "pairedge_export/py.typed"} <= set(content)
    modules = {"pairedge_train/robustness/test_sets.py"}  # test sets, not tests
    assert not [name for name in content if "test" in name.lower() and name not in modules]


def test_the_wheel_alone_compares_the_examples(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    scripts = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    run(scripts / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel)

    absent = "import importlib.util as i; print([i.find_spec(n) for n in ('torch', 'torchvision', 'onnx')])"
    assert run(scripts / "python", "-c", absent, cwd=tmp_path) == "[None, None, None]\n"
    names = ("three", "seven", "nine", "zero", "eight", "five")
    said = run(
        scripts / "pairedge", "predict", *(ROOT / "examples" / f"{n}.png" for n in names), cwd=tmp_path
    )
    assert [line.split("  ")[0] for line in said.splitlines()] == ["3 <= 7", "9 > 0", "8 > 5"]
