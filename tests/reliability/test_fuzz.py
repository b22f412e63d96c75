"""The fuzzer finds what is wrong with a reader, and finds nothing wrong with ours."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest

from pairedge.shipped import shipped_graph
from reliability.flips import flip_all
from reliability.readers import READERS

pytest.importorskip("atheris", reason="atheris has no wheel for this platform")

# A reader that fails in each way, by the first byte.
BAD = """
import sys, time
from pathlib import Path
from reliability import fuzz
from reliability.readers import READERS, Reader
def read(content):
    if content[:1] == b"a":
        raise KeyError
    if content[:1] == b"b":
        start = time.process_time()
        while time.process_time() < start + 1.1: pass
    if content[:1] == b"c":
        b"c" * 400_000_000
READERS["bad"] = Reader("bad", read, lambda: [b"a", b"b", b"c", b"d"])
fuzz.WORK = Path(sys.argv[2])
fuzz.fuzz_part("bad", Path(sys.argv[1]), ["-runs=1", "-max_len=1"])
"""


@pytest.mark.parametrize("name", READERS)
def test_the_input_that_mutations_start_from_is_read_without_an_error(name: str) -> None:
    for content in READERS[name].seeds():
        READERS[name].read(content)
        READERS[name].read(READERS[name].repair(content))


def test_each_way_to_fail_is_counted_and_its_input_kept(tmp_path: Path) -> None:
    counts = tmp_path / "counts"
    counts.write_bytes(bytes(40))
    command = [sys.executable, "-c", BAD, str(counts), str(tmp_path)]
    subprocess.run(command, capture_output=True, check=False)
    _, hangs, over_memory, undocumented, reading = struct.unpack("=5q", counts.read_bytes())
    kept = [(path.parent.name, path.read_bytes()[:1]) for path in tmp_path.glob("findings/bad/*/*")]
    assert {("KeyError", b"a"), ("hang", b"b"), ("memory", b"c")} <= set(kept)
    assert b"d" not in {first for _, first in kept}
    # On a busy machine an input that takes much memory may take a second, too.
    assert hangs >= len([kind for kind, _ in kept if kind == "hang"])
    assert (over_memory, reading) == (1, 0)
    assert undocumented >= 1


def test_the_short_form_finds_nothing() -> None:
    command = [sys.executable, "-m", "reliability.fuzz", "PNM to tile", "--seconds", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 crashes, 0 hangs, 0 over memory, 0 undocumented" in done.stdout


def test_flipped_bytes_are_counted_and_none_is_accepted() -> None:
    row = flip_all("compare", "flipped", every=17)
    assert (row.executions, row.undocumented) == (-(-Path(shipped_graph("compare")).stat().st_size // 17), 0)
