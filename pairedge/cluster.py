"""Whether the scheduler of a Dask cluster listens, asked before a client is made.

A client that found no scheduler may lock its process later, when Python collects it while another one starts.
"""

from __future__ import annotations

import socket
import time
from urllib.parse import urlsplit


def wait_until_listening(address: str, patience: float) -> None:
    """Return as soon as something accepts connections at an address.

    Args:
        address: tcp://HOST:PORT.
        patience: how long to try, in seconds.

    Raises:
        OSError: when nothing did in all that time.
        ValueError: when the address has no host or no port.
    """
    parts = urlsplit(address)
    if parts.hostname is None or parts.port is None:
        raise ValueError(f"{address!r} is no address of a scheduler, such as tcp://127.0.0.1:8786")
    deadline = time.monotonic() + patience
    while True:
        try:
            with socket.create_connection((parts.hostname, parts.port), timeout=1):
                return
        except OSError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(0.1)
