"""What a picture is for: the parts of hands, letters, signs and shapes that share nothing."""

from __future__ import annotations

from typing import Literal, TypeAlias

Split: TypeAlias = Literal["training", "validation", "test"]
