"""Apply each fault of reliability/faults.toml to a copy of the tree: the tests beside it must fail.

python -m reliability.noticed             # every fault, then a count; exit code 1 when one goes unnoticed
python -m reliability.noticed "a name"    # only faults whose name contains the words
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import click

from reliability.trees import FAILED, PASSED, ROOT, copied_tree, replaced, run_tests

TABLE = ROOT / "reliability" / "faults.toml"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A one-line fault.

    Attributes:
        name: what it does, in words.
        file: the file, below the root of the checkout.
        old: text that occurs exactly once in the file.
        new: what stands there under the fault.
        tests: tests that must fail then, as pytest takes them.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def applied_to(self, source: str) -> str:
        """The file's text with the fault.

        Raises:
            ValueError: when the text does not have `old` exactly once.
        """
        count = source.count(self.old)
        if count != 1 or self.old == self.new:
            raise ValueError(f"{self.name!r} no longer applies: {self.file} has its text {count} times")
        return source.replace(self.old, self.new)


def read_faults(path: Path = TABLE) -> list[Fault]:
    """All faults of a table.

    Raises:
        TypeError: when one has an unknown entry or lacks one.
    """
    entries = tomllib.loads(path.read_text())["fault"]
    return [Fault(**{**entry, "tests": tuple(entry["tests"])}) for entry in entries]


def noticed(fault: Fault, tree: Path) -> bool:
    """Whether the tests of a fault fail under it; the tree is left as it was.

    Raises:
        ValueError: when the fault no longer applies.
        RuntimeError: when pytest itself fails, for instance because a test is gone.
    """
    path = tree / fault.file
    with replaced(path, fault.applied_to(path.read_text())):
        code, last = run_tests(tree, fault.tests)
    if code not in (PASSED, FAILED):
        raise RuntimeError(f"{fault.name!r}: its tests do not run: {last}")
    return code == FAILED


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("words", default="")
@click.option(
    "--table", type=click.Path(path_type=Path, exists=True), default=TABLE, show_default="faults.toml"
)
def main(words: str, table: Path) -> None:
    """Apply each fault whose name contains WORDS, and count those that its tests notice."""
    faults = [fault for fault in read_faults(table) if words in fault.name]
    unnoticed = 0
    with copied_tree() as tree:
        code, last = run_tests(tree, list(dict.fromkeys(test for fault in faults for test in fault.tests)))
        if code != PASSED:
            raise click.ClickException(f"without a fault the tests do not pass: {last}")
        for fault in faults:
            seen = noticed(fault, tree)
            click.echo(f"{'noticed  ' if seen else 'UNNOTICED'} {fault.name}")
            unnoticed += not seen
    click.echo(f"{len(faults) - unnoticed} of {len(faults)} faults are noticed")
    if unnoticed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
