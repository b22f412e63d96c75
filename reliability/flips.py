"""Flip all bits of every byte of the graphs that ship, one byte at a time: each such graph must be refused.

    python -m reliability.flips

The graphs are opened as bytes, so that only the digest that each carries itself protects them. A row for each
graph goes to artifacts/reliability/fuzz.jsonl: a flipped graph that opens counts as an undocumented outcome.
"""

from __future__ import annotations

import time
from pathlib import Path

import click

from pairedge.errors import GraphError
from pairedge.graph import CONTRACTS, open_graph
from pairedge.shipped import DIGESTS, shipped_graph
from reliability.fuzz import HANG, ROWS
from reliability.rows import FuzzRow, add_to_campaign, read_campaign


def flip_all(kind: str, name: str, every: int = 1) -> FuzzRow:
    """Flip the bytes of one graph that ships: all, or `every` so many."""
    content = bytearray(Path(shipped_graph(kind)).read_bytes())
    start, accepted, hangs = time.monotonic(), 0, 0
    places = range(0, len(content), every)
    for place in places:
        before = time.process_time()
        content[place] ^= 0xFF
        try:
            open_graph(bytes(content), kind)
            accepted += 1
        except GraphError:
            pass
        content[place] ^= 0xFF
        hangs += time.process_time() - before > HANG
    return FuzzRow(
        reader=name,
        executions=len(places),
        seconds=round(time.monotonic() - start, 3),
        crashes=0,
        hangs=hangs,
        over_memory=0,
        undocumented=accepted,
        seed=0,
    )


FLIPPED = "flipped bytes of"  # how the names of such rows begin


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Flip every byte of the three graphs that have no row yet. Exit code 1 if a flipped graph opens."""
    known = {row.reader for row in read_campaign(FuzzRow, ROWS)}
    accepted = 0
    for kind in CONTRACTS:
        name = f"{FLIPPED} {kind}.onnx {DIGESTS[kind][:12]}"
        if name in known:
            continue
        row = flip_all(kind, name)
        add_to_campaign(row, ROWS)
        accepted += row.undocumented
        click.echo(f"{name}: {row.executions:,} in {row.seconds:.0f} s, {row.undocumented} accepted")
    if accepted:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
