"""The errors that a user can cause: each is one sentence, and the command line prints it as it stands."""


class PairedgeError(Exception):
    """Base of every error that pairedge, pairedge_train and pairedge_export raise on purpose."""


class ImageError(PairedgeError, ValueError):
    """A picture could not be read, or holds nothing to read."""


class GraphError(PairedgeError, ValueError):
    """An ONNX file is not a graph that this version of pairedge can use."""
