"""What a network is made of: its branches and heads, their layers, and the shapes that come out of them.

All of it is read off the network itself, by sending pairs through it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch
from torch import Tensor, nn

# Modules that are one layer here: a shortcut leads around the layers that they are made of.
_BLOCKS = {"ResidualBlock", "BasicBlock"}
# The parts of a network by their attribute: their rank (see `Part`), and what they are.
_PARTS = {
    "layers": (0, "both tiles as two channels"),
    "branch": (0, "branch"),
    "branches": (0, "branch"),
    "joint": (1, "joint layers"),
    "comparison": (2, "comparison head"),
    "digit": (2, "digit head"),
    "digits": (2, "digit head"),
}
# Layers with weights, and what a table calls them.
_WEIGHTS = {nn.Conv2d: "convolutional", nn.ConvTranspose2d: "transposed", nn.Linear: "linear"}
TILES = ("first tile", "second tile")
_PAIRS = 2  # that are sent through


@dataclass(frozen=True)
class Layer:
    """One step of a network.

    Attributes:
        name: of its module, as in the network's `state_dict`.
        text: its kind and settings.
        shape: of its output for one pair or tile; () for a single number.
        parameters: how many trainable numbers it has.
    """

    name: str
    text: str
    shape: tuple[int, ...]
    parameters: int


@dataclass(frozen=True)
class Part:
    """A branch or a head.

    Attributes:
        name: of its module.
        title: what it is, and of which tile.
        rank: 0 reads tiles, 1 reads what the branches say, 2 is a head.
        input: the shape that comes in, for one pair or tile.
        layers: its steps in order; none where it passes its input on.
    """

    name: str
    title: str
    rank: int
    input: tuple[int, ...]
    layers: tuple[Layer, ...]

    @property
    def parameters(self) -> int:
        """How many trainable numbers it has."""
        return sum(layer.parameters for layer in self.layers)


def describe(network: nn.Module) -> list[Part]:
    """The parts of a variant's network, rank by rank, each with its layers in the order of their definition.

    A branch or head that serves both tiles is one part. The network is left in evaluation mode.
    """
    parts = dict(_parts(network))
    layers = {part: dict(_layers(part, module)) for part, module in parts.items()}
    calls: dict[nn.Module, list[tuple[Tensor, Tensor]]] = {}

    def record(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        calls.setdefault(module, []).append((inputs[0], output))

    watched = {*parts.values(), *(module for part in layers.values() for module in part.values())}
    hooks = [module.register_forward_hook(record) for module in watched]
    with torch.no_grad():
        network.eval()(torch.zeros(_PAIRS, 2, 14, 14))
    for hook in hooks:
        hook.remove()

    def described(name: str) -> Part:
        attribute, _, place = name.partition(".")
        rank, title = _PARTS[attribute]
        inputs, _ = zip(*calls[parts[name]], strict=True)
        if sum(map(len, inputs)) > _PAIRS:
            title += ", each tile" if rank else ", shared by both tiles"
        elif place:
            title += f", {TILES[int(place)]}"
        steps = [
            Layer(step, layer_text(module), _shape(calls[module][0][1]), _count(module))
            for step, module in layers[name].items()
        ]
        return Part(name, title, rank, _shape(inputs[0]), tuple(merge_stages(steps)))

    return sorted(map(described, parts), key=lambda part: part.rank)


def weight_layers(network: nn.Module) -> str:
    """How many layers with weights a network has, by kind; normalization does not count."""
    modules = list(network.modules())
    counts = {name: sum(type(module) is kind for module in modules) for kind, name in _WEIGHTS.items()}
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def _parts(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The modules of a network, those of its lists one by one."""
    for name, module in network.named_children():
        if isinstance(module, nn.ModuleList):
            yield from ((f"{name}.{place}", child) for place, child in enumerate(module))
        else:
            yield name, module


def _layers(name: str, module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The layers in a module, but for those that do nothing."""
    children = list(module.named_children())
    if children and type(module).__name__ not in _BLOCKS:
        for child_name, child in children:
            yield from _layers(f"{name}.{child_name}", child)
    elif not isinstance(module, nn.Identity) and getattr(module, "p", 1) > 0:
        yield name, module


def _shape(batch: Tensor) -> tuple[int, ...]:
    return tuple(batch.shape[1:])


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def layer_text(module: nn.Module) -> str:
    """A layer's kind and the settings that tell it from others of its kind."""
    kind = type(module).__name__
    if kind in _BLOCKS:
        first = next(layer for layer in module.modules() if isinstance(layer, nn.Conv2d))
        return f"{kind} {_settings(first)}"
    return f"{kind} {_settings(module)}".strip()


def _settings(module: nn.Module) -> str:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        return f"{module.in_channels}→{module.out_channels}, {_window(module, default_stride=1)}"
    if isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
        return _window(module, default_stride=module.kernel_size)
    if isinstance(module, nn.Linear):
        return f"{module.in_features}→{module.out_features}"
    if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        return "" if module.affine else "without weights"
    return f"{module.p:g}" if isinstance(module, nn.Dropout | nn.Dropout2d) else ""


def _window(module: Any, *, default_stride: Any) -> str:
    """Kernel, stride and padding of a layer with square windows; the latter two where they are unusual."""
    side, stride, padding, usual = (
        value[0] if isinstance(value, tuple) else value
        for value in (module.kernel_size, module.stride, module.padding, default_stride)
    )
    text = f"{side}x{side}"
    text += f", stride {stride}" if stride != usual else ""
    return text + (f", padding {padding}" if padding else "")


def merge_stages(layers: Sequence[Layer]) -> Iterator[Layer]:
    """The layers, residual blocks in a row that give one shape as one."""

    def stage(layer: Layer) -> Hashable:
        kind = layer.text.partition(" ")[0]
        return (kind, layer.shape) if kind in _BLOCKS else layer.name

    for _, group in groupby(layers, stage):
        first, *others = group
        text = f"{1 + len(others)} x {first.text}" if others else first.text
        yield Layer(first.name, text, first.shape, sum(each.parameters for each in (first, *others)))
