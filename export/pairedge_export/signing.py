"""Signs the files of an export with a key of one's own: pairedge.signature verifies them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pairedge.signature import SIGNATURE
from pairedge_export.errors import ExportError
from pairedge_train.files import write_atomically


def sign_folder(folder: Path, private_key: Path) -> None:
    """Sign all files of a folder, in place of an earlier signature.

    Args:
        folder: of an export.
        private_key: a PEM file with a private key of an elliptic curve, without a password.

    Raises:
        ExportError: when the key cannot be used, or model-signing is not installed.
        OutputError: when the signature cannot be written.
    """
    try:
        from model_signing import hashing, signing
    except ImportError as error:
        raise ExportError("signing needs model-signing: pip install 'pairedge[sign]'") from error
    with tempfile.TemporaryDirectory() as name:
        signature = Path(name) / SIGNATURE
        signed = hashing.Config()  # type: ignore[no-untyped-call]  # it has no types
        signed.set_ignored_paths(paths=[folder / SIGNATURE])
        try:
            config = signing.Config()  # type: ignore[no-untyped-call]  # as above
            config.use_elliptic_key_signer(private_key=private_key)
            config.set_hashing_config(signed).sign(folder, signature)
        except (OSError, ValueError, TypeError) as error:
            reason = " ".join(str(error).split())
            raise ExportError(f"{private_key}: cannot sign with it: {reason}") from error
        write_atomically(folder / SIGNATURE, signature.read_bytes())
