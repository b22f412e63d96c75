"""The errors that a user can cause: each is one sentence, and the command line prints it as it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Drawable(Protocol):
    """The steps of reading a picture, as far as it came: a `pairedge.image.Reading`.

    A protocol, because `pairedge.image` imports the errors, not the other way round.
    """

    def drawings(self) -> dict[str, NDArray[Any]]:
        """The steps by name, each an image, uint8 or float32, (H, W) or (H, W, 3), 0 to 255."""


class PairedgeError(Exception):
    """Base of every error that pairedge, pairedge_train and pairedge_export raise on purpose."""


class ImageError(PairedgeError, ValueError):
    """A picture could not be read, or does not show one digit.

    Attributes:
        reading: the steps that came before the refusal; None when the picture could not even be decoded.
        index: the place of the picture, or of its pair, in a batch; None outside a batch.
    """

    def __init__(self, reason: str, reading: Drawable | None = None, index: int | None = None) -> None:
        super().__init__(reason)
        self.reading = reading
        self.index = index


class NoInkError(ImageError):
    """A picture was read, but shows nothing that could be a digit: it is blank, or too faint."""


class SeveralDigitsError(ImageError):
    """A picture shows more than one digit."""


class GraphError(PairedgeError, ValueError):
    """An ONNX file is not a graph that this version of pairedge can use."""
