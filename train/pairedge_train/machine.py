"""What trained a network: on another CPU the same recipe and seed give other weights, in the last bits.

torch chooses its kernels by the CPU's instruction set, and each adds in an order of its own. Rendered
pictures and the pairs that a round draws do not depend on it.
"""

from __future__ import annotations

import platform
from functools import cache

import numpy as np
import torch

from pairedge.machine import cpu_model


@cache
def machine() -> dict[str, str]:
    """The CPU, the instruction set of torch's kernels, and the versions of what computes."""
    return {
        "cpu": cpu_model(),
        "kernels": torch.backends.cpu.get_cpu_capability(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }
