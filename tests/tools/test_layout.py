"""The layout in CONTRIBUTING is the tree of packages, each with a line of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.layout import FOLDERS, ROOT, fill, layout_table, packages, summary


def test_the_layout_in_contributing_is_that_of_the_packages() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text()
    assert "<!-- table: layout -->" in page
    assert fill(page) == page, "run `make layout`"


@pytest.mark.parametrize("package", packages(), ids=lambda package: package.name)
def test_every_package_says_in_one_sentence_what_it_holds(package: Path) -> None:
    assert summary(package).endswith((".", "?"))
    assert f"| `{package.relative_to(ROOT)}/` | {summary(package)} |" in layout_table()


def test_the_other_folders_exist() -> None:
    assert all((ROOT / folder).is_dir() for folder in FOLDERS)


def test_a_package_without_a_docstring_is_refused(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").write_text("")
    with pytest.raises(ValueError, match="no docstring"):
        summary(tmp_path)
