"""The model that ships, exported again from the weights in its own graphs.

    python -m tools.reexport [--data-dir DIR]

For a change of what pairedge-export writes: weights, metadata and answers stay. Writes the graphs, the C, the
page, the proof of parity and the card to artifacts/aux_ws/, and the graphs' digests to pairedge/shipped.py.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import onnx

from pairedge.graph import METADATA_KEY
from pairedge.shipped import DIGESTS
from pairedge_export.c.adding import add_c
from pairedge_export.exporting import example_inputs
from pairedge_export.graphs import TorchGraph, graphs_of
from pairedge_export.page.writing import write_page
from pairedge_export.parity import check_parity, require_passed
from pairedge_export.to_onnx import to_onnx
from pairedge_train.data.loading import load_data
from pairedge_train.experiments.recipe import Data, Recipe
from pairedge_train.files import write_all, write_atomically
from pairedge_train.training.checkpoint import Checkpoint
from pairedge_train.training.exported import checkpoint_of
from tools.model_card import model_card

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "artifacts" / "aux_ws"
SHIPPED = ROOT / "pairedge" / "shipped.py"


def reexport(graphs: Mapping[str, bytes]) -> list[tuple[TorchGraph, bytes]]:
    """Export a model's graphs, by kind, again from the weights of `pair` and the metadata of each."""
    network = checkpoint_of(graphs["pair"]).network
    exported = []
    for graph in graphs_of(network):
        metadata = stored_metadata(graphs[graph.kind])
        recipe = Recipe.from_dict(metadata["recipe"])
        checkpoint = Checkpoint(network, recipe, metadata["seed"], None, metadata["training_sha256"], {})
        exported.append((graph, to_onnx(graph, metadata, example_inputs(graph, checkpoint))))
    return exported


def stored_metadata(content: bytes) -> dict[str, Any]:
    """The metadata that pairedge-export stored in a graph."""
    entries = {entry.key: entry.value for entry in onnx.load_from_string(content).metadata_props}
    metadata: dict[str, Any] = json.loads(entries[METADATA_KEY])
    return metadata


def with_digests(source: str, digests: Mapping[str, str]) -> str:
    """The text of pairedge/shipped.py with these SHA-256 of the graphs, by kind."""
    for kind, digest in digests.items():
        line = f'    "{kind}": "{digest}",'
        source = re.sub(rf'^    "{kind}": "[0-9a-f]*",$', line, source, flags=re.MULTILINE)
    return source


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--data-dir", type=click.Path(path_type=Path), help="Where MNIST lies.")
def main(data_dir: Path | None) -> None:
    """Export artifacts/aux_ws/ again from its own weights."""
    exported = reexport({path.stem: path.read_bytes() for path in FOLDER.glob("*.onnx")})
    tiles = load_data(Data(dataset="mnist"), data_dir).test.tiles
    parity = check_parity(exported, tiles)
    require_passed(parity, "the graphs exported again are not what ships")
    graphs = {graph.kind: content for graph, content in exported}
    files = {f"{kind}.onnx": content for kind, content in graphs.items()}
    files["parity.json"] = (json.dumps(parity.to_dict(), indent=1) + "\n").encode()
    write_all(FOLDER, files)
    digests = {kind: hashlib.sha256(content).hexdigest() for kind, content in graphs.items()}
    write_atomically(SHIPPED, with_digests(SHIPPED.read_text(), digests).encode())
    DIGESTS.update(digests)  # what follows opens the new graphs
    add_c(FOLDER, tiles)
    write_page(FOLDER, FOLDER / "web")
    write_atomically(FOLDER / "card.md", model_card(FOLDER).encode())


if __name__ == "__main__":
    main()
