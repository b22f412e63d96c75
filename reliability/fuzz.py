"""Mutate input for every reader, guided by coverage: none may crash, hang, take much memory or fail else.

    python -m reliability.fuzz                              # all readers, 1,000,000 executions each
    python -m reliability.fuzz "PNG to tile" --executions 20000
    python -m reliability.fuzz --seconds 30                 # a short form: all readers together

Atheris (libFuzzer) mutates and looks at the coverage of our code, of Pillow's Python and of `multipart`. A
campaign runs in parts, each in a process of its own, which a crash may end; each part is a row of
artifacts/reliability/fuzz.jsonl, and an interrupted campaign goes on behind its last row. What went wrong is
kept in .fuzz/findings/ as the input that did it.
"""

from __future__ import annotations

import hashlib
import mmap
import resource
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click

from pairedge.cold_start import peak_memory
from reliability.rows import RESULTS, FuzzRow, add_to_campaign, read_campaign

ROWS = RESULTS / "fuzz.jsonl"
WORK = Path(__file__).parent.parent / ".fuzz"  # what was reached so far, and findings
SEED = 20_261_121
PART = 20_000  # executions of one process
HANG = 1.0  # seconds of CPU time
MEMORY = 300_000_000  # bytes that one input may add to the peak
_STUCK = 30  # seconds after which libFuzzer ends a part
_ADDRESSES = 12_000_000_000  # bytes: keeps a graph that asks for more from taking the machine with it
_LARGEST_INPUT = 20_000  # bytes: of mutated input
_COUNTS = struct.Struct("=5q")  # executions, hangs, over memory, undocumented, whether one is being read


class Counts:
    """What one process counted so far, in a file, so that it outlives a crash."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _COUNTS.size)
        self.values = list(_COUNTS.unpack(self._map[:]))

    def store(self) -> None:
        """Write the values."""
        self._map[:] = _COUNTS.pack(*self.values)


def fuzz_part(name: str, counts_file: Path, arguments: Sequence[str]) -> None:
    """Run one part in this process, which libFuzzer ends."""
    import atheris

    with atheris.instrument_imports(include=["pairedge", "pairedge_train", "PIL", "multipart"]):
        from reliability.readers import READERS
    reader = READERS[name]
    counts = Counts(counts_file)
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES, _ADDRESSES))
    peak = _peak()

    def one_input(content: bytes) -> None:
        nonlocal peak
        counts.values[0] += 1
        counts.values[4] = 1
        counts.store()
        start = time.process_time()
        try:
            reader.read(content)
        except Exception as error:
            counts.values[3] += 1
            keep(name, f"{type(error).__name__}", content)
        if time.process_time() - start > HANG:
            counts.values[1] += 1
            keep(name, "hang", content)
        now = _peak()
        if now - peak > MEMORY:
            counts.values[2] += 1
            keep(name, "memory", content)
        peak = max(peak, now)
        counts.values[4] = 0
        counts.store()

    def mutate(content: bytes, largest: int, seed: int) -> bytes:
        mutated = bytes(atheris.Mutate(content, largest))
        return reader.repair(mutated)[:largest] if seed % 2 else mutated

    for seed in reader.seeds():
        one_input(seed)
        peak = _peak()  # first use imports decoders
    counts.values[0] = 0
    atheris.Setup([sys.argv[0], *arguments], one_input, custom_mutator=mutate)
    atheris.Fuzz()


def _peak() -> int:
    """The peak memory of this process, bytes."""
    return peak_memory() or 0


def keep(name: str, kind: str, content: bytes) -> None:
    """Keep an input that went wrong, a few of each kind."""
    folder = WORK / "findings" / name.replace(" ", "-") / kind
    folder.mkdir(parents=True, exist_ok=True)
    if len(list(folder.iterdir())) < 20:
        (folder / hashlib.sha256(content).hexdigest()[:12]).write_bytes(content)


def run_part(name: str, executions: int, seconds: int, seed: int) -> FuzzRow:
    """Run one part in a process of its own; `seconds` of 0 for no limit."""
    from reliability.readers import READERS

    corpus = WORK / "corpus" / name.replace(" ", "-")
    corpus.mkdir(parents=True, exist_ok=True)
    for content in READERS[name].seeds():
        (corpus / hashlib.sha256(content).hexdigest()[:12]).write_bytes(content)
    with tempfile.NamedTemporaryFile() as file:
        file.write(bytes(_COUNTS.size))
        file.flush()
        limits = [f"-runs={executions}", f"-max_total_time={seconds}", f"-timeout={_STUCK}", f"-seed={seed}"]
        options = [
            "-rss_limit_mb=0",
            "-verbosity=0",
            f"-max_len={_LARGEST_INPUT}",
            f"-artifact_prefix={WORK}/",
        ]
        start = time.monotonic()
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "reliability.fuzz",
                "--part",
                name,
                file.name,
                *limits,
                *options,
                str(corpus),
            ],
            capture_output=True,
            check=False,
        )
        taken = time.monotonic() - start
        ran, hangs, over_memory, undocumented, reading = Counts(Path(file.name)).values
    if not ran:
        raise click.ClickException(f"{name}: {done.stderr.decode(errors='replace')[-2000:]}")
    stuck = b"ERROR: libFuzzer: timeout" in done.stderr
    return FuzzRow(
        reader=name,
        executions=ran,
        seconds=round(taken, 3),
        crashes=int(bool(reading) and not stuck),
        hangs=hangs + stuck,
        over_memory=over_memory,
        undocumented=undocumented,
        seed=seed,
    )


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("readers", nargs=-1)
@click.option("--executions", type=click.IntRange(min=1), default=1_000_000, show_default=True)
@click.option("--seconds", type=click.IntRange(min=1), help="For all readers together; leaves no rows.")
def main(readers: tuple[str, ...], executions: int, seconds: int | None) -> None:
    """Fuzz READERS, or all. Exit code 1 if anything went wrong."""
    from reliability.readers import READERS

    names = readers or tuple(READERS)
    unknown = ", ".join(sorted(set(names) - set(READERS)))
    if unknown:
        raise click.UsageError(f"no reader is called {unknown}; there are {', '.join(READERS)}")
    rows = read_campaign(FuzzRow, ROWS) if seconds is None else []
    new: list[FuzzRow] = []
    progress = True
    while progress:  # in turn, so that an interrupted campaign has some of each
        progress = False
        for name in names:
            earlier = [row for row in [*rows, *new] if row.reader == name]
            left = executions - sum(row.executions for row in earlier)
            if left <= 0 or (seconds is not None and earlier):
                continue
            share = 0 if seconds is None else max(1, seconds // len(names))
            row = run_part(name, min(left, PART), share, SEED + len(earlier))
            new.append(row)
            progress = True
            if seconds is None:
                add_to_campaign(row, ROWS)
            wrong = f"{row.crashes} crashes, {row.hangs} hangs, {row.over_memory} over memory"
            click.echo(
                f"{name}: {row.executions:,} in {row.seconds:.0f} s, {wrong}, {row.undocumented} undocumented"
            )
    if any(row.crashes or row.hangs or row.over_memory or row.undocumented for row in new):
        raise SystemExit(1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--part"]:
        fuzz_part(sys.argv[2], Path(sys.argv[3]), sys.argv[4:])
    else:
        main()
