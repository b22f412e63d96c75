"""fp16 and int8: the graphs in reduced precision, and the acceptance criterion that they must meet.

Reduced precision changes the values, so that parity cannot hold. The criterion, on every test tile, is that
at least AGREEMENT of the decisions are those of the fp32 graphs, and that accuracy falls by LOSS at most.
"""

from __future__ import annotations

import json
import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.transformers.float16 import convert_float_to_float16
from onnxruntime.transformers.onnx_model import OnnxModel

from pairedge.errors import GraphError
from pairedge.graph import METADATA_KEY, open_graph
from pairedge.model import model_of
from pairedge_export.errors import ExportError
from pairedge_export.parity import Check, real_inputs
from pairedge_export.to_onnx import serialize

PRECISIONS = ("fp32", "fp16", "int8")
AGREEMENT = 0.995  # share of decisions, 0 to 1
LOSS = 0.002  # of accuracy, 0 to 1
_TURNS = 20  # how many other tiles each tile is compared with
_CALIBRATION_TILES = 1000
_WEIGHTED = ("Conv", "Gemm", "MatMul")
Array = NDArray[Any]


@dataclass(frozen=True)
class Change:
    """How one kind of decision changed with the precision.

    Attributes:
        graph: "pair", "digit" or "compare".
        decision: "comparisons" or "digits".
        n: number of decisions.
        agreement: share of them that equal those of the fp32 graph, 0 to 1.
        accuracy: share of correct ones, 0 to 1.
        fp32_accuracy: the same of the fp32 graph.
    """

    graph: str
    decision: str
    n: int
    agreement: float
    accuracy: float
    fp32_accuracy: float

    @property
    def accepted(self) -> bool:
        """Whether the acceptance criterion is met."""
        return self.agreement >= AGREEMENT and self.fp32_accuracy - self.accuracy <= LOSS

    def check(self) -> Check:
        """The change as a check of the proof."""
        detail = f"{self.agreement:.2%} of {self.n:,} equal fp32's; "
        detail += f"accuracy {self.accuracy:.2%}, fp32's {self.fp32_accuracy:.2%}"
        label = f"reduced precision, {self.decision}"
        return Check(self.graph, "precision", label, self.accepted, detail)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


def reduce_precision(
    graphs: Mapping[str, bytes], precision: str, tiles: NDArray[np.uint8]
) -> dict[str, bytes]:
    """Convert the graphs of a model; inputs, outputs and metadata stay, and the precision is added to these.

    Args:
        graphs: fp32 graphs by kind.
        precision: "fp16" or "int8".
        tiles: training tiles, uint8 (M, 14, 14), 0 to 255, on which int8's ranges are calibrated.

    Raises:
        ExportError: for another precision, or int8 without tiles.
    """
    if precision == "fp16":
        models = {kind: _fp16(content) for kind, content in graphs.items()}
    elif precision == "int8":
        sample = tiles[:: max(1, len(tiles) // _CALIBRATION_TILES)][:_CALIBRATION_TILES]
        if not len(sample):
            raise ExportError("int8 needs training tiles to calibrate the ranges of its values")
        models = {kind: _int8(content, real_inputs(kind, graphs, sample)) for kind, content in graphs.items()}
    else:
        raise ExportError(f"unknown precision {precision!r}; there are {', '.join(PRECISIONS)}")
    return {
        kind: serialize(model, {**_metadata(graphs[kind]), "precision": precision})
        for kind, model in models.items()
    }


def _fp16(content: bytes) -> onnx.ModelProto:
    """Convert every float32 inside to float16; inputs and outputs keep their types."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # of weights too small for fp16, which become zero; `changes` measures that
        model: onnx.ModelProto = convert_float_to_float16(onnx.load_from_string(content), keep_io_types=True)
    OnnxModel(model).topological_sort(is_deterministic=True)  # casts of inputs are put behind their readers
    return model


def _int8(content: bytes, inputs: dict[str, Array]) -> onnx.ModelProto:
    """Quantize the layers that have weights, in QDQ form; heads and softmax stay in float32.

    Weights and activations are signed, weights per channel, as onnxruntime advises for x86 and ARM alike.
    """
    model = onnx.load_from_string(content)
    weights = {tensor.name for tensor in model.graph.initializer}
    weighted = []
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"node_{number}"  # the quantizer knows nodes by name
        if node.op_type in _WEIGHTED and node.input[1] in weights:
            weighted.append(node.name)
    if not weighted:  # nothing to quantize
        return model
    with tempfile.TemporaryDirectory() as folder, _quiet_logs():
        path = Path(folder) / "int8.onnx"
        quantize_static(
            model,
            path,
            _Batches(inputs),
            quant_format=QuantFormat.QDQ,
            nodes_to_quantize=weighted,
            per_channel=True,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(path)


class _Batches(CalibrationDataReader):  # type: ignore[misc] # onnxruntime publishes no types
    """Inputs for the quantizer, 100 rows at a time."""

    def __init__(self, inputs: dict[str, Array]) -> None:
        count = len(next(iter(inputs.values())))
        self._batches = iter(
            {name: value[start : start + 100] for name, value in inputs.items()}
            for start in range(0, count, 100)
        )

    def get_next(self) -> dict[str, Array] | None:
        """The next batch, None after the last."""
        return next(self._batches, None)


def _metadata(content: bytes) -> dict[str, Any]:
    properties = {entry.key: entry.value for entry in onnx.load_from_string(content).metadata_props}
    metadata: dict[str, Any] = json.loads(properties[METADATA_KEY])
    return metadata


def with_metrics(content: bytes, metrics: dict[str, Any]) -> bytes:
    """The same graph with these metrics in its metadata."""
    return serialize(onnx.load_from_string(content), {**_metadata(content), "metrics": metrics})


def changes(
    fp32: Mapping[str, bytes], reduced: Mapping[str, bytes], tiles: NDArray[np.uint8], labels: Array
) -> list[Change]:
    """Measure how the decisions of each graph change with the precision.

    `compare` takes the embeddings of the `digit` graph of its own precision.

    Args:
        fp32: the graphs that were converted, by kind.
        reduced: the same in reduced precision.
        tiles: test tiles, uint8 (M, 14, 14), 0 to 255.
        labels: their digits, int64 (M,), 0 to 9.

    Raises:
        GraphError: when a converted graph breaks its contract.
    """
    ours, theirs = decisions(reduced, tiles), decisions(fp32, tiles)
    truth = {"digits": labels, "comparisons": np.concatenate([labels <= other for other in _others(labels)])}
    return [
        Change(
            graph,
            decision,
            len(values),
            float(np.mean(values == theirs[graph, decision])),
            float(np.mean(values == truth[decision])),
            float(np.mean(theirs[graph, decision] == truth[decision])),
        )
        for (graph, decision), values in ours.items()
    ]


def decisions(graphs: Mapping[str, bytes], tiles: NDArray[np.uint8]) -> dict[tuple[str, str], Array]:
    """Every decision of a model on test tiles, by graph and by what is decided.

    Args:
        graphs: the model's graphs by kind.
        tiles: uint8 (M, 14, 14), 0 to 255.

    Returns:
        "digits", int64 (M,), 0 to 9, and "comparisons", bool (20 M,): each tile is compared with 20 others.
    """
    model = model_of(open_graph(graphs["pair"], "pair"))
    decided: dict[tuple[str, str], Array] = {}
    pairs = [model.predict_batch(np.stack([tiles, other], axis=1)) for other in _others(tiles)]
    decided["pair", "comparisons"] = np.concatenate([answers.leq for answers in pairs])
    if pairs[0].digits is not None:
        decided["pair", "digits"] = pairs[0].digits[:, 0]
    if "digit" in graphs:
        digit, compare = (open_graph(graphs[kind], kind).session for kind in ("digit", "compare"))
        posterior, embedding = digit.run(["posterior", "embedding"], {"tiles": tiles})
        decided["digit", "digits"] = posterior.argmax(axis=1)
        decided["compare", "comparisons"] = np.concatenate(
            [
                compare.run(["leq"], {"first": embedding, "second": other})[0] >= 0.5
                for other in _others(embedding)
            ]
        )
    return decided


def _others(values: Array) -> Iterator[Array]:
    """The values in other orders, so that each is paired with others; with itself only among 20 or fewer."""
    for turn in range(1, _TURNS + 1):
        yield np.roll(values, turn * max(1, len(values) // (_TURNS + 1)), axis=0)


def contract_checks(reduced: Mapping[str, bytes]) -> list[Check]:
    """Check that each graph in reduced precision still meets its contract."""
    checks, label = [], "reduced precision, contract"
    for kind, content in reduced.items():
        try:
            open_graph(content, kind)
            checks.append(Check(kind, "precision", label, True, "names, axes and dtypes as agreed"))
        except GraphError as error:
            checks.append(Check(kind, "precision", label, False, str(error)))
    return checks


def metrics_of(measured: list[Change]) -> dict[str, Any]:
    """The metrics of a model in reduced precision, measured with its own graphs."""
    names = {("pair", "comparisons"): "pairs", ("pair", "digits"): "digits"}
    return {
        names[change.graph, change.decision]: {"accuracy": change.accuracy, "n": change.n}
        for change in measured
        if (change.graph, change.decision) in names
    }


@contextmanager
def _quiet_logs() -> Iterator[None]:
    """Silence the root logger, on which the quantizer gives advice, and which it would set up."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(disabled)
