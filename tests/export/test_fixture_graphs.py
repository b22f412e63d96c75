"""The checked-in graphs that the runtime's tests open are the ones that their script writes."""

import subprocess
import sys
from pathlib import Path

RUNTIME_TESTS = Path(__file__).parents[1] / "pairedge"


def test_the_script_writes_the_checked_in_graphs_byte_for_byte(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(RUNTIME_TESTS / "make_graphs.py"), str(tmp_path)], check=True)

    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert written == {path.name: path.read_bytes() for path in (RUNTIME_TESTS / "graphs").iterdir()}
    assert max(map(len, written.values())) < 3000
