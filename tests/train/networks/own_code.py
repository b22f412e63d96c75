"""Modules and installed packages of one's own, for the tests of variants that come from elsewhere."""

from __future__ import annotations

from pathlib import Path

HEAD = """
import torch
from torch import nn

from pairedge_train.networks.output import Output
from pairedge_train.networks.two_branches import TwoBranches
from pairedge_train.networks.variants import variant

"""
# Ten logits of a tile from one layer; the comparison has no weights: P(first <= second) is summed.
LINEAR = """
from pairedge_train.networks.posterior_sum import PosteriorSum

@variant(parameters=1_970)
def linear():
    \"\"\"One layer.\"\"\"
    branch = nn.Sequential(nn.Flatten(), nn.Linear(196, 10))
    return TwoBranches([branch], PosteriorSum(), nn.Identity(), together=True)
"""


def install(folder: Path, package: str, **offered: str) -> None:
    """Write what pip leaves of a package that offers variants, by name, as `module:name`."""
    facts = folder / f"{package}-1.0.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = [f"{name} = {value}" for name, value in offered.items()]
    (facts / "entry_points.txt").write_text("\n".join(["[pairedge.variants]", *lines, ""]))
