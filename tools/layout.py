"""The layout of the repository in CONTRIBUTING.md: one line per folder, a package's from its docstring.

python -m tools.layout CONTRIBUTING.md
"""

from __future__ import annotations

import ast
from pathlib import Path

import click

from tools.markdown import replace_tables, table

ROOT = Path(__file__).parents[1]
PACKAGES = ("pairedge", "train/pairedge_train", "export/pairedge_export")
# What is no package has no docstring.
FOLDERS = {
    "train/recipes": "The recipes and studies that ship, one TOML file each: five reports and our own.",
    "benchmarks": "Programs that measure time, memory and size, their raw results, and the page of these.",
    "reliability": "Programs that try to break the project by faults, mutants and kills, and their page.",
    "artifacts": "What the commands wrote: the model that ships, rows of results, tables and figures.",
    "docs": "Pages and pictures for users.",
    "deploy": "A container file, a systemd unit, and manifests for Kubernetes and KServe.",
    "examples": "Pictures to try the commands on, drawn by `tools/examples.py`.",
    "examples/c": "Programs in C with the model that ships, for a computer and for a microcontroller.",
    "tools": "Programs that serve this repository and are not installed: tables of pages, drawings.",
    "tests": "Mirrors the three packages; a test that spans several lies in `tests/` itself.",
}


def layout_table() -> str:
    """A line for each package, and for each other folder."""
    lines = [[f"`{path.relative_to(ROOT)}/`", summary(path)] for path in packages()]
    lines += [[f"`{folder}/`", text] for folder, text in FOLDERS.items()]
    return table(["folder", "what is in it"], lines)


def packages() -> list[Path]:
    """The folders of all packages, each before those inside it."""
    return [path.parent for name in PACKAGES for path in sorted((ROOT / name).rglob("__init__.py"))]


def summary(package: Path) -> str:
    """The first line of a package's docstring.

    Raises:
        ValueError: when it has none.
    """
    docstring = ast.get_docstring(ast.parse((package / "__init__.py").read_text()))
    if not docstring:
        raise ValueError(f"{package}/__init__.py has no docstring that says what the package holds")
    return docstring.splitlines()[0]


def fill(page: str) -> str:
    """The page with its table of the layout made from the packages."""
    return replace_tables(page, {"layout": layout_table})


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("page", type=click.Path(path_type=Path, exists=True))
def main(page: Path) -> None:
    """Update the table of folders in PAGE."""
    page.write_text(fill(page.read_text()))


if __name__ == "__main__":
    main()
