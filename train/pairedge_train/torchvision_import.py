"""Import torchvision beside a CPU-only torch.

torchvision's registry wheel is built for CUDA. Beside a CPU build of torch its compiled operators do not
load, and `import torchvision` then fails while it registers shape functions for them ("operator
torchvision::nms does not exist"). The data sets, transforms and models that this project uses are pure
Python. While torchvision is being imported, and only then, registrations for missing operators are skipped;
where the operators do load, nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

import torch


def import_torchvision(module: str) -> ModuleType:
    """Import the module `torchvision.<module>`, for instance "datasets"."""
    register_fake = torch.library.register_fake

    def register_existing(op: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(op, str) and op.startswith("torchvision::") and not _exists(op):
            return _unchanged
        return register_fake(op, *args, **kwargs)

    torch.library.register_fake = register_existing
    try:
        return import_module(f"torchvision.{module}")
    finally:
        torch.library.register_fake = register_fake


def _exists(op: str) -> bool:
    namespace, name = op.split("::")
    return hasattr(getattr(torch.ops, namespace), name)


def _unchanged(function: Callable[..., Any]) -> Callable[..., Any]:
    return function
