"""What all tests share: one thread a process, the real data sets, and that MNIST is not missed in silence."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable, Generator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pairedge_train.data.datasets import DataSet

# Tests run one to a core, and sums of several threads differ in their last bits. Set before NumPy and torch
# are imported, and handed on to the processes that tests start.
os.environ["OMP_NUM_THREADS"] = "1"

ROOT = Path(__file__).parent.parent
_TESTS = count()
MNIST_FOUND = (Path(os.environ.get("PAIREDGE_DATA", "/nonexistent")) / "MNIST" / "raw").is_dir()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests that need MNIST where it is not; in CI let them fail instead."""
    if MNIST_FOUND or os.environ.get("CI"):
        return
    for item in items:
        if item.get_closest_marker("mnist"):
            item.add_marker(
                pytest.mark.skip(reason="needs MNIST: set PAIREDGE_DATA to a folder with MNIST/raw")
            )


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect no garbage while modules are imported, and exempt their million objects from it afterwards."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(autouse=True)
def no_cache_of_another_test(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Give each test a cache folder of its own, which is made when something is kept."""
    monkeypatch.setenv("PAIREDGE_CACHE", str(tmp_path_factory.getbasetemp() / f"cache-{next(_TESTS)}"))


@pytest.fixture(scope="session")
def uci() -> DataSet:
    from pairedge_train.data.published import load_uci  # the runtime's tests run without torch too

    return load_uci()


@pytest.fixture(scope="session")
def mnist() -> DataSet:
    from pairedge_train.data.published import load_mnist

    return load_mnist(Path(os.environ["PAIREDGE_DATA"]))


@pytest.fixture
def needs() -> Callable[..., None]:
    """Skip a test unless programs are installed; in CI let it fail instead."""

    def require(*programs: str) -> None:
        missing = [program for program in programs if shutil.which(program) is None]
        if missing and not os.environ.get("CI"):
            pytest.skip(f"needs {', '.join(missing)}")
        assert not missing

    return require
