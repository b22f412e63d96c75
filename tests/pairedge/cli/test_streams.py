"""A stream that is closed, full or no longer read is one sentence and the right exit code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "examples"
CLASSIFY = f"classify {EXAMPLES / 'nine.png'}"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell closes the streams")


def shell(command: str) -> subprocess.CompletedProcess[str]:
    """Run `pairedge` with a shell's redirections."""
    program = f'{sys.executable} -c "from pairedge.cli import run; run()"'
    return subprocess.run(f"{program} {command}", shell=True, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("command", "code", "error"),
    [
        (f"{CLASSIFY} >&-", 1, "Error: standard output: not writable\n"),
        (f"{CLASSIFY} --json > /dev/full", 1, "Error: standard output: no space left on device\n"),
        ("--version > /dev/full", 1, "Error: standard output: no space left on device\n"),
        ("classify - <&-", 1, "Error: standard input: the file is empty\n"),
        ("classify gone.png 2> /dev/full", 1, ""),
        (f"{CLASSIFY} >&- 2>&- <&-", 1, ""),
        (f"{CLASSIFY} | head -c 0", 0, ""),
    ],
)
def test_a_stream_that_fails_is_one_sentence_and_code_1(command: str, code: int, error: str) -> None:
    done = shell(command)
    assert (done.returncode, done.stderr) == (code, error)


def test_without_standard_error_the_others_are_answered() -> None:
    done = shell(f"classify gone.png {EXAMPLES / 'nine.png'} 2>&-")
    assert done.returncode == 1
    assert done.stdout.splitlines()[1].startswith(f"{EXAMPLES / 'nine.png'}: 9")
