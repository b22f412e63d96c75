"""A signature by one's own key is verified, and refused when it does not fit."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pairedge.cli import main as pairedge
from pairedge.shipped import shipped_graph
from pairedge_export.errors import ExportError
from pairedge_export.signing import sign_folder


def key_pair(folder: Path, name: str) -> tuple[Path, Path]:
    """A private and a public key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    private, public = folder / f"{name}.pem", folder / f"{name}.pub"
    form = serialization.PrivateFormat.PKCS8
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    form_ = serialization.PublicFormat.SubjectPublicKeyInfo
    public.write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, form_))
    return private, public


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder of graphs."""
    folder = tmp_path / "model"
    folder.mkdir()
    for kind in ("pair", "digit", "compare"):
        shutil.copy(shipped_graph(kind), folder)
    return folder


def info(model: Path, public: Path) -> Result:
    return CliRunner().invoke(pairedge, ["info", str(model / "pair.onnx"), "--verify", str(public)])


def test_a_signature_fits_and_the_graph_is_shown(model: Path, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path, "mine")
    for _ in range(2):  # the second in place of the first
        sign_folder(model, private)
        result = info(model, public)
        assert result.exit_code == 0, result.output
        assert "pair.onnx: the signature fits" in result.stdout
    moved = model.rename(tmp_path / "elsewhere")
    assert info(moved, public).exit_code == 0


@pytest.mark.parametrize("change", ["other key", "changed", "added", "removed", "signature", "no signature"])
def test_a_signature_that_does_not_fit_is_refused(change: str, model: Path, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path, "mine")
    sign_folder(model, private)
    if change == "other key":
        _, public = key_pair(tmp_path, "other")
    elif change == "changed":
        content = (model / "compare.onnx").read_bytes()
        (model / "compare.onnx").write_bytes(content[:-1] + b"0")
    elif change == "added":
        (model / "more.onnx").touch()
    elif change == "removed":
        (model / "digit.onnx").unlink()
    elif change == "signature":
        content = (model / "model.sig").read_bytes()
        (model / "model.sig").write_bytes(content[:100] + b"A" + content[101:])
    else:
        (model / "model.sig").unlink()
    result = info(model, public)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert "signature" in result.stderr or "does not fit" in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_a_key_that_is_none_is_one_sentence(model: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("no key")
    with pytest.raises(ExportError, match="key: cannot sign with it: "):
        sign_folder(model, tmp_path / "key")
    with pytest.raises(ExportError, match="gone: cannot sign with it: "):
        sign_folder(model, tmp_path / "gone")
    assert not (model / "model.sig").exists()


def test_without_the_extra_one_sentence_says_what_to_install(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "model_signing", None)
    with pytest.raises(ExportError, match=r"pip install 'pairedge\[sign\]'"):
        sign_folder(model, tmp_path / "key")
    result = info(model, tmp_path / "key")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "pip install 'pairedge[sign]'" in result.stderr


def test_the_shipped_graphs_have_digests_and_no_signature() -> None:
    result = CliRunner().invoke(pairedge, ["info", "--verify", "key"])
    assert result.exit_code == 2
    assert "--verify needs FILE" in result.stderr
