"""A tile's bytes do not depend on the CPU: not on OpenBLAS's kernel, and not on NumPy's instruction sets."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import numpy as np
import pytest

# Every condition and every kind of negative some times, with a generator for each picture.
RENDER = """
import hashlib
import numpy as np
from pairedge_train.rendering.conditions import CONDITIONS
from pairedge_train.rendering.negatives import KINDS, render_negative
from pairedge_train.rendering.pen_digits import Look, draw_digit
from pairedge_train.rendering.render import render
from pairedge_train.rendering.tiles import tile_or_none

look = Look(size=(28, 28), ink=(255, 255, 255), paper=(0, 0, 0), height=0.72, stroke=0.12)
digits = [np.asarray(draw_digit(digit, look).convert("L")) for digit in range(10)]
pictures = {}
for count in range(4):
    for place, name in enumerate(CONDITIONS):
        generator = np.random.default_rng([count, place])
        pictures[f"{name} {count}"] = render(digits[(count + place) % 10], name, generator)
    for place, kind in enumerate(KINDS):
        for part, split in enumerate(("training", "test", "validation")):
            generator = np.random.default_rng([count, place, part])
            pictures[f"{kind} {count} {split}"] = render_negative(kind, generator, split=split)
for name, picture in pictures.items():
    content = picture if isinstance(picture, bytes) else picture.tobytes()
    tile = tile_or_none(picture)
    print(name, hashlib.sha256(content).hexdigest(), None if tile is None else tile.tobytes().hex(), sep=";")
"""


def instruction_sets() -> list[str]:
    """Those beyond the baseline that NumPy uses on this CPU."""
    config = np.show_config(mode="dicts")
    assert isinstance(config, dict)
    return [str(name) for name in config["SIMD Extensions"].get("found", ())]


def tiles_under(**environment: str) -> list[str]:
    """Names of pictures with their digests and tiles, as another process renders them."""
    done = subprocess.run(
        [sys.executable, "-c", RENDER],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="names kernels of x86-64")
def test_pictures_and_tiles_are_the_same_under_any_kernel() -> None:
    detected = instruction_sets()
    kernels = [
        "Nehalem",
        "Sandybridge",
    ]  # every CPU with AVX runs these; NumPy's names for more are old and new
    if {"AVX2", "X86_V3"} & set(detected):
        kernels.append("Haswell")
    if {"AVX512_SKX", "X86_V4"} & set(detected):
        kernels.append("SkylakeX")
    first, second = (tiles_under(OPENBLAS_CORETYPE=kernel) for kernel in kernels[-2:])
    plain = tiles_under(OPENBLAS_CORETYPE="Nehalem", NPY_DISABLE_CPU_FEATURES=" ".join(detected))
    assert len(first) > 100
    assert first == second
    assert first == plain
