"""The errors that a user of the training and export commands can cause, each one sentence."""

from pairedge.errors import PairedgeError


class RecipeError(PairedgeError, ValueError):
    """A recipe names something unknown, or a value out of range."""


class VariantError(RecipeError):
    """A variant of one's own cannot be imported or built, or its network is not as it should be."""


class DataError(PairedgeError):
    """A data set is missing, damaged, or too small for what the recipe asks of it."""


class CheckpointError(PairedgeError):
    """A checkpoint is missing, damaged, or of another schema."""


class DivergedError(PairedgeError):
    """The loss became NaN or infinite, so the round was stopped."""


class WorkersError(PairedgeError):
    """Worker processes, of this machine or of a Dask cluster, cannot be reached, or died."""


class OutputError(PairedgeError):
    """A result could not be written; the file that was there is untouched."""
