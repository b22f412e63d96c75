"""A copy of the checkout to break, and pytest on it, in a process that has torch already."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np  # noqa: F401 (as torch)
import pytest
import torch  # noqa: F401 (imported once, for all processes that are forked)

ROOT = Path(__file__).parent.parent
PASSED, FAILED = 0, 1  # of pytest's exit codes
_SOURCES = ("pairedge", "train", "export", "tests", "tools", "benchmarks", "reliability", "pyproject.toml")
_LINKED = ("artifacts", "examples", "docs")  # which are not broken


@contextmanager
def copied_tree() -> Iterator[Path]:
    """A copy of the checkout's sources."""
    with tempfile.TemporaryDirectory(prefix="pairedge-broken-") as name:
        copy = Path(name)
        for part in _SOURCES:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / part)
        for part in _LINKED:
            (copy / part).symlink_to(ROOT / part)
        yield copy


@contextmanager
def replaced(path: Path, text: str) -> Iterator[None]:
    """Let a file hold another text inside the block."""
    before = path.read_text()
    path.write_text(text)
    try:
        yield
    finally:
        path.write_text(before)


def run_tests(tree: Path, tests: Sequence[str], limit: int = 0) -> tuple[int, str]:
    """The exit code of pytest and its last line for some tests of a tree; the first failure ends it.

    The process is forked from this one, which must not have imported anything of the tree. After `limit`
    seconds, if there is a limit, a signal ends it: the exit code is then negative.
    """
    with tempfile.TemporaryFile("w+") as output:
        child = os.fork()
        if not child:
            signal.alarm(limit)
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            os._exit(_pytest(tree, tests))
        _, status = os.waitpid(child, 0)
        output.seek(0)
        return os.waitstatus_to_exitcode(status), output.read().strip().rpartition("\n")[2]


def _pytest(tree: Path, tests: Sequence[str]) -> int:
    os.chdir(tree)
    paths = [str(tree), str(tree / "train"), str(tree / "export")]
    sys.path[:0] = paths
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)  # of the programs that tests start
    sys.dont_write_bytecode = True
    code = int(pytest.main(["-q", "-x", "-p", "no:cacheprovider", *tests]))
    sys.stdout.flush()
    return code
