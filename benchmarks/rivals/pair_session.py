"""The session that every rival answers with: onnxruntime's, with the options of pairedge.graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import onnxruntime as ort


def open_session(path: str) -> Callable[..., Any]:
    """The function that answers pairs of tiles, uint8 (N, 2, 14, 14), with leq (N,) and digits (N, 2, 10)."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda images: session.run(["leq", "digits"], {"images": images})
