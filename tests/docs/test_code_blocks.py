"""Every block of code in README, CONTRIBUTING and docs/ runs, or is read where it needs another machine.

By the language of a block:

- `python` runs; the blocks of a page share their names. One that begins with `# NAME.py` is also written to
  that file, for the commands below it. One that imports what only a reader with a cluster has (CLUSTERS) runs
  where that is installed, and is compiled elsewhere.
- `console` runs each line after `$`, and what it prints is what the page shows; `...` stands for anything.
- `sh`, or no language, runs each line, which must succeed. What needs another machine, the network or an
  hour, or does not end by itself, is read only: its syntax by bash, the options of pairedge's programs by
  these programs.
- `toml` is parsed; what `c` declares, the header that ships declares.
- `text` and the directives of MyST (`{...}`) are no code.

The examples of docs/serve.md need a server: `tests/pairedge/serve/test_page_of_docs.py` runs them.
"""

from __future__ import annotations

import csv
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import product
from os import environ
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from pairedge.cli import main as pairedge_program
from pairedge_export.cli import main as export_program
from pairedge_train.cli.reproduce import main as reproduce_program
from pairedge_train.cli.train import main as train_program
from pairedge_train.rendering.pen_digits import Look, draw_digit

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES = [page for page in PAGES if page.name != "serve.md"]
FENCE = re.compile(r"^(`{3,})([^\n`]*)\n(.*?)^\1$", re.DOTALL | re.MULTILINE)

PROGRAMS = {
    "pairedge": pairedge_program,
    "pairedge-train": train_program,
    "pairedge-export": export_program,
    "pairedge-reproduce": reproduce_program,
}
UNENDING = {"serve", "watch", "bench"}  # commands of pairedge that end when they are told, or take long
# Programs of a reader's shell that a test neither has nor wants.
ELSEWHERE = {
    "apt-get",
    "cc",
    "cd",
    "curl",
    "docker",
    "git",
    "kubectl",
    "make",
    "npm",
    "openssl",
    "pip",
    "python3",
    "sudo",
}
CLUSTERS = re.compile(r"^(?:import|from) (ray|pyspark)\b", re.MULTILINE)
SHELL = re.compile(r"[|<>;&$]")
FUNCTIONS = """
python() { "$PYTHON" "$@"; }
pairedge() { python -c "from pairedge.cli import run; run()" "$@"; }
"""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    text: str
    line: int  # of the page, for messages


def blocks(page: str) -> Iterator[Block]:
    for match in FENCE.finditer(page):
        yield Block(match[2].strip(), match[3], page.count("\n", 0, match.start()) + 1)


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with what a reader has who tries the commands: pictures of their own, and lists of them."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("*.py"))
    (tmp_path / "photos").mkdir()
    for name, example in zip("abcd", ("three", "seven", "five", "zero"), strict=True):
        shutil.copy(ROOT / "examples" / f"{example}.png", tmp_path / f"{name}.png")
    shutil.copy(tmp_path / "b.png", tmp_path / "photos" / "7_abc.png")
    shutil.copy(tmp_path / "c.png", tmp_path / "photos" / "5_abc.png")
    for name, rows in {
        "list.csv": [["picture"], ["a.png"], ["b.png"]],
        "pairs.csv": [["first", "second"], ["a.png", "b.png"], ["c.png", "d.png"]],
    }.items():
        with (tmp_path / name).open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    (tmp_path / "list.txt").write_text("a.png\nb.png\nc.png\nd.png\n")
    bad = tmp_path / "bad"
    bad.mkdir()
    Image.new("L", (90, 60), 255).save(bad / "blank.png")
    digits = [np.asarray(draw_digit(digit, Look(size=(160, 240)))) for digit in (5, 7)]
    Image.fromarray(np.hstack(digits)).save(bad / "two.png")
    (bad / "notes.png").write_text("no picture")
    (bad / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:300])
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PAIREDGE_MODEL", raising=False)
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if Path(getattr(module, "__file__", None) or "/").is_relative_to(tmp_path):
            del sys.modules[name]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_block_of_code_does_what_the_page_says(page: Path, reader: Path) -> None:
    programs: list[str] = []
    if page.name == "own_data.md":
        draw_own_digits(reader / "my_digits")
    for block in blocks(page.read_text()):
        where = f"{page.name}:{block.line}"
        match block.language:
            case "python":
                compile(block.text, where, "exec")
                if all(find_spec(name) is not None for name in CLUSTERS.findall(block.text)):
                    programs.append(block.text)
                if file := re.match(r"# (\w+\.py)\n", block.text):
                    (reader / file[1]).write_text(block.text)
            case "console":
                check_session(block.text, where)
            case "sh" | "":
                check_commands(block.text, where)
            case "toml":
                tomllib.loads(block.text)
            case "c":
                header = (ROOT / "artifacts" / "aux_ws" / "pairedge.h").read_text().splitlines()
                assert set(block.text.splitlines()) <= set(header), where
            case language:
                assert language == "text" or language.startswith("{"), f"{where}: {language}?"
    if programs:
        code, output = shell('"$PYTHON" -', "\n".join(programs))
        assert code == 0, f"{page.name}: {output}"


def draw_own_digits(folder: Path) -> None:
    """Pictures that a reader drew: my_digits/7/anna12.png."""
    for digit, (number, writer) in product(range(10), enumerate(("anna", "ben", "chi"))):
        (folder / str(digit)).mkdir(parents=True, exist_ok=True)
        picture = draw_digit(digit, Look(size=(40, 40), slant=0.1 * number))
        picture.save(folder / str(digit) / f"{writer}{number}.png")


def check_session(text: str, where: str) -> None:
    """Run what follows each `$`, and compare what it prints."""
    for part in text.removeprefix("$ ").split("\n$ "):
        command, _, expected = part.partition("\n")
        pattern = re.escape(expected.strip()).replace(re.escape("..."), ".*")
        _, output = run(command, where)
        assert re.fullmatch(pattern, output.strip(), re.DOTALL), f"{where}: {command} prints\n{output}"


def check_commands(text: str, where: str) -> None:
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
            words.pop(0)
        if not words:
            continue
        program = words[0].rpartition("/")[2]
        if words[0].startswith("./") or program in ELSEWHERE or "http.server" in words:
            subprocess.run(["bash", "-n", "-c", line], check=True)
        elif is_run(words):
            code, output = run(line, where)
            assert code == 0, f"{where}: {line}\n{output}"
        else:
            check_options(words, where)


def is_run(words: list[str]) -> bool:
    """Whether a command runs here: pairedge's, as they ship, and those that train on the offline digits."""
    if words[0] == "pairedge":
        # A model, a cluster or a signature of the reader's own is not here.
        return not UNENDING & set(words[1:2]) and not {"--model", "--dask", "--verify"} & set(words)
    if words[0] == "pairedge-export":  # of what the page has trained before
        return Path("runs").exists() and not {"--precision", "--mobile", "--sign"} & set(words)
    return words[0] in ("python", "split") or bool({"uci", "my_digits"} & set(words))


def run(line: str, where: str) -> tuple[int, str]:
    """The exit code of a command, and what it printed on standard output and error."""
    words = shlex.split(line, comments=True)
    if words[0] in PROGRAMS and not SHELL.search(re.sub(r"\s+#.*", "", line)):
        result = CliRunner().invoke(PROGRAMS[words[0]], words[1:], prog_name=words[0])
        assert result.exception is None or isinstance(result.exception, SystemExit), f"{where}: {line}"
        return result.exit_code, result.output
    return shell(f"{FUNCTIONS}\n{line}")


def shell(code: str, stdin: str = "") -> tuple[int, str]:
    """The exit code of what bash runs, and what it printed on standard output and error."""
    paths = ":".join(str(ROOT / folder) for folder in (".", "train", "export"))
    done = subprocess.run(
        ["bash", "-c", code],
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**environ, "PYTHON": sys.executable, "PYTHONPATH": paths},
        check=False,
    )
    return done.returncode, done.stdout


def check_options(words: list[str], where: str) -> None:
    """Check that a program of pairedge has the options that a command names; it is not run."""
    assert words[0] in PROGRAMS, f"{where}: {words[0]}: give the block a language, or the test a reason"
    program: click.Command = PROGRAMS[words[0]]
    rest = words[1:]
    context = click.Context(program, info_name=words[0])
    if isinstance(program, click.Group):
        found = program.get_command(context, rest[0])
        assert found is not None, f"{where}: no command {rest[0]}"
        program, rest = found, rest[1:]
        context = click.Context(program, info_name=rest[0] if rest else "")
    program.make_parser(context).parse_args(args=rest)
