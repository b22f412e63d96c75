"""Signatures of exported models: who holds a key of their own vouches for every file of a folder.

They are made and verified by OpenSSF's model-signing (extra `sign`), with a key pair of elliptic curves and
without any network. A signature tells who made the files; the digest of each graph tells already that it is
whole.
"""

from __future__ import annotations

import os
from pathlib import Path

from pairedge.errors import GraphError

SIGNATURE = "model.sig"  # beside the files that it is of


def verify_signature(graph: str | os.PathLike[str], public_key: str | os.PathLike[str]) -> None:
    """Verify the signature of the folder in which a graph lies.

    Args:
        graph: a file of the folder.
        public_key: a PEM file.

    Raises:
        GraphError: when there is no signature, it is of another key, a file was changed, added or removed, or
            model-signing is not installed.
    """
    try:
        from model_signing import hashing, verifying
    except ImportError as error:
        raise GraphError("verifying a signature needs model-signing: pip install 'pairedge[sign]'") from error
    folder = Path(graph).resolve().parent
    signature = folder / SIGNATURE
    if not Path(graph).is_file() or not signature.is_file():
        raise GraphError(f"{os.fspath(graph)}: there is no signature {SIGNATURE} beside it")
    checked = hashing.Config()  # type: ignore[no-untyped-call]  # it has no types
    checked.set_ignored_paths(paths=[signature])
    try:
        config = verifying.Config()  # type: ignore[no-untyped-call]  # as above
        config.use_elliptic_key_verifier(public_key=Path(public_key))
        config.set_hashing_config(checked).verify(folder, signature)
    except Exception as error:  # whatever a parser or the cryptography raises on files that others wrote
        reason = " ".join(str(error).split()) or type(error).__name__
        raise GraphError(f"{signature}: does not fit the folder and {public_key}: {reason}") from error
