"""What trained a network: on another CPU the same recipe and seed give other weights, in the last bits.

torch chooses its kernels by the CPU's instruction set, and each adds in an order of its own. Rendered
pictures and the pairs that a round draws do not depend on it.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import cache

import numpy as np
import torch

from pairedge.machine import cpu_model


@cache
def machine(device: str = "cpu") -> dict[str, str]:
    """The CPU, the instruction set of torch's kernels, and the versions of what computes; a GPU, too."""
    facts = {
        "cpu": cpu_model(),
        "kernels": torch.backends.cpu.get_cpu_capability(),
        "python": platform.python_version(),
        "torch": str(torch.__version__),  # it is of a class of its own
        "numpy": np.__version__,
    }
    if torch.device(device).type == "cuda":
        facts |= {"gpu": torch.cuda.get_device_name(device), "cuda": str(torch.version.cuda)}
    return facts


def one_after_the_other(first: Mapping[str, str], then: Mapping[str, str]) -> dict[str, str]:
    """Two machines that trained a network in turn: both of their facts, where these differ."""
    joined = {name: first.get(name, fact) for name, fact in then.items()}
    return {
        name: known if known.endswith(then[name]) else f"{known}, then {then[name]}"
        for name, known in joined.items()
    }
