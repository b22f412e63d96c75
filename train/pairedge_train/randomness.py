"""Randomness as an argument, also for the parts of torch that only read the global generator."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Generator


@contextmanager
def drawn_from(generator: Generator) -> Iterator[None]:
    """Within this block torch's global generator continues from `generator`; afterwards it is as it was.

    Weight initialisation and dropout take no generator of their own. The block gives them a seed drawn from
    the caller's, so that a result depends on the argument alone and the caller's global state is not touched.
    """
    seed = int(torch.randint(2**62, (), generator=generator))
    devices = list(range(torch.cuda.device_count()))
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


SEED = 20_251_121  # of the pictures that are tested on; training mixtures draw theirs from a round's seed


def seeded(name: str, seed: int = SEED) -> np.random.Generator:
    """The generator of a condition, which does not depend on what other conditions there are."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])
