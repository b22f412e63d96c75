"""The plain PyTorch baseline: TwinNet with weight sharing and auxiliary losses (report 000).

A training loop as in a tutorial, with torch's defaults and nothing of pairedge: it is a fair baseline only as
long as it stays what anyone would write first. For each seed it draws the pairs that pairedge draws. It
prints the seconds of training and the test accuracy of each round as JSON.

python -m benchmarks.pytorch_baseline MNIST_FOLDER FIRST_SEED ROUNDS EPOCHS
"""

import json
import time
from pathlib import Path

import click
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


class TwinNet(nn.Module):
    """One branch reads both tiles, a perceptron compares its outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(1, 16, 3),
            nn.ReLU(),
            nn.AvgPool2d(2),
            nn.Conv2d(16, 32, 3),
            nn.ReLU(),
            nn.AvgPool2d(2),
            nn.Flatten(),
            nn.Linear(128, 32),
            nn.BatchNorm1d(32),
            nn.ReLU(),
            nn.Dropout(0.25),
            nn.Linear(32, 10),
        )
        self.comparison = nn.Sequential(
            nn.ReLU(),
            nn.Linear(20, 10),
            nn.BatchNorm1d(10),
            nn.ReLU(),
            nn.Dropout(0.25),
            nn.Linear(10, 2),
        )

    def forward(self, pairs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of the comparison and of both digits from pairs (B, 2, 14, 14)."""
        first = self.branch(pairs[:, 0:1])
        second = self.branch(pairs[:, 1:2])
        return self.comparison(torch.cat([first, second], dim=1)), first, second


def read_mnist(folder: Path, part: str) -> tuple[Tensor, Tensor]:
    """Digits as 14x14 gray levels, (N, 14, 14), and their labels."""
    raw = folder / "MNIST" / "raw"
    pixels = np.fromfile(raw / f"{part}-images-idx3-ubyte", np.uint8)[16:].reshape(-1, 1, 28, 28)
    labels = np.fromfile(raw / f"{part}-labels-idx1-ubyte", np.uint8)[8:]
    images = nn.functional.avg_pool2d(torch.from_numpy(pixels).float(), 2)
    return images[:, 0], torch.from_numpy(labels).long()


def draw_pairs(digits: tuple[Tensor, Tensor], generator: torch.Generator) -> TensorDataset:
    """A thousand pairs of different digits: images, targets and both classes."""
    images, labels = digits
    chosen = torch.randperm(len(labels), generator=generator)[:2000].view(1000, 2)
    classes = labels[chosen]
    return TensorDataset(images[chosen], (classes[:, 0] <= classes[:, 1]).long(), classes)


def train(network: TwinNet, pairs: TensorDataset, epochs: int) -> None:
    """Train with Adam on the sum of three cross-entropies, pairs in their order."""
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    network.train()
    for _ in range(epochs):
        for images, target, classes in DataLoader(pairs, batch_size=25):
            comparison, first, second = network(images)
            loss = criterion(comparison, target)
            loss = loss + criterion(first, classes[:, 0]) + criterion(second, classes[:, 1])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def accuracy(network: TwinNet, pairs: TensorDataset) -> float:
    """Share of correct comparisons."""
    network.eval()
    images, target, _ = pairs.tensors
    with torch.no_grad():
        comparison, _, _ = network(images)
    return float((comparison.argmax(1) == target).double().mean())


@click.command()
@click.argument("mnist_folder", type=click.Path(path_type=Path, exists=True))
@click.argument("first_seed", type=int)
@click.argument("rounds", type=int)
@click.argument("epochs", type=int)
def main(mnist_folder: Path, first_seed: int, rounds: int, epochs: int) -> None:
    """Train ROUNDS networks, with seeds from FIRST_SEED up; print seconds and accuracies as JSON."""
    training, test = read_mnist(mnist_folder, "train"), read_mnist(mnist_folder, "t10k")
    seconds, accuracies = [], []
    for seed in range(first_seed, first_seed + rounds):
        generator = torch.Generator().manual_seed(seed)
        pairs, test_pairs = draw_pairs(training, generator), draw_pairs(test, generator)
        torch.manual_seed(seed)
        network = TwinNet()
        start = time.perf_counter()
        train(network, pairs, epochs)
        seconds.append(time.perf_counter() - start)
        accuracies.append(accuracy(network, test_pairs))
    click.echo(json.dumps({"seconds": seconds, "test_accuracy": accuracies}))


if __name__ == "__main__":
    main()
