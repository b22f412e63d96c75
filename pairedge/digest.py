"""The digest that a graph's file carries over its own content, which reveals damage and edits.

The file ends with one entry of ONNX metadata, KEY: the SHA-256 of all bytes before it. Protobuf joins
messages whose bytes are joined, so the file stays a plain ONNX graph; a `.ort` file may be longer than its
content, too. A digest is no signature: who edits a graph on purpose can append a new one.
"""

from __future__ import annotations

import hashlib

from pairedge.errors import GraphError

KEY = b"pairedge.sha256"
_DIGITS = 64  # of a SHA-256 in hexadecimal
# In protobuf: field 14 of a model, `metadata_props`, an entry with a key (field 1) and a value (field 2).
_PAIR = b"\x0a" + bytes([len(KEY)]) + KEY + b"\x12" + bytes([_DIGITS])
_ENTRY = b"\x72" + bytes([len(_PAIR) + _DIGITS]) + _PAIR
_SIZE = len(_ENTRY) + _DIGITS


def append_digest(body: bytes) -> bytes:
    """A graph's file with its digest; one that it carries already is replaced."""
    body = without_digest(body)
    return body + _ENTRY + hashlib.sha256(body).hexdigest().encode()


def without_digest(content: bytes) -> bytes:
    """A graph's file up to its digest."""
    return content if stated_digest(content) is None else content[:-_SIZE]


def stated_digest(content: bytes) -> bytes | None:
    """The digest that a graph's file carries, 64 bytes, not compared with anything; None without one."""
    return content[-_DIGITS:] if content[-_SIZE:-_DIGITS] == _ENTRY else None


def read_digest(content: bytes, name: str) -> str | None:
    """The digest that a graph's file carries, compared with its content; None when it carries none.

    Args:
        content: of the file.
        name: what to call it in messages.

    Raises:
        GraphError: when the content is not the one that the digest was made of.
    """
    stated = stated_digest(content)
    if stated is None:
        return None
    digest = hashlib.sha256(memoryview(content)[:-_SIZE]).hexdigest()
    if stated != digest.encode():
        raise GraphError(f"{name}: is damaged, or was edited after its export: its digest does not fit")
    return digest
