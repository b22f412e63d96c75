"""The documentation builds without a warning, into pages that ask no other machine for anything."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What a browser fetches by itself; a link that a reader may follow is no such thing.
FETCHED = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"(https?:)?//|<link\b[^>]*\bhref=\"(https?:)?//"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet"]
    done = subprocess.run(
        [*build, "-c", "docs", "-d", str(folder / "read"), ".", str(folder / "html")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"a page links to nothing, or stands in no toctree of docs/:\n{done.stderr}"
    return folder / "html"


def test_every_page_of_docs_is_in_the_site(site: Path) -> None:
    pages = {path.relative_to(ROOT).with_suffix(".html") for path in (ROOT / "docs").glob("*.md")}
    assert len(pages) >= 3
    assert all((site / page).exists() for page in pages)
    start = (site / "index.html").read_text()
    assert 'url=docs/index.html"' in start


def test_no_page_fetches_anything_from_another_machine(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert FETCHED.search('<script async src="https://cdn.example/x.js">')
    assert len(pages) >= 10
    assert [page.name for page in pages if FETCHED.search(page.read_text())] == []
