"""The page of a model: its files, its size, its policy, and what happens where it cannot be written."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from pairedge_export import cli
from pairedge_export.errors import ExportError
from pairedge_export.page import compiler as page_compiler
from pairedge_export.page import proof, writing
from pairedge_export.page.compiler import WASM
from pairedge_export.page.writing import integrity, page_files, write_page

if TYPE_CHECKING:
    from export.conftest import Exports

SHIPPED = Path(__file__).parents[2] / "artifacts" / "aux_ws"
PAGE = SHIPPED / "web"
LARGEST = 250_000  # bytes of all files


@pytest.fixture
def compiler() -> str:
    """The version of clang; in CI it may not be missing."""
    if not (shutil.which("clang") and shutil.which("wasm-ld")) and not os.environ.get("CI"):
        pytest.skip("needs clang, lld and wasi-libc")
    version = subprocess.run(["clang", "--version"], capture_output=True, text=True, check=True).stdout
    return version.splitlines()[0]


def committed() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in PAGE.iterdir()}


@pytest.mark.slow
def test_the_page_of_the_shipped_model_is_made_again_byte_for_byte(compiler: str) -> None:
    graphs = {path.stem: path.read_bytes() for path in SHIPPED.glob("*.onnx")}
    files = page_files(graphs)
    assert set(files) == set(committed())
    if "version 14." not in compiler:  # another compiler, other instructions: then its own digests must fit
        files = {name: content for name, content in files.items() if name not in (WASM, "offline.js")}
    for name, content in files.items():
        assert content == committed()[name], (
            f"{name}: pairedge-export --web artifacts/aux_ws/web artifacts/aux_ws"
        )


def test_the_page_is_small() -> None:
    assert sum(map(len, committed().values())) <= LARGEST


def test_the_digests_in_the_page_are_those_of_its_files() -> None:
    files = committed()
    listed = re.search(
        r"^const FILES = (\{.*?\});", files.pop("offline.js").decode(), re.DOTALL | re.MULTILINE
    )
    assert listed
    assert json.loads(listed[1]) == {name: integrity(content) for name, content in files.items()}
    # As `openssl dgst -sha256 -binary | base64` writes it.
    assert integrity(b"") == "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


def test_webassembly_asks_for_nothing() -> None:
    # After the magic number and the version come sections, each a number and a length; 2 would be imports.
    content, place, sections = committed()[WASM], 8, []
    while place < len(content):
        sections.append(content[place])
        length = shift = 0
        while True:
            place += 1
            length |= (content[place] & 0x7F) << shift
            shift += 7
            if content[place] < 0x80:
                break
        place += 1 + length
    assert 2 not in sections
    assert 10 in sections  # code
    assert 0 not in sections  # names and tools, which may differ from machine to machine


def test_nothing_on_the_page_comes_from_elsewhere_or_stands_in_line() -> None:
    html = committed()["index.html"].decode()
    assert "default-src 'none'" in html
    assert "unsafe-inline" not in html
    assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=", html)
    for name, content in committed().items():
        if name.endswith((".html", ".css", ".js", ".webmanifest")):
            assert not re.search(rb"https?:|//[a-z]+\.", content), name


def test_the_command_writes_another_models_page(compiler: str, exports: Exports, tmp_path: Path) -> None:
    model, _ = exports["aux_ws"]
    result = CliRunner().invoke(cli.main, ["--web", str(tmp_path / "page"), str(model)])
    assert result.exit_code == 0, result.output
    written = {path.name: path.read_bytes() for path in (tmp_path / "page").iterdir()}
    assert set(written) == set(committed())
    assert sum(map(len, written.values())) <= LARGEST
    assert written[WASM] != committed()[WASM]
    for proven in (
        r"reading +tiles of 6 pictures, as WebAssembly +0 refused, largest difference [01] of 255 levels",
        r"pair +values, as WebAssembly +largest difference ",
        r"pair +decisions, as WebAssembly +0 of 363 differ",
        r"digit +decisions, as WebAssembly +0 of 11 differ",
    ):
        assert re.search(f"✓ {proven}", result.output)
    assert "http.server" in result.output


def test_a_page_whose_webassembly_computes_something_else_is_not_written(
    exports: Exports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "webassembly", lambda _: committed()[WASM])  # of other weights
    with pytest.raises(
        ExportError, match=r"the WebAssembly does not compute what the graphs do, .* pair: values"
    ):
        write_page(exports["aux_ws"][0], tmp_path / "page")
    assert not (tmp_path / "page").exists()


def test_a_page_whose_webassembly_does_not_run_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "webassembly", lambda _: committed()[WASM][:-1000])
    with pytest.raises(ExportError, match=r"^the page's WebAssembly does not run: \w"):
        write_page(SHIPPED, tmp_path / "page")
    assert not (tmp_path / "page").exists()


def test_without_an_engine_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "find_spec", lambda _: None)
    result = CliRunner().invoke(cli.main, ["--web", str(tmp_path / "page"), str(SHIPPED)])
    assert result.exit_code == 1
    assert "Error: a page is proven by running its WebAssembly: pip install 'pairedge[web]'" in result.output
    assert not (tmp_path / "page").exists()


def test_a_model_that_shares_no_weights_has_no_page(exports: Exports, tmp_path: Path) -> None:
    model, _ = exports["base"]
    with pytest.raises(ExportError, match="needs a model with shared weights and a digit head"):
        write_page(model, tmp_path / "page")
    assert not (tmp_path / "page").exists()


def test_a_folder_without_graphs_is_said(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli.main, ["--web", str(tmp_path / "page"), str(tmp_path)])
    assert result.exit_code == 1
    assert "pair.onnx is missing" in result.output
    assert not (tmp_path / "page").exists()


def test_without_a_compiler_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = CliRunner().invoke(cli.main, ["--web", str(tmp_path / "page"), str(SHIPPED)])
    assert result.exit_code == 1
    assert result.output.strip().splitlines()[-1].startswith("Error: a page needs clang and wasm-ld")
    assert not (tmp_path / "page").exists()


def test_without_wasi_libc_the_compilers_own_reason_is_given(
    compiler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_compiler, "_TARGET", ("--target=wasm32-wasi", "-nostdinc"))
    with pytest.raises(
        ExportError, match=r"clang cannot compile the page: .*file not found.*apt-get install"
    ):
        write_page(SHIPPED, tmp_path / "page")
    assert not (tmp_path / "page").exists()


def test_a_folder_that_cannot_be_written_is_said(
    compiler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "webassembly", lambda _: committed()[WASM])
    (tmp_path / "file").write_text("here already")
    result = CliRunner().invoke(cli.main, ["--web", str(tmp_path / "file"), str(SHIPPED)])
    assert result.exit_code == 1
    assert "cannot write" in result.output
    assert (tmp_path / "file").read_text() == "here already"
