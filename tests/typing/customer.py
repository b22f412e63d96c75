"""What a customer writes: strict type checkers accept it without a cast, an assertion or a comment.

`make check` gives it to mypy, and `test_typing.py` to pyright; the functions are not run.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import pairedge


def one(first: Path, second: bytes) -> tuple[int, int, bool, float]:
    model = pairedge.load()
    prediction = model.predict(first, second)
    left, right = prediction.digits
    return left, right, prediction.leq, prediction.probability


def of_a_file(path: str) -> NDArray[np.int64]:
    model: pairedge.PairModel = pairedge.load(path, threads=2, min_confidence=0.9)
    batch = model.predict_batch(np.zeros((3, 2, 14, 14), np.uint8))
    sure: NDArray[np.int64] = batch.digits[~batch.uncertain]
    return sure


def pictures_of_every_kind(model: pairedge.PairModel, array: NDArray[np.float32]) -> list[int]:
    with Path("picture.png").open("rb") as file:
        pictures: list[pairedge.Picture] = [
            "a.png",
            Path("b.png"),
            b"...",
            file,
            Image.new("L", (20, 20)),
            array,
        ]
        return [model.classify(picture).digit for picture in pictures]


def errors_in_their_places(model: pairedge.PairModel, names: list[str]) -> dict[str, int | str]:
    answers: dict[str, int | str] = {}
    for name, answer in zip(names, model.classify_batch(names, errors="return"), strict=True):
        answers[name] = str(answer) if isinstance(answer, pairedge.ImageError) else answer.digit
    return answers


def arrays_of_what_was_answered(model: pairedge.PairModel, names: list[tuple[str, str]]) -> float:
    batch = model.predict_batch(names, errors="return")
    return float(batch.answers.probability[batch.answers.leq].mean())


def with_or_without_digits(path: str) -> str:
    model = pairedge.load(path, digits=False)
    digits = model.predict("a.png", "b.png").digits
    if digits is None:
        return "only compared"
    return f"{model.classify('a.png')}" if isinstance(model, pairedge.PairModel) else f"{digits}"


def order(model: pairedge.PairModel, names: list[str]) -> list[str]:
    ranking = model.rank(names)
    return [names[place] for place in ranking.order.tolist()]


def table(model: pairedge.PairModel, names: list[str]) -> dict[str, list[object]]:
    return dict(model.classify_batch(names).to_dict())
