"""int8 in C: values are rounded as ONNX says, layers are of integers, and their proof finds what is wrong."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from pairedge.graph import CONTRACTS
from pairedge_export.c import adding
from pairedge_export.c.adding import add_c
from pairedge_export.c.proof import FAST, SANITIZED, Build, c_checks, compile_driver, run
from pairedge_export.c.quantized_layers import with_quantized_layers
from pairedge_export.c.static_graph import Array, read_graph
from pairedge_export.c.writing import c_files, kernel_lines
from pairedge_export.errors import ExportError
from pairedge_export.precision import reduce_precision
from pairedge_train.data.datasets import DataSet

SHIPPED = Path(__file__).parents[3] / "artifacts" / "aux_ws"
SMALL = Build("gcc", "gcc", ("-O1",))


@pytest.fixture(scope="module")
def graphs(uci: DataSet) -> dict[str, bytes]:
    """The shipped graphs in int8, with the ranges of other digits."""
    fp32 = {kind: (SHIPPED / f"{kind}.onnx").read_bytes() for kind in CONTRACTS}
    return reduce_precision(fp32, "int8", uci.training.tiles[:100])


@pytest.fixture(scope="module")
def files(graphs: dict[str, bytes]) -> dict[str, bytes]:
    return c_files(graphs)


@pytest.fixture(scope="module")
def tiles(uci: DataSet) -> NDArray[np.uint8]:
    return uci.test.tiles[:50]


ROUNDED = [  # a value, the integer for 0, and what becomes of it
    *[(0.5, 0, 0), (1.5, 0, 2), (2.5, 0, 2), (-0.5, 0, 0), (-1.5, 0, -2), (-2.5, 0, -2)],
    *[(0.5, 1, 1), (1.5, 1, 3), (0.49999997, 0, 0), (0.50000006, 0, 1), (7.0, -92, -85)],
    *[(127.4, 0, 127), (127.5, 0, 127), (-128.5, 0, -128), (-129.0, 0, -128), (255.0, -128, 127)],
    *[(1e30, -128, 127), (-1e30, 127, -128), (np.inf, 0, 127), (-np.inf, 0, -128), (np.nan, 0, -128)],
]


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_values_are_rounded_to_the_nearest_or_even_integer_and_end_at_the_ends(
    compiler: str, tmp_path: Path, needs: Callable[..., None]
) -> None:
    needs(compiler)
    lines = ["#include <math.h>", "#include <stdint.h>", "#include <stdio.h>", "#include <string.h>"]
    lines += [*kernel_lines("common"), *kernel_lines("quantized"), "int main(void)", "{"]
    lines += ["    float value; int zero;", '    while (scanf("%f %d", &value, &zero) == 2)']
    lines += ['        printf("%d\\n", quantized(value, zero));', "    return 0;", "}"]
    (tmp_path / "rounding.c").write_text("\n".join(lines))
    command = [compiler, "-std=c99", *FAST, "-fsanitize=undefined", "-fno-sanitize-recover=all"]
    subprocess.run([*command, "rounding.c", "-o", "rounding", "-lm"], cwd=tmp_path, check=True)
    asked = "".join(f"{value!r} {zero}\n" for value, zero, _ in ROUNDED)
    done = subprocess.run([tmp_path / "rounding"], input=asked, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(expected) for *_, expected in ROUNDED]


RNG = np.random.default_rng(0)
CHANNELS = 37  # one block of the kernel and some
WEIGHTS = RNG.integers(-127, 128, (CHANNELS, 2, 3, 3)).astype(np.int8)
BIAS = RNG.integers(-9000, 9000, CHANNELS).astype(np.int32)
WEIGHT_SCALES = RNG.uniform(0.001, 0.01, CHANNELS).astype(np.float32)
ROWS = RNG.integers(-127, 128, (1, CHANNELS * 9)).astype(np.int8)
# Scale and zero of what is between the layers: the input, the convolution, its Relu, and the answer.
IN, SUMS, POSITIVE, ANSWER = (
    (np.float32(scale), np.int8(zero)) for scale, zero in ((0.9, -128), (0.1, 11), (0.06, -128), (0.04, -5))
)
ROW_SCALE = np.array([0.0003], np.float32)


def by_hand() -> bytes:
    """Of two tiles a convolution with padding and stride, Relu, maxima, a product without bias, a sigmoid."""
    constants: dict[str, Array] = {
        "weights": WEIGHTS, "weight_scales": WEIGHT_SCALES, "weight_zeros": np.zeros(CHANNELS, np.int8),
        "bias": BIAS, "bias_scales": IN[0] * WEIGHT_SCALES, "bias_zeros": np.zeros(CHANNELS, np.int32),
        "rows": ROWS, "row_scales": ROW_SCALE, "row_zeros": np.zeros(1, np.int8),
        "flat": np.array([-1, CHANNELS * 9]), "one": np.array([-1]),
    }  # fmt: skip
    nodes = [helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT)]
    for name in ("weight", "bias", "row"):
        integers = name if name in constants else f"{name}s"
        inputs = [integers, f"{name}_scales", f"{name}_zeros"]
        nodes.append(helper.make_node("DequantizeLinear", inputs, [f"{name}_floats"], axis=0))

    def through_integers(name: str, quantization: tuple[np.float32, np.int8]) -> str:
        constants[f"{name}_scale"], constants[f"{name}_zero"] = map(np.array, quantization)
        inputs = [f"{name}_scale", f"{name}_zero"]
        nodes.append(helper.make_node("QuantizeLinear", [name, *inputs], [f"{name}_int8"]))
        nodes.append(helper.make_node("DequantizeLinear", [f"{name}_int8", *inputs], [f"{name}_again"]))
        return f"{name}_again"

    inputs = [through_integers("floats", IN), "weight_floats", "bias_floats"]
    nodes.append(helper.make_node("Conv", inputs, ["sums"], pads=[1, 1, 1, 1], strides=[2, 2]))
    nodes.append(helper.make_node("Relu", [through_integers("sums", SUMS)], ["positive"]))
    nodes.append(helper.make_node("MaxPool", ["positive"], ["largest"], kernel_shape=[2, 2], strides=[2, 2]))
    nodes.append(helper.make_node("Reshape", ["largest", "flat"], ["rows_of_largest"]))
    inputs = [through_integers("rows_of_largest", POSITIVE), "row_floats"]
    nodes.append(helper.make_node("Gemm", inputs, ["answer"], transB=1))
    nodes.append(helper.make_node("Sigmoid", [through_integers("answer", ANSWER)], ["probability"]))
    nodes.append(helper.make_node("Reshape", ["probability", "one"], ["leq"]))
    graph = helper.make_graph(
        nodes,
        "by hand",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", 2, 14, 14])],
        [helper.make_tensor_value_info("leq", TensorProto.FLOAT, ["N"])],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    model.metadata_props.extend(onnx.load(SHIPPED / "pair.onnx").metadata_props)
    content: bytes = model.SerializeToString()
    return content


def rounded(values: Array, quantization: tuple[np.float32, np.int8]) -> Array:
    """Values in units of the scale as int8, in NumPy."""
    return np.clip(np.rint(values) + quantization[1], -128, 127).astype(np.int64)


def computed_by_hand(images: NDArray[np.uint8]) -> Array:
    """What the graph says, in integers."""
    inputs = rounded(images.astype(np.float32) / IN[0], IN) - IN[1]
    padded = np.pad(inputs, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))[:, :, ::2, ::2]
    sums = np.einsum("nchwyx,kcyx->nkhw", windows, WEIGHTS.astype(np.int64)) + BIAS[:, None, None]
    scales = (IN[0] * WEIGHT_SCALES / SUMS[0])[:, None, None]
    layer = (rounded(sums.astype(np.float32) * scales, SUMS) - SUMS[1]).astype(np.float32) * SUMS[0]
    largest = np.maximum(layer, 0)[:, :, :6, :6].reshape(-1, CHANNELS, 3, 2, 3, 2).max(axis=(3, 5))
    flat = rounded(largest.reshape(len(images), -1) / POSITIVE[0], POSITIVE) - POSITIVE[1]
    answer = flat @ ROWS.astype(np.int64).T
    steps = rounded(answer.astype(np.float32) * (POSITIVE[0] * ROW_SCALE / ANSWER[0]), ANSWER) - ANSWER[1]
    probability: Array = 1 / (1 + np.exp(-steps[:, 0] * ANSWER[0]))
    return probability


@pytest.mark.parametrize(("compiler", "flags"), [("gcc", FAST), ("clang", FAST), ("gcc", SANITIZED)])
def test_a_graph_made_by_hand_is_computed_in_integers_exactly(
    compiler: str,
    flags: tuple[str, ...],
    tmp_path: Path,
    needs: Callable[..., None],
) -> None:
    needs(compiler)
    content = by_hand()
    images = np.random.default_rng(1).integers(0, 256, (50, 2, 14, 14)).astype(np.uint8)
    graph = read_graph("pair", content)
    layers = [node for node in with_quantized_layers(graph).nodes if node.quantization]
    assert [node.operator for node in layers] == ["Conv", "Gemm"]
    program = compile_driver(
        {"pair": graph}, c_files({"pair": content}), Build(compiler, compiler, flags), tmp_path
    )
    [leq] = run(program, graph, {"images": images})
    expected = computed_by_hand(images)
    assert len(np.unique(expected)) > 20
    # Neighboring answers are farther apart than this.
    assert np.abs(leq - expected).max() <= 1e-6


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize(
    "flags", [SANITIZED, FAST, (*SANITIZED, "-DPAIREDGE_NO_VECTORS")], ids=["sanitized", "fast", "scalar"]
)
def test_it_decides_as_onnxruntime_does(
    compiler: str,
    flags: tuple[str, ...],
    graphs: dict[str, bytes],
    files: dict[str, bytes],
    tiles: NDArray[np.uint8],
    needs: Callable[..., None],
) -> None:
    needs(compiler)
    checks = c_checks(graphs, files, tiles, [Build(compiler, compiler, flags)])
    assert {(check.graph, check.name.split(",")[0]) for check in checks} == {
        (kind, what) for kind in CONTRACTS for what in ("values", "decisions")
    }
    assert all(check.passed for check in checks)
    assert all(check.agreement is not None for check in checks)


def broken(files: dict[str, bytes], pattern: str, replacement: str) -> dict[str, bytes]:
    source, count = re.subn(pattern, replacement, files["pairedge.c"].decode(), count=1)
    assert count == 1
    return {**files, "pairedge.c": source.encode()}


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        (r"rintf\(value\)", "truncf(value)"),  # the wrong way to round
        (r"(WEIGHTS_4\[\d+\] = \{\s+)-?\d+", r"\g<1>127"),
    ],
)
def test_what_is_wrong_in_it_is_found(
    pattern: str,
    replacement: str,
    graphs: dict[str, bytes],
    files: dict[str, bytes],
    tiles: NDArray[np.uint8],
    needs: Callable[..., None],
) -> None:
    needs("gcc")
    checks = c_checks(graphs, broken(files, pattern, replacement), tiles, [SMALL])
    assert not all(check.passed for check in checks)


def test_weights_and_what_lies_between_layers_take_a_quarter(files: dict[str, bytes]) -> None:
    def stated(header: bytes, name: str) -> int:
        return int(re.search(rf"PAIREDGE_{name} (\d+)".encode(), header)[1])  # type: ignore[index]  # it is there

    in_fp32 = (SHIPPED / "pairedge.h").read_bytes()
    assert b'PAIREDGE_PRECISION "int8"' in files["pairedge.h"]
    assert stated(files["pairedge.h"], "CONSTANTS") < 0.27 * stated(in_fp32, "CONSTANTS")
    assert stated(files["pairedge.h"], "STACK") < 0.45 * stated(in_fp32, "STACK")
    assert not re.search(rb"[^_]convolution\(", files["pairedge.c"])  # none of floats


def test_it_is_added_to_an_export_with_its_measured_agreement(
    graphs: dict[str, bytes],
    tiles: NDArray[np.uint8],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    needs: Callable[..., None],
) -> None:
    needs("gcc")
    monkeypatch.setattr(adding, "builds", lambda: [SMALL])
    for kind, content in graphs.items():
        (tmp_path / f"{kind}.onnx").write_bytes(content)
    shutil.copy(SHIPPED / "parity.json", tmp_path)
    parity = add_c(tmp_path, tiles)
    checks = [
        check
        for check in json.loads((tmp_path / "parity.json").read_text())["checks"]
        if check["kind"] == "c"
    ]
    assert len(checks) == 6
    assert all(0.995 <= check["agreement"] <= 1 for check in checks)
    least = min(check["agreement"] for check in checks)
    card = (tmp_path / "card.md").read_text()
    assert (
        f"- Parity of the C with the graphs: 6 checks; in each, at least {least:.3%} of the answers" in card
    )
    assert "Precision: int8" in card
    assert parity.passed


def constant(model: onnx.ModelProto, name: str, values: Array) -> None:
    [tensor] = (each for each in model.graph.initializer if each.name == name)
    tensor.CopyFrom(numpy_helper.from_array(values, name))


def unsigned(model: onnx.ModelProto) -> None:
    constant(model, "sums_zero", np.array(139, np.uint8))


def shifted_weights(model: onnx.ModelProto) -> None:
    constant(model, "weight_zeros", np.ones(CHANNELS, np.int8))


def other_bias(model: onnx.ModelProto) -> None:
    constant(model, "bias_scales", 2 * WEIGHT_SCALES)


def floats_out(model: onnx.ModelProto) -> None:
    [sigmoid] = (node for node in model.graph.node if node.op_type == "Sigmoid")
    sigmoid.input[0] = "answer"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (unsigned, "no QuantizeLinear but of int8 with one scale$"),
        (shifted_weights, "no Conv of integers with zero points or scales of its own$"),
        (other_bias, "no Conv of integers with zero points or scales of its own$"),
        (floats_out, "no Gemm of integers but from int8 to int8$"),
    ],
)
def test_other_forms_of_integers_are_refused_by_name(
    change: Callable[[onnx.ModelProto], None], words: str
) -> None:
    model = onnx.load_from_string(by_hand())
    change(model)
    with pytest.raises(ExportError, match=f"^the pair graph cannot be written in C, which has {words}"):
        c_files({"pair": model.SerializeToString()})
