"""The static page at `/`: the files of a folder, read once when the server starts."""

from __future__ import annotations

from pathlib import Path

from pairedge.errors import PairedgeError
from pairedge.serve.messages import Answer
from pairedge.shipped import shipped_graph

# A page may use its own files, WebAssembly among them, and nothing from elsewhere; its own policy may be
# stricter.
_POLICY = (
    "default-src 'self' data: blob:; script-src 'self' 'wasm-unsafe-eval'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'"
)
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".wasm": "application/wasm",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".txt": "text/plain; charset=utf-8",
}
_LARGEST_PAGE = 32_000_000  # bytes of all files: they stay in memory


def shipped_page() -> Path | None:
    """The folder of the page that ships, beside the graphs that ship; None where there is none."""
    folder = Path(shipped_graph("pair")).with_name("web")
    return folder if folder.is_dir() else None


def read_page(folder: Path) -> dict[str, Answer]:
    """The answer for each path that a page consists of; `/` is its index.html.

    A request can name no file but these: the paths are those of the files that were there.

    Raises:
        PairedgeError: when the folder cannot be read, has no index.html or is larger than a page.
    """
    answers: dict[str, Answer] = {}
    held = 0
    try:
        for path in sorted(folder.rglob("*")):
            if not path.is_file() or path.suffix not in _TYPES:
                continue
            content = path.read_bytes()
            held += len(content)
            if held > _LARGEST_PAGE:
                raise PairedgeError(f"{folder}: a page may have {_LARGEST_PAGE:,} bytes, and this has more")
            headers = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"}
            answers[f"/{path.relative_to(folder).as_posix()}"] = Answer(
                content, _TYPES[path.suffix], headers=headers
            )
    except OSError as error:
        raise PairedgeError(f"{error.filename}: {(error.strerror or str(error)).lower()}") from error
    if "/index.html" not in answers:
        raise PairedgeError(f"{folder}: has no index.html")
    return {"/": answers["/index.html"], **answers}
