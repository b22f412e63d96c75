"""Who may import whom, read from the imports themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = {"pairedge": ROOT, "pairedge_train": ROOT / "train", "pairedge_export": ROOT / "export"}

# What each package of pairedge_train may import of the others; single modules are the ground floor.
GROUND = {"errors", "files", "machine", "randomness", "rows", "torchvision_import"}
MAY_IMPORT = {
    "rendering": set(),
    "experiments": {"errors"},
    "data": {"errors", "files", "experiments", "rendering", "torchvision_import"},
    "networks": {"errors", "experiments", "torchvision_import"},
    "training": GROUND | {"experiments", "data", "networks"},
    "robustness": GROUND | {"data", "rendering", "training"},
    "adaptation": GROUND | {"experiments", "data", "networks", "rendering", "robustness", "training"},
    "reports": GROUND | {"experiments", "data", "networks", "training"},
    "cli": GROUND | {"adaptation", "experiments", "data", "networks", "training", "robustness", "reports"},
}
FLOORS = {"pairedge": 0, "pairedge_train": 1, "pairedge_export": 2}


def modules(package: str) -> Iterator[tuple[str, Path]]:
    """Every module of a package, by its dotted name."""
    for path in sorted((SOURCES[package] / package).rglob("*.py")):
        parts = path.relative_to(SOURCES[package]).with_suffix("").parts
        yield ".".join(part for part in parts if part != "__init__"), path


def imports(path: Path) -> set[str]:
    """The modules that a file imports, at whatever depth; `from a import b` names both a and a.b."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None  # no relative imports
            assert node.level == 0
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


ALL = {name: imports(path) for package in SOURCES for name, path in modules(package)}


@pytest.mark.parametrize("package", SOURCES)
def test_arrows_between_the_three_packages_point_one_way(package: str) -> None:
    above = {other for other, floor in FLOORS.items() if floor > FLOORS[package]}
    for name, imported in ALL.items():
        if name.partition(".")[0] == package:
            assert not {module for module in imported if module.partition(".")[0] in above}, name


@pytest.mark.parametrize(
    "part", sorted({name.split(".")[1] for name in ALL if name.startswith("pairedge_train.")})
)
def test_a_part_of_the_training_package_imports_only_what_it_may(part: str) -> None:
    allowed = MAY_IMPORT.get(part, GROUND)
    for name, imported in ALL.items():
        if name.startswith(f"pairedge_train.{part}"):
            parts = {module.split(".")[1] for module in imported if module.startswith("pairedge_train.")}
            assert parts - {part} <= allowed, f"{name} imports {parts - allowed - {part}}"


def test_reading_a_picture_needs_nothing_of_the_runtime_but_its_errors_and_files() -> None:
    for name, imported in ALL.items():
        if name.startswith("pairedge.image"):
            others = {module for module in imported if module.startswith("pairedge.")}
            assert {
                module
                for module in others
                if not module.startswith(("pairedge.image", "pairedge.errors", "pairedge.files"))
            } == set()


def test_nothing_imports_the_server_but_its_command_and_the_export_for_another_one() -> None:
    def of_server(module: str) -> bool:
        return f"{module}.".startswith("pairedge.serve.")

    users = {name for name, imported in ALL.items() if any(map(of_server, imported))}
    assert {name for name in users if not of_server(name)} == {"pairedge.cli.serve", "pairedge_export.triton"}


def test_the_c_of_a_model_is_written_from_its_graphs_alone() -> None:
    # `adding` writes to folders and `proof` runs programs; the others know neither torch nor the network.
    allowed = {"card", "doc_strings", "errors"}
    for name, imported in ALL.items():
        if name.startswith("pairedge_export.c.") and name.split(".")[2] not in {"adding", "proof"}:
            parts = {module.split(".")[1] for module in imported if module.startswith("pairedge_export.")}
            assert parts - {"c"} <= allowed, name
            assert not {module for module in imported if module.startswith(("pairedge_train", "torch"))}, name


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {
        name: {module for module in imported if module in ALL and module != name}
        for name, imported in ALL.items()
    }
    # A package's face hands names on; who imports a module of it does not need the face.
    faces = {name for name, _ in ((name, path) for package in SOURCES for name, path in modules(package))}
    assert faces == set(graph)
    TopologicalSorter(
        {
            name: {module for module in needed if not name.startswith(f"{module}.")}
            for name, needed in graph.items()
        }
    ).prepare()
