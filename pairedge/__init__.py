"""The runtime: is the first of two handwritten digits less than or equal to the second, and how sure?

    import pairedge

    model = pairedge.load()
    prediction = model.predict("three.png", "seven.png")
    prediction.leq, prediction.probability, prediction.digits

`import pairedge` imports neither numpy nor onnxruntime; the first use of a model does.
"""

from typing import TYPE_CHECKING, Any

from pairedge.errors import GraphError, ImageError, NoInkError, PairedgeError, SeveralDigitsError

if TYPE_CHECKING:
    from pairedge.batches import BatchWithErrors, ClassificationBatch, ComparisonBatch, PredictionBatch
    from pairedge.image.decode import Picture
    from pairedge.model import ComparisonModel, PairModel, load
    from pairedge.ranking import AllPairs, Ranking
    from pairedge.results import Classification, Comparison, Prediction

__version__ = "0.1.0"
__all__ = [
    "AllPairs",
    "BatchWithErrors",
    "Classification",
    "ClassificationBatch",
    "Comparison",
    "ComparisonBatch",
    "ComparisonModel",
    "GraphError",
    "ImageError",
    "NoInkError",
    "PairModel",
    "PairedgeError",
    "Picture",
    "Prediction",
    "PredictionBatch",
    "Ranking",
    "SeveralDigitsError",
    "load",
]


def __getattr__(name: str) -> Any:
    if name in ("AllPairs", "Ranking"):
        import pairedge.ranking

        return getattr(pairedge.ranking, name)
    if name in __all__:
        import pairedge.model

        return getattr(pairedge.model, name)
    raise AttributeError(f"module 'pairedge' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
