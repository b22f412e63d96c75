"""The errors of the export, each one sentence."""

from pairedge.errors import PairedgeError


class ExportError(PairedgeError):
    """A graph could not be made, or decides otherwise than the network that it was made from."""
