"""Compiles a model in C, the reading of pictures and what a page calls to WebAssembly without imports."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pairedge_export.errors import ExportError
from pairedge_export.reading import FOLDER as READING
from pairedge_export.reading import SOURCES

WASM = "pairedge.wasm"
_INTERFACE = Path(__file__).parent / "page.c"

_TARGET = ("--target=wasm32-wasi", "-std=c99", "-msimd128", "-ffp-contract=off", "-I/usr/include/wasm32-wasi")
# The network is fast where it is inlined; the reading is half as large where it is not.
_NETWORK, _READING = "-O2", "-Os"
_LINK = ("-nostartfiles", "-nodefaultlibs", "-Wl,--no-entry", "-Wl,--strip-all", "-Wl,-z,stack-size=262144")
_LIBRARIES = ("-L/usr/lib/wasm32-wasi", "-lm", "-lc")
_INSTALL = "Debian has all of it: apt-get install clang lld wasi-libc"


def webassembly(model: Mapping[str, bytes]) -> bytes:
    """Compile a model, the reading of pictures and what the page calls to WebAssembly without imports.

    Args:
        model: `pairedge.c` and `pairedge.h`.

    Raises:
        ExportError: when a tool is missing, or the compiler refuses.
    """
    require_compiler()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in model.items():
            (folder / file).write_bytes(content)
        objects = [
            compiled(source, folder, _NETWORK if source.parent == folder else _READING)
            for source in (folder / "pairedge.c", *SOURCES, _INTERFACE)
        ]
        run("clang", "--target=wasm32-wasi", *_LINK, *objects, *_LIBRARIES, "-o", folder / WASM)
        return (folder / WASM).read_bytes()


def require_compiler() -> None:
    """Refuse to begin without a compiler.

    Raises:
        ExportError: when there is none.
    """
    if shutil.which("clang") is None or shutil.which("wasm-ld") is None:
        raise ExportError(f"a page needs clang and wasm-ld to compile WebAssembly, and wasi-libc. {_INSTALL}")


def compiled(source: Path, folder: Path, optimization: str) -> Path:
    """The object file of a source in C, in a folder."""
    path = folder / f"{source.stem}.o"
    run("clang", *_TARGET, optimization, "-I", folder, "-I", READING, "-c", source, "-o", path)
    return path


def run(*command: str | Path) -> None:
    """Run a compiler.

    Raises:
        ExportError: when it fails, with the first thing that it has to say.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        [reason, *_] = [line for line in done.stderr.splitlines() if "error" in line] or ["no reason given"]
        raise ExportError(f"clang cannot compile the page: {reason}. {_INSTALL}")
