"""The errors of exporting, each one sentence."""

from pairedge.errors import PairedgeError


class ExportError(PairedgeError):
    """A graph could not be exported, or does not decide as the network that it was exported from."""
