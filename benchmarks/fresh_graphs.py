"""Graphs of variants with random weights, which are as fast as trained ones and as hard to load."""

from __future__ import annotations

import torch

from pairedge.graph import SCHEMA
from pairedge_export.exporting import export_graph
from pairedge_export.graphs import graphs_of
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.networks.network import build_network
from pairedge_train.networks.variants import variants
from pairedge_train.training.checkpoint import Checkpoint


def fresh_graphs(variant: str, *others: str) -> dict[str, bytes]:
    """The graphs by kind of a variant, or of an ensemble of it and others, with weights drawn from seed 0."""
    recipe = Recipe().with_({"network.variant": [variant, *others] if others else variant})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # torch's layers draw their weights from the global generator
        network = build_network(recipe.network).eval()
    checkpoint = Checkpoint(network, recipe, seed=0, fold=None, training_sha256="", metrics={})
    metadata = {
        "schema": SCHEMA,
        "variant": variant,
        "recipe": recipe.to_dict(),
        "parameters": network.parameter_count(),
        "weights_sha256": f"fresh {variant}",
    }
    return {graph.kind: export_graph(graph, metadata, checkpoint) for graph in graphs_of(network)}


def one_of_each_family() -> list[str]:
    """The first variant of each file of the registry."""
    first: dict[str, str] = {}
    for name, variant in variants().items():
        # `build` is a partial of the builder, which lies in its report's file.
        first.setdefault(variant.build.func.__module__, name)  # type: ignore[attr-defined]  # a Callable has none
    return list(first.values())
