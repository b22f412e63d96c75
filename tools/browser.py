"""A headless Chromium, and a folder served to it: for tests, pictures and benchmarks of pages."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from pairedge.errors import PairedgeError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

# Debian's, which Playwright does not download; without a sandbox, which root cannot have; and silent.
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
)
READY = "html[data-ready]"  # the page's own sign that it answers


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the files of a folder; gives the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def chromium_program() -> str:
    """The path of Chromium.

    Raises:
        PairedgeError: when there is none.
    """
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        raise PairedgeError("there is no chromium; Debian has it: apt-get install chromium")
    return path


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium.

    Raises:
        PairedgeError: when there is none.
    """
    from playwright.sync_api import sync_playwright

    program = chromium_program()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def write(paper: Locator, strokes: list[list[tuple[float, float]]]) -> None:
    """Write strokes on a paper with the mouse; points are shares of its width and height."""
    paper.scroll_into_view_if_needed()
    box, mouse = paper.bounding_box(), paper.page.mouse
    assert box is not None
    for stroke in strokes:
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        mouse.move(*places[0])
        mouse.down()
        for x, y in places[1:]:
            mouse.move(x, y, steps=3)
        mouse.up()
