"""Change the code at random places and see whether a test fails: mutmut's mutations, drawn by a seed.

    python -m reliability.mutants pairedge --count 100    # so many of the package's mutants
    python -m reliability.mutants                         # of all three packages

All mutants would take days on two cores. A sample is drawn evenly from those of a package, and each runs
the tests of its own module (`TESTS`) until one fails: not the whole suite, so that a survivor may still be
noticed by another module's. Rows go to artifacts/reliability/mutants.jsonl as they come; a mutant that has
a row is not run again.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import click
import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import Mutation, create_mutations, deep_replace

from reliability.rows import RESULTS, MutantRow, Outcome, add_to_campaign, read_campaign
from reliability.trees import PASSED, copied_tree, replaced, run_tests

ROWS = RESULTS / "mutants.jsonl"
SEED = 20_261_121
SECONDS = 240  # after which tests hang: the slowest selection takes 60 alone
# What decides, by package.
PACKAGES = {
    "pairedge": ("pairedge/**/*.py",),
    "pairedge_export": ("export/pairedge_export/**/*.py",),
    "pairedge_train": (
        "train/pairedge_train/data/*.py",
        "train/pairedge_train/training/*.py",
        "train/pairedge_train/files.py",
        "train/pairedge_train/rows.py",
        "train/pairedge_train/reports/agreement.py",
        "train/pairedge_train/reports/statistics.py",
    ),
}
# The tests of each file, the first pattern that fits; the fastest tests first, since one failure is enough.
TESTS = {
    "pairedge/image/*": ("tests/pairedge/image",),
    "pairedge/cli/*": ("tests/pairedge/cli", "tests/pairedge/test_ranking.py"),
    "pairedge/serve/*": ("tests/pairedge/serve",),
    "pairedge/ranking.py": ("tests/pairedge/test_ranking.py",),
    "pairedge/confidence.py": ("tests/pairedge/test_confidence.py", "tests/pairedge/test_model.py"),
    "pairedge/*": ("tests/pairedge",),
    "export/pairedge_export/parity.py": ("tests/export/test_parity.py", "tests/export/test_exporting.py"),
    "export/*": ("tests/export",),
    "train/pairedge_train/data/*": ("tests/train/data", "tests/train/training/test_rounds.py"),
    "train/pairedge_train/reports/*": (
        "tests/train/reports/test_statistics.py",
        "tests/train/reports/test_agreement.py",
    ),
    "train/pairedge_train/training/stacked.py": ("tests/train/training/test_stacked.py",),
    "train/pairedge_train/training/*": ("tests/train/training",),
    "train/pairedge_train/*.py": ("tests/train/test_rows.py", "tests/train/test_files.py"),
}


@dataclass(frozen=True)
class Mutant:
    """One change of one file.

    Attributes:
        file: below the root of the checkout.
        line: where.
        old: the expression.
        new: the expression in its place.
        source: the whole file with the change.
    """

    file: str
    line: int
    old: str
    new: str
    source: str


@dataclass(frozen=True)
class Change:
    """A mutation of mutmut's in one file."""

    file: str
    module: cst.Module
    mutation: Mutation
    line: int

    def made(self) -> Mutant:
        """The mutant."""
        old, new = self.mutation.original_node, self.mutation.mutated_node
        changed = deep_replace(self.module, old, new)
        assert isinstance(changed, cst.Module)
        texts = [self.module.code_for_node(node).strip() for node in (old, new)]
        return Mutant(self.file, self.line, texts[0], texts[1], changed.code)


def changes_of(package: str, tree: Path) -> list[Change]:
    """All mutations of a package in a tree, file by file."""
    changes = []
    for path in sorted({path for pattern in PACKAGES[package] for path in tree.glob(pattern)}):
        module, mutations, *_ = create_mutations(str(path), path.read_text())
        positions = MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)
        changes += [
            Change(
                str(path.relative_to(tree)), module, mutation, positions[mutation.original_node].start.line
            )
            for mutation in mutations
        ]
    return changes


def tests_of(file: str) -> tuple[str, ...]:
    """The tests that a mutant of a file runs."""
    return next(
        tests for pattern, tests in TESTS.items() if Path(file).match(pattern) or _below(file, pattern)
    )


def _below(file: str, pattern: str) -> bool:
    return pattern.endswith("/*") and file.startswith(pattern[:-1])


def judge(mutant: Mutant, tree: Path, seed: int) -> MutantRow:
    """Run the tests of a mutant."""
    with replaced(tree / mutant.file, mutant.source):
        code, _ = run_tests(tree, (*tests_of(mutant.file), "-m", "not slow and not mnist"), SECONDS)
    outcome: Outcome = "survived" if code == PASSED else "hung" if code < 0 else "killed"
    return MutantRow(
        file=mutant.file, line=mutant.line, old=mutant.old, new=mutant.new, outcome=outcome, seed=seed
    )


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("packages", nargs=-1, type=click.Choice(list(PACKAGES)))
@click.option("--count", type=click.IntRange(min=1), default=50, show_default=True, help="Of each package.")
@click.option("--seed", type=click.IntRange(min=0), default=SEED, show_default=True)
@click.option("--rows", type=click.Path(path_type=Path), default=ROWS, show_default=True)
def main(packages: tuple[str, ...], count: int, seed: int, rows: Path) -> None:
    """Run COUNT mutants of each of PACKAGES, or of all three, that have no row yet."""
    known = {(row.file, row.line, row.old, row.new) for row in read_campaign(MutantRow, rows)}
    with copied_tree() as tree:
        for package in packages or PACKAGES:
            changes = changes_of(package, tree)
            sample = random.Random(seed).sample(changes, min(count, len(changes)))
            click.echo(f"{package}: {len(sample)} of {len(changes)} mutants")
            for mutant in (change.made() for change in sample):
                if (mutant.file, mutant.line, mutant.old, mutant.new) not in known:
                    row = judge(mutant, tree, seed)
                    add_to_campaign(row, rows)
                    click.echo(f"{row.outcome:<8} {row.file}:{row.line}: {row.old} -> {row.new}")


if __name__ == "__main__":
    main()
