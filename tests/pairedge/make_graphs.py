"""Writes graphs/*.onnx: one small graph that meets the contract, and one for each way to break it.

Run by hand, where the `onnx` package is:  python tests/pairedge/make_graphs.py [FOLDER]

The model that they hold has no weights: the picture with more ink is the greater digit.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from onnx import TensorProto, helper

from pairedge.digest import append_digest

HERE = Path(__file__).parent / "graphs"
METADATA = {"schema": 2, "graph": "pair", "variant": "base"}
PAIRS = ("N", 2, 14, 14)


def graph(
    *,
    metadata: object = METADATA,
    text: bytes | None = None,
    images: tuple[int | str, ...] = PAIRS,
    dtype: int = TensorProto.UINT8,
    output: str = "leq",
    classes: int = 0,
    weights: str | None = None,
    last: str = "Sigmoid",
    second: int = 1,
    before_last: tuple[list[Any], list[Any]] | None = None,
) -> bytes:
    """Serialize a graph.

    Args:
        metadata: of the graph; None for none.
        text: the metadata as bytes, in place of JSON.
        images: axes of the input.
        dtype: element type of the input.
        output: name of the output.
        classes: length of the digit posteriors; 0 for no such output.
        weights: a file that holds the factor on the difference of ink, a float32; None to keep it inside.
        last: the operator that makes the answer of a difference, which may be negative or beyond 1, or, by
            "Concat", twice as many as the graph says.
        second: which tile of a pair is the second; with any but 0 and 1 it cannot be run.
        before_last: nodes that make "last" of "logit", and their constants; None for none.
    """
    factor = helper.make_tensor("factor", TensorProto.FLOAT, [], [1e-3])
    if weights is not None:
        factor.ClearField("float_data")
        factor.data_location = TensorProto.EXTERNAL
        entry = factor.external_data.add()
        entry.key, entry.value = "location", weights
    more_nodes, more_constants = before_last or ([], [])
    difference = "last" if before_last else "logit"
    attributes: dict[str, Any] = {"axis": 0} if last == "Concat" else {}
    nodes = [
        helper.make_node("Cast", ["images"], ["levels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["levels", "square"], ["ink"], keepdims=0),
        helper.make_node("Gather", ["ink", "one"], ["second"], axis=1),
        helper.make_node("Gather", ["ink", "zero"], ["first"], axis=1),
        helper.make_node("Sub", ["second", "first"], ["difference"]),
        helper.make_node("Mul", ["difference", "factor"], ["logit"]),
        *more_nodes,
        helper.make_node(last, [difference] * (2 if last == "Concat" else 1), [output], **attributes),
    ]
    constants = [
        helper.make_tensor("square", TensorProto.INT64, [2], [2, 3]),
        helper.make_tensor("zero", TensorProto.INT64, [], [0]),
        helper.make_tensor("one", TensorProto.INT64, [], [second]),
        factor,
        *more_constants,
    ]
    outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, images[:1])]
    if classes:
        nodes += [
            helper.make_node("Unsqueeze", ["ink", "last"], ["column"]),
            helper.make_node("Expand", ["column", "shape"], ["spread"]),
            helper.make_node("Softmax", ["spread"], ["digits"]),
        ]
        constants += [
            helper.make_tensor("last", TensorProto.INT64, [1], [2]),
            helper.make_tensor("shape", TensorProto.INT64, [3], [1, 1, classes]),
        ]
        outputs.append(helper.make_tensor_value_info("digits", TensorProto.FLOAT, [images[0], 2, classes]))
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "pairedge",
            [helper.make_tensor_value_info("images", dtype, images)],
            outputs,
            constants,
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=8,
    )
    marker = "metadata go here"  # protobuf takes UTF-8 only
    content = json.dumps(metadata, sort_keys=True) if text is None else marker.ljust(len(text))
    if metadata is not None:
        helper.set_model_props(model, {"pairedge": content})
    serialized: bytes = model.SerializeToString(deterministic=True)
    return serialized if text is None else serialized.replace(content.encode(), text)


def identity() -> bytes:
    """Serialize a graph that returns its input: the latency of a call that computes nothing."""
    images, copy = (
        helper.make_tensor_value_info(name, TensorProto.UINT8, PAIRS) for name in ("images", "copy")
    )
    model = helper.make_model(
        helper.make_graph([helper.make_node("Identity", ["images"], ["copy"])], "floor", [images], [copy]),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=8,
    )
    serialized: bytes = model.SerializeToString(deterministic=True)
    return serialized


def endless() -> bytes:
    """Serialize a graph that goes round a loop as often as an int64 can count."""
    flag = helper.make_tensor_value_info("flag", TensorProto.BOOL, [])
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["flag"], ["go_on"]),
            helper.make_node("Identity", ["before"], ["after"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("number", TensorProto.INT64, []),
            flag,
            helper.make_tensor_value_info("before", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("after", TensorProto.FLOAT, None),
        ],
    )
    loop = helper.make_node("Loop", ["rounds", "", "logit"], ["last"], body=body)
    rounds = helper.make_tensor("rounds", TensorProto.INT64, [], [2**63 - 1])
    return graph(before_last=([loop], [rounds]))


def greedy() -> bytes:
    """Serialize a graph that asks for 100 GB."""
    nodes = [
        helper.make_node("Expand", ["logit", "size"], ["many"]),
        helper.make_node("ReduceMax", ["many", "rows"], ["last"], keepdims=0),
    ]
    constants = [
        helper.make_tensor("size", TensorProto.INT64, [2], [25 * 10**9, 1]),
        helper.make_tensor("rows", TensorProto.INT64, [1], [0]),
    ]
    return graph(before_last=(nodes, constants))


def changed(**values: Any) -> dict[str, Any]:
    """The metadata with other values."""
    return METADATA | values


GRAPHS = {
    "base": graph(),
    "with_digits": graph(classes=10),
    "with_classes": graph(metadata=changed(labels=[f"size {n}" for n in range(10)]), classes=10),
    "classes_of_nine": graph(metadata=changed(labels=list("012345678")), classes=10),
    "classes_alike": graph(metadata=changed(labels=["same"] * 10), classes=10),
    "classes_no_list": graph(metadata=changed(labels="0123456789"), classes=10),
    "no_metadata": graph(metadata=None),
    "metadata_not_json": graph(text=b"{'schema': __import__}"),
    "metadata_not_utf8": graph(text=b'{"schema": 2, "variant": "\xff\xfe"}'),
    "metadata_not_an_object": graph(metadata=["schema", 2]),
    "metadata_without_schema": graph(metadata={"graph": "pair"}),
    "newer_schema": graph(metadata=changed(schema=3)),
    "older_schema": graph(metadata=changed(schema=1)),
    "digest_lost": graph(metadata=changed(pairedge="0.1.0")),
    "digest_wrong": append_digest(graph()).replace(b"Sub", b"Add"),
    "kind_of_another": graph(metadata=changed(graph="digit")),
    "kind_unknown": graph(metadata=changed(graph=["pair"])),
    "tiles_of_28": graph(images=("N", 2, 28, 28)),
    "float_input": graph(dtype=TensorProto.FLOAT),
    "output_renamed": graph(output="probability"),
    "static_batch": graph(images=(1, 2, 14, 14)),
    "nine_digits": graph(classes=9),
    "all_wrong": graph(images=(1, 2, 28, 28), dtype=TensorProto.FLOAT, output="probability"),
    "weights_elsewhere": graph(weights="weights.bin"),
    "answers_beyond_one": graph(last="Identity"),
    "answers_nan": graph(last="Log"),
    "answers_twice": graph(last="Concat"),
    "cannot_run": graph(second=7),
    "name_not_utf8": graph(output="leq").replace(b"images", b"im\xffges", 1),
    "metadata_with_nan": graph(text=b'{"schema": 2, "graph": "pair", "seed": NaN}'),
    "metadata_with_infinity": graph(text=b'{"schema": 2, "graph": "pair", "seed": 1e999}'),
    "endless": endless(),
    "greedy": greedy(),
    "identity": identity(),
}

if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in GRAPHS.items():
        (folder / f"{name}.onnx").write_bytes(content)
