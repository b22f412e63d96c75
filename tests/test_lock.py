"""The locked environment has every package that pyproject names, at an allowed version and by digest."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ENTRIES = re.split(r"^(?=[a-z0-9])", (ROOT / "requirements-dev.txt").read_text(), flags=re.MULTILINE)[1:]


def required(extra: str) -> list[Requirement]:
    """What an extra requires, with what its own extras require."""
    found = []
    for requirement in map(Requirement, PROJECT["optional-dependencies"][extra]):
        if requirement.name == "pairedge":
            found += [inner for name in sorted(requirement.extras) for inner in required(name)]
        else:
            found.append(requirement)
    return found


# By name; several versions where they depend on Python's.
LOCKED: dict[str, list[str]] = {}
for entry in ENTRIES:
    name, version = re.findall(r"^([A-Za-z0-9._-]+)(?:\[.*?\])?==([^ ;]+)", entry)[0]
    LOCKED.setdefault(canonicalize_name(name), []).append(version)


def allowed(requirement: Requirement) -> bool:
    """Whether all locked versions of a package are."""
    versions = LOCKED.get(canonicalize_name(requirement.name), [])
    return bool(versions) and all(map(requirement.specifier.contains, versions))


@pytest.mark.parametrize("requirement", required("dev"), ids=str)
def test_a_package_is_locked_at_an_allowed_version(requirement: Requirement) -> None:
    assert allowed(requirement), "run `make lock`"


def test_the_runtimes_packages_are_locked() -> None:
    assert all(map(allowed, map(Requirement, PROJECT["dependencies"])))


def test_every_package_has_a_digest() -> None:
    assert len(LOCKED) > 100
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in ENTRIES)
