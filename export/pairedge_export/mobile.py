"""`.ort` files, and the list of operators that a build of onnxruntime needs for them: docs/mobile.md.

onnxruntime's own converter writes both. It runs in a process of its own: importing it sets up logging.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pairedge.digest import append_digest, without_digest
from pairedge.graph import open_graph
from pairedge_export.errors import ExportError
from pairedge_export.parity import Check, compare_decisions, compare_values, real_inputs

OPERATORS = "required_operators_and_types.config"  # the converter's own name for it


def mobile_files(graphs: Mapping[str, bytes]) -> dict[str, bytes]:
    """Convert graphs to the files that `--mobile` adds, by name.

    The order of the tensors in a `.ort` file is that of a hash table with a random seed in each process, so
    its bytes differ from run to run; what it computes does not.

    Args:
        graphs: ONNX graphs by kind.

    Returns:
        `KIND.ort` for each graph, optimized for no processor in particular, with its digest; and OPERATORS.

    Raises:
        ExportError: when the converter fails.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, content in graphs.items():
            (folder / f"{kind}.onnx").write_bytes(without_digest(content))
        command = [sys.executable, "-m", "onnxruntime.tools.convert_onnx_models_to_ort", str(folder)]
        command += ["--optimization_style", "Fixed", "--enable_type_reduction"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = done.stderr.strip().rpartition("\n")[2]
            raise ExportError(f"onnxruntime's converter to .ort failed: {last}")
        files = {f"{kind}.ort": append_digest((folder / f"{kind}.ort").read_bytes()) for kind in graphs}
        # Its comments name the folder in which it worked.
        lines = (folder / OPERATORS).read_text().splitlines(keepends=True)
        files[OPERATORS] = "".join(line for line in lines if not line.startswith("#")).encode()
        return files


def mobile_checks(
    graphs: Mapping[str, bytes], mobile: Mapping[str, bytes], tiles: NDArray[np.uint8]
) -> list[Check]:
    """Check that each `.ort` file computes the values and takes the decisions of its graph.

    Args:
        graphs: ONNX graphs by kind.
        mobile: what `mobile_files` converted them to.
        tiles: test tiles, uint8 (M, 14, 14), 0 to 255.
    """
    checks = []
    for kind, content in graphs.items():
        graph, mobile_graph = open_graph(content, kind), open_graph(mobile[f"{kind}.ort"], kind)
        inputs = real_inputs(kind, graphs, tiles)
        expected, actual = (each.session.run(graph.outputs, inputs) for each in (graph, mobile_graph))
        checks += [
            compare(kind, graph.outputs, "as .ort", expected, actual, "mobile")
            for compare in (compare_values, compare_decisions)
        ]
    return checks
