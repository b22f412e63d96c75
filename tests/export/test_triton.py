"""The model repository for Triton is valid by Triton's own schema, and says what the graphs are."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from pairedge.errors import GraphError
from pairedge.serve.limits import Limits
from pairedge.serve.protocol_v2 import model_metadata
from pairedge.serve.served import open_served
from pairedge.shipped import shipped_graph
from pairedge_export.cli import main
from pairedge_export.errors import ExportError
from pairedge_export.triton import write_model_repository

SHIPPED = Path(shipped_graph("pair")).parent
GRAPHS = Path(__file__).parents[1] / "pairedge" / "graphs"


def read_config(folder: Path) -> model_config_pb2.ModelConfig:
    """A configuration, by Triton's schema, which refuses unknown fields and values."""
    return text_format.Parse((folder / "config.pbtxt").read_text(), model_config_pb2.ModelConfig())


def test_each_graph_is_a_model_with_the_signature_that_the_server_gives_it(tmp_path: Path) -> None:
    import json

    folders = write_model_repository(SHIPPED, tmp_path)
    assert [folder.name for folder in folders] == ["pairedge", "digit", "compare"]
    served = open_served(None, Limits())
    for folder, kind in zip(folders, ("pair", "digit", "compare"), strict=True):
        config = read_config(folder)
        assert (config.name, config.backend, config.max_batch_size) == (folder.name, "onnxruntime", 0)
        assert (folder / "1" / "model.onnx").read_bytes() == (SHIPPED / f"{kind}.onnx").read_bytes()
        metadata = json.loads(model_metadata(folder.name, served).body)
        for ours, theirs in ((metadata["inputs"], config.input), (metadata["outputs"], config.output)):
            assert {
                (entry["name"], f"TYPE_{entry['datatype']}", tuple(entry["shape"])) for entry in ours
            } == {
                (entry.name, model_config_pb2.DataType.Name(entry.data_type), tuple(entry.dims))
                for entry in theirs
            }


def test_a_pair_graph_alone_is_one_model_and_others_stay(tmp_path: Path) -> None:
    shutil.copy(GRAPHS / "base.onnx", tmp_path / "pair.onnx")
    other = tmp_path / "repository" / "other"
    other.mkdir(parents=True)
    [folder] = write_model_repository(tmp_path, tmp_path / "repository")
    assert [output.name for output in read_config(folder).output] == ["leq"]
    assert other.is_dir()


def test_what_cannot_be_written_or_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(GraphError, match=r"pair\.onnx: no such file or directory"):
        write_model_repository(tmp_path, tmp_path / "repository")
    assert not (tmp_path / "repository").exists()
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match="file"):
        write_model_repository(SHIPPED, tmp_path / "file")


def test_the_command_takes_a_folder_of_graphs(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, [str(SHIPPED), "--triton", str(tmp_path / "models")])
    assert done.exit_code == 0, done.output
    assert read_config(tmp_path / "models" / "pairedge").name == "pairedge"
    assert f"tritonserver --model-repository {tmp_path / 'models'}" in done.output
