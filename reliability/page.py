"""The page of what the campaigns found, made from their rows, with a goal beside each figure.

python -m reliability.page
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from scipy import stats

from pairedge_train.files import write_atomically
from reliability.flips import FLIPPED
from reliability.noticed import read_faults
from reliability.rows import RESULTS, FuzzRow, KillRow, MutantRow, SoakRow, read_campaign
from tools.markdown import table

PAGE = RESULTS / "reliability.md"
EXECUTIONS = 1_000_000  # of each reader
KILLS = 200
# Shares of mutants that tests notice.
NOTICED = {"pairedge": 0.9, "pairedge_export": 0.8, "pairedge_train": 0.8}
_FOLDERS = {"pairedge": "pairedge/", "pairedge_export": "export/", "pairedge_train": "train/"}


def page(results: Path = RESULTS) -> str:
    """The page as Markdown."""
    kills = read_campaign(KillRow, results / "kills.jsonl")
    mutants = read_campaign(MutantRow, results / "mutants.jsonl")
    return "\n".join(
        (
            "# Reliability",
            "",
            "What campaigns that try to break the project found. Each figure is counted from rows in this "
            "folder, which `make fuzz`, `make faults`, `make soak` and `make mutants` append to; `make "
            "reliability-page` makes this page. Goals stand beside the figures, met or not.",
            "",
            "## Fuzzing",
            "",
            "Mutated input for every reader: no crash, no hang over one second, no more than 300 MB, no "
            "exception that is not documented.",
            "",
            *fuzz_lines(read_campaign(FuzzRow, results / "fuzz.jsonl")),
            "## Disturbances",
            "",
            "Short forms of the commands on scikit-learn's digits. Each was disturbed at a random moment, "
            "and called again. Sound: the second call finished, all files are to the byte what an "
            "undisturbed run leaves, no round has two rows, and nothing else lies there.",
            "",
            *kill_lines(kills),
            "## Scale-out",
            "",
            "A study on a Dask cluster of separate processes, while workers are killed, one is halted as a "
            "straggler, and the scheduler is restarted: every round has one row.",
            "",
            *soak_lines(read_campaign(SoakRow, results / "soak.jsonl")),
            "## Known faults",
            "",
            f"{len(read_faults())} one-line faults in code that decides stand in `reliability/faults.toml`, "
            "each with tests that must fail under it. `make faults-noticed` applies them all and fails when "
            "one goes unnoticed or no longer applies.",
            "",
            "## Mutants",
            "",
            "mutmut's changes of the code, drawn at random from all of a package; of `pairedge_train` from "
            "what decides. Each runs the tests of its own module only, so that a survivor here may still be "
            "noticed by the whole suite.",
            "",
            *mutant_lines(mutants),
        )
    )


def fuzz_lines(rows: Sequence[FuzzRow]) -> Iterator[str]:
    """A line for each reader."""
    if not rows:
        yield "Not run yet.\n"
        return
    lines = []
    for reader in dict.fromkeys(row.reader for row in rows):
        own = [row for row in rows if row.reader == reader]
        executions = sum(row.executions for row in own)
        found = [
            sum(getattr(row, what) for row in own)
            for what in ("crashes", "hangs", "over_memory", "undocumented")
        ]
        wanted = 0 if reader.startswith(FLIPPED) else EXECUTIONS  # a row of flips is of all bytes
        goal = verdict(executions >= wanted and not any(found))
        lines.append([reader, f"{executions:,}", *map(str, found), goal])
    yield table(
        [
            "reader",
            "executions",
            "crashes",
            "hangs",
            "over 300 MB",
            "undocumented",
            f"{EXECUTIONS:,} (flips: all) and none",
        ],
        lines,
    )


def kill_lines(rows: Sequence[KillRow]) -> Iterator[str]:
    """A line for each command and disturbance, and the count of all kills."""
    if not rows:
        yield "Not run yet.\n"
        return
    lines = []
    for command, disturbance in dict.fromkeys((row.command, row.disturbance) for row in rows):
        own = [row for row in rows if (row.command, row.disturbance) == (command, disturbance)]
        sound = sum(row.sound for row in own)
        stopped = sum(row.stopped for row in own)
        lines.append(
            [command, disturbance, str(len(own)), str(stopped), str(sound), verdict(sound == len(own))]
        )
    yield table(
        ["command", "disturbance", "runs", "of which it stopped", "sound afterwards", "all sound"], lines
    )
    killed = [row for row in rows if row.disturbance == "SIGKILL"]
    met = verdict(len(killed) >= KILLS and all(row.sound for row in killed))
    yield f"{len(killed)} kills in all; goal: {KILLS}, all sound: {met}.\n"


def soak_lines(rows: Sequence[SoakRow]) -> Iterator[str]:
    """A line for each soak."""
    if not rows:
        yield "Not run yet.\n"
        return
    yield table(
        ["rounds", "workers killed", "workers halted", "scheduler restarted", "rows", "one for each round"],
        [
            [
                *map(str, (row.rounds, row.killed, row.halted, row.restarted, row.rows)),
                verdict(row.sound),
            ]
            for row in rows
        ],
    )


def mutant_lines(rows: Sequence[MutantRow]) -> Iterator[str]:
    """The share that is noticed of each package, and the survivors."""
    if not rows:
        yield "Not run yet.\n"
        return
    lines = []
    for package, folder in _FOLDERS.items():
        own = [row for row in rows if row.file.startswith(folder)]
        if own:
            noticed, goal = sum(row.outcome != "survived" for row in own), NOTICED[package]
            low, high = stats.binomtest(noticed, len(own)).proportion_ci(method="wilson")
            share = f"{100 * noticed / len(own):.0f} % ({100 * low:.0f} to {100 * high:.0f})"
            told = verdict(low >= goal) if low >= goal or high < goal else "the sample cannot tell"
            cells = [f"{noticed} of {len(own)}", share, f"at least {100 * goal:.0f} %", told]
            lines.append([f"`{package}`", *cells])
    yield table(["package", "noticed", "share, 95 % confidence", "goal", ""], lines)
    yield "Survivors:\n"
    survivors = [row for row in rows if row.outcome == "survived"]
    yield table(
        ["place", "change", "why it survives"],
        [[f"{row.file}:{row.line}", f"{code(row.old)} → {code(row.new)}", row.reason] for row in survivors],
    )


def code(text: str) -> str:
    """A piece of code in a cell of a table, shortened."""
    line = " ".join(text.split())
    short = line if len(line) <= 60 else f"{line[:57]}..."
    return "`` " + short.replace("|", "\\|") + " ``"


def verdict(met: bool) -> str:
    """Whether a goal is met."""
    return "met" if met else "**missed**"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Write the page."""
    write_atomically(PAGE, page().encode())
    click.echo(f"Wrote {PAGE}")


if __name__ == "__main__":
    main()
