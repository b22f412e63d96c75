"""What `pairedge predict` costs as a whole process, beside the imports that it cannot do without.

python benchmarks/startup.py [RUNS]
"""

from __future__ import annotations

import sys
from pathlib import Path

from side_by_side import ROOT, compare_commands, keep

if __name__ == "__main__":
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    pairedge = str(Path(sys.executable).with_name("pairedge"))
    pictures = [str(ROOT / "examples" / f"{name}.png") for name in ("three", "seven")]
    floor = [sys.executable, "-c", "import onnxruntime, PIL.Image, click"]
    keep("startup", compare_commands([pairedge, "predict", *pictures], floor, runs))
