"""The C of a model: what ships, what the header says, and what is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

import pairedge
from pairedge.graph import CONTRACTS
from pairedge_export.c.writing import MOST_WEIGHTS, c_files, quoted
from pairedge_export.errors import ExportError
from pairedge_export.precision import reduce_precision
from pairedge_train.data.datasets import DataSet

SHIPPED = Path(__file__).parents[3] / "artifacts" / "aux_ws"


@pytest.fixture(scope="module")
def graphs() -> dict[str, bytes]:
    return {kind: (SHIPPED / f"{kind}.onnx").read_bytes() for kind in CONTRACTS}


def test_the_shipped_graphs_give_the_shipped_c(graphs: dict[str, bytes]) -> None:
    files = c_files(graphs)
    assert set(files) == {"pairedge.h", "pairedge.c"}
    for name, content in files.items():
        same = content == (SHIPPED / name).read_bytes()  # pytest would take minutes to show a difference
        assert same, "run `pairedge-export --c artifacts/aux_ws`"


def test_the_header_names_the_model_and_its_graphs(graphs: dict[str, bytes]) -> None:
    text = (SHIPPED / "pairedge.h").read_text()
    model = pairedge.load()
    for name, value in {
        "VERSION": f'"{pairedge.__version__}"',
        "WEIGHTS_SHA256": f'"{model.metadata["weights_sha256"]}"',
        "PAIR_SHA256": f'"{hashlib.sha256(graphs["pair"]).hexdigest()}"',
        "COMPARE_SHA256": f'"{hashlib.sha256(graphs["compare"]).hexdigest()}"',
        "PAIR_CONFIDENCE": str(model.metadata["confidence"]["pair"]),
        "EMBEDDING": "10",
    }.items():
        assert f"#define PAIREDGE_{name} {value}\n" in text


def test_graphs_share_their_weights(graphs: dict[str, bytes]) -> None:
    # Four convolutions, the layer of digits, and the triangle of first <= second.
    both, pair = (c_files({kind: graphs[kind] for kind in kinds}) for kinds in (CONTRACTS, ["pair"]))
    assert both["pairedge.c"].count(b"static const float WEIGHTS_") == 6
    assert pair["pairedge.c"].count(b"static const float WEIGHTS_") == 6


def changed(content: bytes, change: Callable[[onnx.ModelProto], None]) -> bytes:
    model = onnx.load_from_string(content)
    change(model)
    result: bytes = model.SerializeToString()
    return result


def first(model: onnx.ModelProto, operator: str) -> onnx.NodeProto:
    found: onnx.NodeProto = next(node for node in model.graph.node if node.op_type == operator)
    return found


def other_operators(model: onnx.ModelProto) -> None:
    first(model, "Relu").op_type = "Elu"
    first(model, "Relu").op_type = "Softplus"


def other_axis(model: onnx.ModelProto) -> None:
    first(model, "Softmax").attribute[0].i = 0


def wide_strides(model: onnx.ModelProto) -> None:
    del first(model, "MaxPool").attribute[:]
    first(model, "MaxPool").attribute.extend(
        [
            onnx.helper.make_attribute("kernel_shape", [2, 2]),
            onnx.helper.make_attribute("strides", [2, 2]),
            onnx.helper.make_attribute("pads", [0, 0, 0, 0]),
            onnx.helper.make_attribute("ceil_mode", 1),
        ]
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (other_operators, "no Elu, Softplus$"),
        (other_axis, "no Softmax but along the last axis$"),
        (wide_strides, "no MaxPool with ceil_mode=1$"),
    ],
)
def test_what_c_does_not_have_is_refused_by_name(
    change: Callable[[onnx.ModelProto], None], words: str, graphs: dict[str, bytes]
) -> None:
    with pytest.raises(ExportError, match=f"^the pair graph cannot be written in C, which has {words}"):
        c_files({"pair": changed(graphs["pair"], change)})


def test_fp16_is_refused(graphs: dict[str, bytes], uci: DataSet) -> None:
    with pytest.raises(ExportError, match="which has no Cast with to=10"):
        c_files(reduce_precision(graphs, "fp16", uci.training.tiles))


def test_a_model_that_is_too_large_is_refused(graphs: dict[str, bytes]) -> None:
    def enlarge(model: onnx.ModelProto) -> None:
        entry = next(entry for entry in model.metadata_props if entry.key == "pairedge")
        entry.value = json.dumps({**json.loads(entry.value), "parameters": MOST_WEIGHTS + 1})

    with pytest.raises(ExportError, match="a model of 2,000,001 weights is not written in C"):
        c_files({"pair": changed(graphs["pair"], enlarge)})


def test_strings_are_ascii() -> None:
    assert quoted('a "b" \\ ≤\n') == r'"a \"b\" \\ \342\211\244\n"'
