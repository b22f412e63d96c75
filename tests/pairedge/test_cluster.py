"""A scheduler that listens is found; one that does not is an error in time."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from pairedge.cluster import wait_until_listening


def test_what_listens_is_found_even_when_it_comes_late() -> None:
    with socket.socket() as late:
        late.bind(("127.0.0.1", 0))
        opened = threading.Timer(0.3, late.listen)
        opened.start()
        wait_until_listening(f"tcp://127.0.0.1:{late.getsockname()[1]}", 30)
        opened.join()


def test_what_does_not_listen_is_an_error_when_patience_ends() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        begin = time.monotonic()
        with pytest.raises(OSError, match="refused"):
            wait_until_listening(f"tcp://127.0.0.1:{closed.getsockname()[1]}", 0.2)
        assert time.monotonic() - begin >= 0.2


@pytest.mark.parametrize("address", ["nowhere", "tcp://127.0.0.1", "tcp://127.0.0.1:port"])
def test_an_address_without_host_or_port_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"port|no address"):
        wait_until_listening(address, 0)
