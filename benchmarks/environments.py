"""Environments of their own, for what cannot be installed beside pairedge's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def environment(folder: Path, *packages: str) -> Path:
    """The interpreter of an environment with some packages, made when it is not there yet."""
    python = folder / "bin" / "python"
    if not (folder / "done").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True)
        (folder / "done").touch()
    return python
