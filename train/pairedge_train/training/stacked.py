"""Stacked training: M networks of one variant trained as one, in well under half the time.

With a network as small as TwinNet, a processor mostly waits between many small operations. Here each layer of
M networks becomes one layer with M groups of channels. A group sees only its own weights and data, so each
network takes the same step as it would alone.

Activations are (B, M * C) or (B, M * C, H, W): the channels of the first network, then of the second, ...
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import cache, partial
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pairedge_train.errors import VariantError
from pairedge_train.experiments.recipe import Recipe
from pairedge_train.experiments.settings import flat
from pairedge_train.networks.network import Network
from pairedge_train.networks.output import Output
from pairedge_train.networks.two_branches import TwoBranches
from pairedge_train.networks.variants import get_variant

# Layers without weights that work on each number or channel alone, so that M times as many need no change.
_UNWEIGHTED = (
    *(nn.ReLU, nn.SELU, nn.Tanh, nn.Identity),
    *(nn.AvgPool2d, nn.MaxPool2d, nn.Flatten, nn.Dropout),
)
# Settings that stacked training supports. A recipe that changes any other one, or one that is added later, is
# trained round by round until the setting is named here.
_SUPPORTED = frozenset(
    {
        "network.variant",
        "data.dataset",
        "data.group_by",
        "data.sha256",
        "data.pairs",
        "data.test_pairs",
        "data.validation_pairs",
        "data.hold_out",
        "data.normalize",
        "data.shuffle",
        "loss.comparison_weight",
        "loss.digit_weight",
        "optim.batch_size",
        "optim.epochs",
        "optim.lr",
        "optim.weight_decay",
        "evaluation.validation_only",
        "evaluation.exact",
        "evaluation.curves",
        "evaluation.temperature",
        "evaluation.dropout",
    }
)


def is_stackable(body: nn.Module) -> bool:
    """Whether networks of this architecture can be stacked.

    It must be a `TwoBranches` of plain layers, without weights in a digit head, and not `together`.
    """
    if not isinstance(body, TwoBranches) or not isinstance(body.digit, nn.Identity | None) or body.together:
        return False
    parts = [*body.branches, *([] if body.comparison is None else [body.comparison])]
    for layer in (layer for part in parts for layer in layers_of(part)):
        match layer:
            case nn.Conv2d(groups=1) | nn.Linear(bias=Tensor()) | nn.BatchNorm1d() | nn.BatchNorm2d():
                continue
            case _ if type(layer) not in _UNWEIGHTED:
                return False
    return True


def layers_of(part: nn.Module) -> list[nn.Module]:
    """The layers of a module in the order in which they run, nested `nn.Sequential`s flattened."""
    if isinstance(part, nn.Sequential):
        return [layer for inner in part for layer in layers_of(inner)]
    return [part]


@cache
def can_stack(recipe: Recipe) -> bool:
    """Whether rounds of a recipe can be trained together."""
    defaults = flat(Recipe().to_dict())
    settings = flat(recipe.to_dict())
    if any(settings[name] != defaults[name] for name in settings.keys() - _SUPPORTED):
        return False
    if len(recipe.network.members) > 1:
        return False
    with torch.device("meta"):  # allocates no weights and draws no random numbers
        try:
            return is_stackable(get_variant(recipe.variant).build())
        except VariantError:  # one of one's own may need numbers, which this device has not
            return False


class StackedNetworks(nn.Module):
    """M networks of one variant as one, for training only.

    Args:
        networks: networks of one variant, which `is_stackable`.

    Attributes:
        mean: float32 (M, 1, 1, 1), of each network's normalization.
        std: float32 (M, 1, 1, 1), of each network's normalization.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, networks: Sequence[Network]) -> None:
        super().__init__()
        for name in ("mean", "std"):
            values = torch.stack([getattr(network, name) for network in networks])
            self.register_buffer(name, values[:, None, None, None], persistent=False)
        self.body = StackedTwoBranches([cast(TwoBranches, network.body) for network in networks])

    def forward(self, images: Tensor) -> Output:
        """Map gray levels (B, M, 2, 14, 14) to logits (B, M, 2) or (B, M), and of digits (B, M, 2, 10)."""
        output: Output = self.body((images - self.mean) / self.std)
        return output


class StackedTwoBranches(nn.Module):
    """M `TwoBranches` of one variant as one, for training only.

    The networks' own weights and running statistics become views of the stacked ones. They are trained with
    them, and each network can be evaluated at any moment.

    Args:
        bodies: networks of one variant, which `is_stackable`.
    """

    def __init__(self, bodies: Sequence[TwoBranches]) -> None:
        super().__init__()
        self.count = len(bodies)
        self.shares_weights = bodies[0].shares_weights
        self.has_digits = bodies[0].digit is not None
        # A network with a branch for each tile counts as two networks side by side.
        branches = [branch for body in bodies for branch in body.branches]
        self.branch = stack(branches, sides=2 if self.shares_weights else 1)
        comparisons = [body.comparison for body in bodies if body.comparison is not None]
        self.comparison = stack(comparisons) if comparisons else None

    def forward(self, pairs: Tensor) -> Output:
        """Map pairs (B, M, 2, 14, 14) to logits (B, M, 2) or (B, M), and of digits (B, M, 2, 10)."""
        batch = len(pairs)
        # For a shared branch all first tiles, then all second ones, (2B, M, 14, 14); else (B, 2M, 14, 14).
        sides_first = pairs.permute(2, 0, 1, 3, 4)
        tiles = sides_first.flatten(0, 1) if self.shares_weights else pairs.flatten(1, 2)
        # The CPU's kernels for convolution and pooling are fastest in channels-last format.
        rows = self.branch(tiles.contiguous(memory_format=torch.channels_last))
        if self.shares_weights:
            embeddings = rows.view(2, batch, self.count, -1).permute(1, 2, 0, 3)
        else:
            embeddings = rows.view(batch, self.count, 2, -1)
        comparison = None
        if self.comparison is not None:
            logits = self.comparison(embeddings.flatten(1))
            # A head of one logit gives (B * M,), a head of two (B, M * 2).
            comparison = logits.view(batch, self.count, *([] if logits.ndim == 1 else [-1]))
        return Output(comparison, embeddings if self.has_digits else None)


def stack(parts: Sequence[nn.Module], sides: int = 1) -> nn.Sequential:
    """Stack M branches or heads of one architecture.

    Args:
        parts: the branches or heads.
        sides: 2 where the batch is all first tiles, then all second ones; else 1.
    """
    columns = list(zip(*map(layers_of, parts), strict=True))
    stacked: list[nn.Module] = []
    while columns:
        match [column[0] for column in columns[:2]]:
            case [nn.Conv2d(bias=Tensor()), nn.ReLU()]:
                stacked.append(ConvRelu(cast(nn.Conv2d, stack_layers(columns[0]))))
                del columns[:2]
            case _:
                stacked.append(stack_layers(columns.pop(0), sides))
    return nn.Sequential(*stacked)


def stack_layers(layers: Sequence[nn.Module], sides: int = 1) -> nn.Module:
    """Stack M layers of one kind; see `stack`."""
    first = layers[0]
    if isinstance(first, nn.Linear):
        return tie(StackedLinear(len(layers)), layers)
    stacked = tie(copy.deepcopy(first), layers)
    if isinstance(stacked, nn.Conv2d):
        stacked.groups = len(layers)
    if isinstance(stacked, nn.BatchNorm1d | nn.BatchNorm2d) and sides == 2:
        return NormalizeEachSide(stacked)
    return stacked


def tie(stacked: nn.Module, layers: Sequence[nn.Module]) -> nn.Module:
    """Concatenate the weights and buffers of M layers into a stacked one; theirs become views of its own."""
    for name, tensor in layers[0].state_dict(keep_vars=True).items():
        parts = [getattr(layer, name) for layer in layers]
        # A scalar, such as the count of batches, becomes (1,).
        joined = torch.cat([part.detach().view(-1, *part.shape[1:]) for part in parts])
        for part, view in zip(parts, joined.chunk(len(parts)), strict=True):
            part.data = view.view_as(part)
        setattr(stacked, name, nn.Parameter(joined) if isinstance(tensor, nn.Parameter) else joined)
    return stacked


def untie(network: nn.Module) -> None:
    """Copy the weights of a stacked network out of the views, into memory of its own."""
    for tensor in network.state_dict(keep_vars=True).values():
        tensor.data = tensor.data.clone()


class StackedLinear(nn.Module):
    """M linear layers as one batched matrix product.

    Attributes:
        weight: (M * O, I), the networks' weights one below the other.
        bias: (M * O,).
    """

    weight: nn.Parameter
    bias: nn.Parameter

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def forward(self, rows: Tensor) -> Tensor:
        """Map (B, M * I) to (B, M * O), each layer its own columns."""
        inputs = rows.view(len(rows), self.count, -1).transpose(0, 1)  # (M, B, I)
        weight = self.weight.view(self.count, -1, inputs.shape[2]).transpose(1, 2)  # (M, I, O)
        bias = self.bias.view(self.count, 1, -1)
        return torch.baddbmm(bias, inputs, weight).transpose(0, 1).flatten(1)


class NormalizeEachSide(nn.Module):
    """Batch normalization of first and second tiles as two batches, as in a shared branch called twice."""

    def __init__(self, normalization: nn.Module) -> None:
        super().__init__()
        self.normalization = normalization

    def forward(self, rows: Tensor) -> Tensor:
        """Normalize (2B, C) or (2B, C, H, W)."""
        return torch.cat([self.normalization(side) for side in rows.chunk(2)])


class ConvRelu(nn.Module):
    """A convolution with bias fused with its ReLU, which saves a tenth of the whole step on a CPU."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.convolution = convolution

    def forward(self, maps: Tensor) -> Tensor:
        """Map (B, C, H, W), channels last, to (B, K, H, W)."""
        layer = self.convolution
        geometry = (layer.stride, layer.padding, layer.dilation, layer.groups)
        rectified: Tensor = _ConvRelu.apply(maps, layer.weight, layer.bias, geometry)  # type: ignore[no-untyped-call]  # torch has no types for it
        return rectified


class _ConvRelu(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, maps: Tensor, weight: Tensor, bias: Tensor, geometry: Any) -> Tensor:
        """ReLU in place: the maps of M networks are costly to write a second time."""
        rectified = F.conv2d(maps, weight, bias, *geometry).relu_()
        context.save_for_backward(maps, weight, rectified)
        stride, padding, dilation, groups = geometry
        context.geometry = (stride, padding, dilation, False, [0, 0], groups)
        return rectified

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor, Tensor, None]:
        """Each gradient by the fastest kernel for it."""
        maps, weight, rectified = context.saved_tensors
        channels_last = partial(Tensor.contiguous, memory_format=torch.channels_last)
        backward = torch.ops.aten.convolution_backward
        gradient = torch.ops.aten.threshold_backward(channels_last(gradient), rectified, 0)
        maps_gradient = None
        if context.needs_input_grad[0]:
            # Half the time in channels-first format; only the shape of the maps matters, not their values.
            channels_first = (
                gradient.contiguous(),
                torch.empty_like(maps, memory_format=torch.contiguous_format),
                weight.contiguous(),
            )
            maps_gradient, *_ = backward(*channels_first, None, *context.geometry, [True, False, False])
            maps_gradient = channels_last(maps_gradient)
        _, weight_gradient, _ = backward(
            gradient, maps, weight, None, *context.geometry, [False, True, False]
        )
        return maps_gradient, weight_gradient, gradient.sum((0, 2, 3)), None
