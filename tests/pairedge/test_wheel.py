"""The wheel, installed alone, answers; it carries the model once; no install leaves stale copies."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
STALE = ("pairedge/shipped/pair.onnx", "train/pairedge_train/recipes/ship.toml")

PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT)
    [path] = folder.glob("pairedge-*.whl")
    return path


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository with files where only a wheel has them, as if unpacked over it."""
    copied = tmp_path_factory.mktemp("copy") / "pairedge"
    ignored = shutil.ignore_patterns(
        ".git", ".venv*", ".*_cache", "__pycache__", "build", "dist", "runs", "exports"
    )
    shutil.copytree(ROOT, copied, ignore=ignored)
    for name in STALE:
        (copied / name).parent.mkdir()
        (copied / name).write_text("stale")
    return copied


def content(wheel: Path) -> dict[str, bytes]:
    """The files of a wheel by name."""
    with ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def run(*command: str | Path, cwd: Path | None = None) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, cwd=cwd, env=env, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def fresh_environment(folder: Path) -> Path:
    """Make an environment without pip, which this one's serves; give the folder of its programs."""
    venv.create(folder)
    return folder / ("Scripts" if os.name == "nt" else "bin")


def test_the_wheel_holds_the_model_once_and_no_tests(wheel: Path) -> None:
    files = content(wheel)
    graphs = {kind: f"pairedge/shipped/{kind}.onnx" for kind in ("pair", "digit", "compare")}
    assert sorted(name for name in files if name.endswith(".onnx")) == sorted(graphs.values())
    for kind, name in graphs.items():
        assert files[name] == (ROOT / "artifacts" / "aux_ws" / f"{kind}.onnx").read_bytes()
    recipes = {f"pairedge_train/recipes/{path.name}" for path in (ROOT / "train" / "recipes").glob("*.toml")}
    assert recipes == {name for name in files if name.startswith("pairedge_train/recipes/")}
    assert recipes
    pages = {name for name in files if name.startswith("pairedge/shipped/web/")}
    assert {
        f"pairedge/shipped/web/{path.name}" for path in (ROOT / "artifacts/aux_ws/web").iterdir()
    } == pages
    # What another model's page is made of.
    sources = ("page/page.c", "page/static/index.html", "reading/reading.h")
    assert {f"pairedge_export/{name}" for name in sources} <= set(files)
    assert {"pairedge/py.typed", "pairedge_train/py.typed", "pairedge_export/py.typed"} <= set(files)
    sets_to_test_on = ["pairedge_train/robustness/test_sets.py"]
    assert [name for name in files if "test" in name.lower()] == sets_to_test_on
    folders = {name.partition("/")[0] for name in files if ".dist-info/" not in name}
    assert folders == {"pairedge", "pairedge_train", "pairedge_export"}


def test_a_source_archive_gives_the_same_wheel_as_the_tree(wheel: Path, copied: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "build", "--outdir", tmp_path, copied)  # the wheel is built from the archive
    [source] = tmp_path.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names >= {
        "pyproject.toml",
        "artifacts/aux_ws/pair.onnx",
        "train/recipes/ship.toml",
        "tools/readme.py",
    }
    assert not names & set(STALE)
    assert content(tmp_path / wheel.name) == content(wheel)


def test_an_editable_install_holds_no_copy_of_graphs_and_recipes(copied: Path, tmp_path: Path) -> None:
    scripts = fresh_environment(tmp_path)
    pip = (*PIP, "--python", scripts / "python")
    run(*pip, "install", "--quiet", "--no-deps", "--editable", copied)
    listed = run(*pip, "show", "--files", "pairedge").partition("Files:\n")[2].split()
    installed = [name for name in listed if ".dist-info/" not in name and not name.startswith("..")]
    assert len(installed) == 1  # the file that names the checkout's folders; scripts lie elsewhere
    assert installed[0].endswith(".pth")


def test_a_checkout_reads_its_own_graphs_and_recipes(copied: Path) -> None:
    code = f"""
import sys
sys.path[:0] = [{str(copied)!r}, {str(copied / "train")!r}]
from pairedge.shipped import shipped_graph
from pairedge_train.experiments.library import _recipe_files
print(*(shipped_graph(kind) for kind in ("pair", "digit", "compare")), *_recipe_files(), sep="\\n")
"""
    expected = [copied / "artifacts" / "aux_ws" / f"{kind}.onnx" for kind in ("pair", "digit", "compare")]
    expected += sorted((copied / "train" / "recipes").glob("*.toml"))
    assert run(sys.executable, "-c", code).splitlines() == [str(path) for path in expected]


def test_the_wheel_alone_compares_the_examples(wheel: Path, tmp_path: Path) -> None:
    scripts = fresh_environment(tmp_path / "venv")
    # Few of the modules are imported: compiling them all would take longer.
    run(*PIP, "--python", scripts / "python", "install", "--quiet", "--no-compile", wheel)

    absent = "import importlib.util as i; print([i.find_spec(n) for n in ('torch', 'torchvision', 'onnx')])"
    assert run(scripts / "python", "-c", absent, cwd=tmp_path) == "[None, None, None]\n"
    wrote = run(scripts / "pairedge", "examples", "pictures", cwd=tmp_path)
    next_command = wrote.partition("Next: ")[2].split()
    assert run(scripts / next_command[0], *next_command[1:], cwd=tmp_path).startswith("3 <= 7  ")
    names = ("three", "seven", "nine", "zero", "eight", "five")
    said = run(scripts / "pairedge", "predict", *(f"pictures/{n}.png" for n in names), cwd=tmp_path)
    assert [line.split("  ")[0] for line in said.splitlines()] == ["3 <= 7", "9 > 0", "8 > 5"]
    checks = run(scripts / "pairedge", "check", cwd=tmp_path).splitlines()
    assert [line.split()[0] for line in checks] == ["ok"] * 7
    assert str(tmp_path / "venv") in run(
        scripts / "python",
        "-c",
        "import pairedge.shipped as s; print(s.shipped_example('nine'))",
        cwd=tmp_path,
    )
