"""A byte of a graph that is not as it was exported is noticed before the graph answers."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest

import pairedge
from pairedge import shipped
from pairedge.digest import append_digest, read_digest, without_digest
from pairedge.graph import CONTRACTS, open_graph
from pairedge.shipped import shipped_graph

Command = Callable[..., CompletedProcess[str]]

ENTRY = 85  # bytes: a tag, three lengths, two more tags, 15 of the key, 64 of the digest


def test_the_digest_is_of_the_bytes_before_it_and_is_replaced_when_appended_again() -> None:
    content = append_digest(b"a graph")
    assert len(content) == len(b"a graph") + ENTRY
    assert read_digest(content, "g") == hashlib.sha256(b"a graph").hexdigest()
    assert append_digest(content) == content
    assert without_digest(content) == without_digest(b"a graph") == b"a graph"
    assert read_digest(b"a graph", "g") is None


def test_onnxruntime_reads_the_digest_as_metadata() -> None:
    path = shipped_graph("pair")
    entries = open_graph(path, "pair").session.get_modelmeta().custom_metadata_map
    assert entries["pairedge.sha256"] == hashlib.sha256(Path(path).read_bytes()[:-ENTRY]).hexdigest()


@pytest.mark.parametrize("kind", CONTRACTS)
def test_a_changed_byte_anywhere_is_refused_by_the_graph_s_own_digest(kind: str) -> None:
    # A drawn sample, and every byte of the entry itself.
    content = bytearray(Path(shipped_graph(kind)).read_bytes())
    drawn = np.random.default_rng(14).integers(0, len(content) - ENTRY, 100).tolist()
    for position in (*drawn, *range(len(content) - ENTRY, len(content))):
        content[position] ^= 0xFF
        with pytest.raises(pairedge.GraphError):
            open_graph(bytes(content), kind)
        content[position] ^= 0xFF
    open_graph(bytes(content), kind)


def test_a_byte_that_made_nine_less_than_nought_is_refused(tmp_path: Path) -> None:
    path = Path(shutil.copy(shipped_graph("pair"), tmp_path))
    content = bytearray(path.read_bytes())
    content[2560] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(pairedge.GraphError, match=rf"^{path}: is damaged, or was edited after its export: "):
        pairedge.load(path)


def test_a_graph_that_does_not_ship_is_refused_in_the_place_of_one_that_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    package = tmp_path / "pairedge"
    package.mkdir()
    shutil.copytree(Path(shipped_graph("pair")).parent, package / "shipped")
    pair, digit = package / "shipped" / "pair.onnx", package / "shipped" / "digit.onnx"
    monkeypatch.setattr(shipped, "__file__", str(package / "shipped.py"))
    assert pairedge.load().rank([np.zeros((14, 14), np.uint8)])  # the copies ship, too
    digit.write_bytes(append_digest(digit.read_bytes().replace(b'"MIT"', b'"BSD"')))
    reason = f"{digit}: is not the graph that this pairedge ships; install pairedge again"
    with pytest.raises(pairedge.GraphError, match=reason):
        pairedge.load().rank([np.zeros((14, 14), np.uint8)])
    pair.write_bytes(append_digest(pair.read_bytes().replace(b'"MIT"', b'"BSD"')))
    with pytest.raises(pairedge.GraphError, match="is not the graph that this pairedge ships"):
        pairedge.load()
    answer = command("info")
    assert answer.returncode == 1
    assert "  - is not the graph that this pairedge ships; install pairedge again" in answer.stdout


def test_the_graph_of_another_tool_needs_no_digest() -> None:
    pairedge.load(Path(__file__).parent / "graphs" / "base.onnx", digits=False)
