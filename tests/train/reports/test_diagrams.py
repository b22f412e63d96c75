"""Networks are described as they are, each layer with its shape and parameters, and drawn alike each time."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pairedge_train.experiments.library import reports
from pairedge_train.networks.description import Layer, describe, layer_text, weight_layers
from pairedge_train.networks.variants import get_variant, variants
from pairedge_train.reports.diagrams import Panel
from pairedge_train.reports.figures import draw

# Report 000's listing with the ReLU of its program.
BRANCH = [
    ("Conv2d 1→16, 3x3", (16, 12, 12), 160),
    ("ReLU", (16, 12, 12), 0),
    ("AvgPool2d 2x2", (16, 6, 6), 0),
    ("Conv2d 16→32, 3x3", (32, 4, 4), 4_640),
    ("ReLU", (32, 4, 4), 0),
    ("AvgPool2d 2x2", (32, 2, 2), 0),
    ("Flatten", (128,), 0),
    ("Linear 128→32", (32,), 4_128),
    ("BatchNorm1d", (32,), 64),
    ("ReLU", (32,), 0),
    ("Dropout 0.25", (32,), 0),
    ("Linear 32→10", (10,), 330),
]
COMPARISON = [
    ("ReLU", (20,), 0),
    ("Linear 20→10", (10,), 210),
    ("BatchNorm1d", (10,), 20),
    ("ReLU", (10,), 0),
    ("Dropout 0.25", (10,), 0),
    ("Linear 10→2", (2,), 22),
]


def content(layers: tuple[Layer, ...]) -> list[tuple[str, tuple[int, ...], int]]:
    return [(layer.text, layer.shape, layer.parameters) for layer in layers]


def titles(name: str) -> list[str]:
    return [part.title for part in describe(get_variant(name).build())]


def test_twinnet_is_described_layer_by_layer() -> None:
    branch, comparison, digit = describe(get_variant("twinnet_aux_ws").build())
    assert content(branch.layers) == BRANCH
    assert (branch.title, branch.input, branch.parameters) == (
        "branch, shared by both tiles",
        (1, 14, 14),
        9_322,
    )
    assert content(comparison.layers) == COMPARISON
    assert (comparison.title, comparison.input, comparison.parameters) == ("comparison head", (20,), 252)
    assert (digit.title, digit.input, digit.layers) == ("digit head, each tile", (10,), ())
    assert [layer.name for layer in branch.layers][:2] == ["branches.0.0", "branches.0.1"]


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("ConvNet", "3 convolutional, 2 linear"),  # report 004, II.B
        ("MLP", "3 linear"),
        ("ConvSiameseNetClasses", "2 convolutional, 2 linear"),
        ("ConvTransposeNet", "2 transposed, 1 linear"),
        ("twinnet_base", "4 convolutional, 6 linear"),  # two branches
        ("MNISTResNet", "20 convolutional, 1 linear"),  # 18 layers, and three in shortcuts
    ],
)
def test_layers_with_weights_are_counted_by_kind(name: str, layers: str) -> None:
    assert weight_layers(get_variant(name).build()) == layers


def test_what_does_nothing_is_no_layer() -> None:
    as_printed = describe(get_variant("twinnet_aux_ws_no_hidden_relu").build())[0]
    assert content(as_printed.layers) == BRANCH[:9] + BRANCH[10:]
    assert not [layer for layer in describe(get_variant("a_w_net").build())[0].layers if "Drop" in layer.text]


def test_parts_say_which_tiles_they_read() -> None:
    assert titles("twinnet_base") == ["branch, first tile", "branch, second tile", "comparison head"]
    assert titles("fc_1") == ["both tiles as two channels"]
    assert titles("WeightSharingAuxiliary") == [
        "branch, shared by both tiles",
        "joint layers",
        "comparison head",
        "digit head, first tile",
        "digit head, second tile",
    ]


def test_residual_blocks_are_one_layer_a_stage() -> None:
    [part] = describe(get_variant("MNISTResNet").build())
    blocks = [layer for layer in part.layers if "BasicBlock" in layer.text]
    assert [layer.text for layer in blocks] == [
        "2 x BasicBlock 64→64, 3x3, padding 1",
        "2 x BasicBlock 64→128, 3x3, stride 2, padding 1",
        "2 x BasicBlock 128→256, 3x3, stride 2, padding 1",
        "2 x BasicBlock 256→512, 3x3, stride 2, padding 1",
    ]
    assert [layer.shape for layer in blocks] == [(64, 7, 7), (128, 4, 4), (256, 2, 2), (512, 1, 1)]
    [residual] = [
        layer for layer in describe(get_variant("ConvResNet").build())[0].layers if "Block" in layer.text
    ]
    assert content((residual,)) == [("10 x ResidualBlock 15→15, 3x3, padding 1", (15, 14, 14), 41_400)]


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (nn.Conv2d(2, 8, 4, stride=2, padding=1), "Conv2d 2→8, 4x4, stride 2, padding 1"),
        (nn.ConvTranspose2d(2, 16, 4, padding=2), "ConvTranspose2d 2→16, 4x4, padding 2"),
        (nn.MaxPool2d(3, stride=2), "MaxPool2d 3x3, stride 2"),
        (nn.BatchNorm2d(8, affine=False), "BatchNorm2d without weights"),
        (nn.Dropout2d(0.4), "Dropout2d 0.4"),
        (nn.Flatten(), "Flatten"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_layer_is_named_with_the_settings_that_matter(layer: nn.Module, text: str) -> None:
    assert layer_text(layer) == text


@pytest.mark.parametrize("name", variants())
def test_every_variant_is_described_with_all_its_parameters(name: str) -> None:
    variant = get_variant(name)
    network = variant.build()
    parts = describe(network)
    assert sum(part.parameters for part in parts) == variant.parameters
    assert [part.rank for part in parts] == sorted(part.rank for part in parts)
    modules = dict(network.named_modules())
    assert {layer.name for part in parts for layer in part.layers} <= set(modules)
    assert not any(module._forward_hooks for module in modules.values())


def test_no_diagram_is_wider_than_a_page() -> None:
    assert all(Panel(name).width < 700 for name in variants())


@pytest.mark.parametrize("name", ["report0", "report2"])
def test_a_diagram_is_the_same_bytes_again_and_names_its_networks(name: str) -> None:
    study = reports()[name]
    [figure] = [each for each in study.figures if each.kind == "architectures"]
    torch.manual_seed(1)
    files = draw(study, figure, [])
    torch.manual_seed(2)
    assert files == draw(study, figure, [])
    text = files["svg"].decode()
    assert all(f">{variant}</text>" in text for variant in figure.variants)
    assert files["png"].startswith(b"\x89PNG")


@pytest.mark.parametrize("name", reports())
def test_every_report_has_one_drawing_of_networks_of_its_own(name: str) -> None:
    [figure] = [each for each in reports()[name].figures if each.kind == "architectures"]
    assert {f"report{get_variant(variant).report}" for variant in figure.variants} == {name}
