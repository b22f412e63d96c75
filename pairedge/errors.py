"""The errors that a user can cause: each is one sentence, and the command line prints it as it stands."""

from typing import Any


class PairedgeError(Exception):
    """Base of every error that pairedge, pairedge_train and pairedge_export raise on purpose."""


class ImageError(PairedgeError, ValueError):
    """A picture could not be read, or does not show one digit.

    Attributes:
        steps: what reading came to before it refused, as `pairedge.image.tile.reading_steps` gives it.
    """

    def __init__(self, reason: str, steps: dict[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.steps = steps or {}


class NoInkError(ImageError):
    """A picture was read, but shows nothing that could be a digit: it is blank, or too faint."""


class SeveralDigitsError(ImageError):
    """A picture shows more than one digit."""


class GraphError(PairedgeError, ValueError):
    """An ONNX file is not a graph that this version of pairedge can use."""
