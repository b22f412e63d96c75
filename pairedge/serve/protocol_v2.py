"""The Open Inference Protocol, version 2, over HTTP, with its extension for binary tensors.

Models are the graphs of the contract in `pairedge.graph`: `pairedge` (pairs), `digit` and `compare`. A
request is a JSON object. With the header `Inference-Header-Content-Length`, only so many bytes of the body
are JSON; the tensors that state a `binary_data_size` follow, little-endian. Answers are built the same way.
"""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import numpy as np
from numpy.typing import NDArray

import pairedge
from pairedge.answers import is_valid, wrong_answer
from pairedge.graph import CONTRACTS, TensorSpec
from pairedge.serve.batching import Arrays, Batcher
from pairedge.serve.messages import Answer, Request, RequestError, to_json
from pairedge.serve.served import Served

MODELS = {"pairedge": "pair", "digit": "digit", "compare": "compare"}  # and which graph each of them is
VERSION = "1"
HEADER_LENGTH = "Inference-Header-Content-Length"
_LARGEST_JSON = 1_000_000  # bytes: parsed, a number of JSON takes many times its size; tensors may be binary
_DATATYPES: dict[str, tuple[str, type[np.generic]]] = {
    "tensor(uint8)": ("UINT8", np.uint8),
    "tensor(float)": ("FP32", np.float32),
}


@dataclass(frozen=True, slots=True)
class RequestedOutput:
    """An output that a client asks for, as JSON or as bytes."""

    name: str
    binary: bool


@dataclass(frozen=True, slots=True)
class Inference:
    """A request for inference; the inputs are what the graph takes.

    Attributes:
        id: that the client gave, repeated in the answer; None without one.
        inputs: uint8 or float32 as the graph takes them, each (N, ...), in the order of the contract.
        outputs: which to answer with, in order.
    """

    id: str | None
    inputs: Arrays
    outputs: list[RequestedOutput]


def server_metadata() -> Answer:
    """The name and version of the server, and the extensions that it has."""
    metadata = {"name": "pairedge", "version": pairedge.__version__, "extensions": ["binary_tensor_data"]}
    return Answer(to_json(metadata))


def model_metadata(name: str, served: Served) -> Answer:
    """The inputs and outputs of a model.

    Raises:
        RequestError: 404 when the served model has no such graph.
    """
    batcher_of(name, served)
    inputs, outputs = _tensors(name, served)
    return Answer(
        to_json(
            {
                "name": name,
                "versions": [VERSION],
                "platform": "onnxruntime_onnx",
                "inputs": [_described(*item, served) for item in inputs.items()],
                "outputs": [_described(*item, served) for item in outputs.items()],
            }
        )
    )


async def infer(name: str, request: Request, served: Served) -> Answer:
    """Run a model on the inputs of a request.

    Raises:
        RequestError: 404 when the served model has no such graph, 400 or 413 when the request is not one that
            the graph takes, 422 when its answer is no probability, 503 when too much waits already.
    """
    batcher = batcher_of(name, served)
    inference = read_inference(name, request, served)
    _, outputs = _tensors(name, served)
    arrays = dict(zip(outputs, await batcher(*inference.inputs), strict=True))
    for output, array in arrays.items():
        if not is_valid(output, array, len(array)):
            reason = wrong_answer(output, array, len(array))
            raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, f"for these inputs, {output!r} {reason}")
    return _answer(name, inference, arrays)


def batcher_of(name: str, served: Served) -> Batcher:
    """What runs a model.

    Raises:
        RequestError: 404 when the served model has no such graph.
    """
    batcher = {"pairedge": served.pairs, "digit": served.digit, "compare": served.compare}[name]
    if batcher is None:
        raise RequestError(HTTPStatus.NOT_FOUND, f"no {name} graph lies beside the pair graph that is served")
    return batcher


def read_inference(name: str, request: Request, served: Served) -> Inference:
    """A request for inference, checked against the contract of the model's graph.

    Raises:
        RequestError: when it is damaged, or breaks the contract.
    """
    content, tail = _split(request)
    inputs, outputs = _tensors(name, served)
    arrays: dict[str, NDArray[Any]] = {}
    for entry in _list_of_objects(content, "inputs"):
        key = entry.get("name")
        if not isinstance(key, str) or key not in inputs:
            raise _bad(f"unknown input {_shown(key)}; {name} takes {_listed(inputs)}")
        if key in arrays:
            raise _bad(f"the input {key!r} is there twice")
        arrays[key], tail = _read_tensor(entry, inputs[key], served, tail)
    if missing := [key for key in inputs if key not in arrays]:
        raise _bad(f"the input {missing[0]!r} is missing; {name} takes {_listed(inputs)}")
    if len(tail):
        raise _bad(f"{len(tail)} bytes are left after the last binary tensor")
    rows = {len(array) for array in arrays.values()}
    if len(rows) > 1:
        raise _bad(f"the inputs differ in their number of rows: {', '.join(map(str, sorted(rows)))}")
    identity = content.get("id")
    if not isinstance(identity, str | None):
        raise _bad("the id is not a string")
    return Inference(identity, tuple(arrays[key] for key in inputs), _requested(content, list(outputs), name))


def _split(request: Request) -> tuple[dict[str, Any], memoryview]:
    """The JSON object of a request, and the bytes after it."""
    stated = request.headers.get(HEADER_LENGTH.lower())
    length = len(request.body)
    if stated is not None:
        if not stated.isascii() or not stated.isdigit() or int(stated) > length:
            raise _bad(f"{HEADER_LENGTH} is {_shown(stated)}, but the body has {length} bytes")
        length = int(stated)
    if length > _LARGEST_JSON:
        raise RequestError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the JSON has more than {_LARGEST_JSON:,} bytes: send binary tensors, or fewer rows",
        )
    try:
        content = json.loads(request.body[:length])
    except (ValueError, RecursionError) as error:  # no JSON, no text, or nested without end
        raise _bad("the request is not JSON" + ("" if stated else f" and has no {HEADER_LENGTH}")) from error
    if not isinstance(content, dict):
        raise _bad("the request is not a JSON object")
    return content, memoryview(request.body)[length:]


def _read_tensor(
    entry: Mapping[str, Any], spec: TensorSpec, served: Served, tail: memoryview
) -> tuple[NDArray[Any], memoryview]:
    """An input as an array, and the bytes that are left."""
    name, shape, stated = entry["name"], entry.get("shape"), entry.get("datatype")
    datatype, dtype = _DATATYPES[spec.dtype]
    if stated != datatype:
        raise _bad(f"the input {name!r} is {datatype}, not {_shown(stated)}")
    expected = _shape(spec, served)
    if not (
        isinstance(shape, list)
        and all(type(size) is int for size in shape)  # not isinstance: True is an int, too
        and len(shape) == len(expected)
        and shape[1:] == expected[1:]
        and shape[0] > 0
    ):
        raise _bad(f"the input {name!r} has the shape {_shown(shape)}, not {expected} with at least one row")
    count = math.prod(shape)
    size = _parameters(entry).get("binary_data_size")
    if size is None:
        return _from_json(name, entry.get("data"), datatype, dtype, count).reshape(shape), tail
    expected_size = count * np.dtype(dtype).itemsize
    if type(size) is not int or size != expected_size or size > len(tail):
        raise _bad(
            f"the input {name!r} has {expected_size} bytes, but binary_data_size is {_shown(size)}, "
            f"and {len(tail)} bytes are there"
        )
    array = np.frombuffer(tail[:size], np.dtype(dtype).newbyteorder("<")).astype(dtype, copy=False)
    return _finite(name, array).reshape(shape), tail[size:]


def _from_json(name: str, data: Any, datatype: str, dtype: type[np.generic], count: int) -> NDArray[Any]:
    """Numbers of JSON, nested by rows or flat."""
    if not isinstance(data, list):
        raise _bad(f"the input {name!r} has neither data nor binary_data_size")
    try:
        numbers = np.array(data)
    except (ValueError, OverflowError) as error:  # rows of different lengths
        raise _bad(f"the data of {name!r} are not rows of one length") from error
    if numbers.size != count:
        raise _bad(f"the data of {name!r} have {numbers.size} numbers, not {count}")
    if numbers.dtype.kind not in ("iu" if datatype == "UINT8" else "iuf"):
        raise _bad(f"the data of {name!r} are not all {datatype}")
    if datatype == "UINT8" and not (numbers.min() >= 0 and numbers.max() <= 255):
        raise _bad(f"the data of {name!r} are not all from 0 to 255")
    with np.errstate(over="ignore"):  # too large for float32: infinite, and refused
        return _finite(name, numbers.ravel().astype(dtype))


def _finite(name: str, array: NDArray[Any]) -> NDArray[Any]:
    if not np.isfinite(array).all():
        raise _bad(f"the data of {name!r} are not all finite")
    return array


def _requested(content: Mapping[str, Any], known: list[str], model: str) -> list[RequestedOutput]:
    """The outputs that a request names; all of them when it names none."""
    binary = _parameters(content).get("binary_data_output") is True
    if not content.get("outputs"):
        return [RequestedOutput(name, binary) for name in known]
    requested = []
    for entry in _list_of_objects(content, "outputs"):
        name, parameters = entry.get("name"), _parameters(entry)
        if name not in known:
            raise _bad(f"unknown output {_shown(name)}; {model} gives {_listed(known)}")
        if unsupported := {"classification", "shared_memory_region"} & parameters.keys():
            raise _bad(f"the output {name!r} asks for {_listed(unsupported)}, an extension that is not here")
        requested.append(RequestedOutput(name, parameters.get("binary_data", binary) is True))
    return requested


def _answer(name: str, inference: Inference, arrays: Mapping[str, NDArray[Any]]) -> Answer:
    """The answer: JSON, and after it the outputs that were asked for as bytes."""
    outputs: list[dict[str, Any]] = []
    parts = []
    for output in inference.outputs:
        array = arrays[output.name]
        described: dict[str, Any] = {"name": output.name, "datatype": "FP32", "shape": list(array.shape)}
        if output.binary:
            parts.append(array.astype("<f4", copy=False).tobytes())
            described["parameters"] = {"binary_data_size": len(parts[-1])}
        else:
            described["data"] = array.ravel().tolist()
        outputs.append(described)
    identity = {} if inference.id is None else {"id": inference.id}
    head = to_json({"model_name": name, "model_version": VERSION, **identity, "outputs": outputs})
    if not parts:
        return Answer(head)
    return Answer(
        b"".join([head, *parts]), "application/octet-stream", headers={HEADER_LENGTH: str(len(head))}
    )


def _tensors(name: str, served: Served) -> tuple[dict[str, TensorSpec], dict[str, TensorSpec]]:
    """The inputs and the outputs of a model, by name."""
    contract = CONTRACTS[MODELS[name]]
    outputs = dict(contract.outputs)
    if served.tiles is None:  # without a digit head
        outputs.pop("digits", None)
    return contract.inputs, outputs


def _described(name: str, spec: TensorSpec, served: Served) -> dict[str, Any]:
    return {"name": name, "datatype": _DATATYPES[spec.dtype][0], "shape": _shape(spec, served)}


def _shape(spec: TensorSpec, served: Served) -> list[int]:
    """The axes of a tensor; -1 for the rows."""
    sizes = {"N": -1, "E": served.embedding or -1}
    return [sizes[axis] if isinstance(axis, str) else axis for axis in spec.axes]


def _list_of_objects(content: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    value = content.get(key)
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise _bad(f"{key!r} is not a list of objects")
    return value


def _parameters(entry: Mapping[str, Any]) -> dict[str, Any]:
    value = entry.get("parameters", {})
    if not isinstance(value, dict):
        raise _bad("'parameters' is not an object")
    return value


def _listed(names: Sequence[str] | Mapping[str, Any] | set[str]) -> str:
    return ", ".join(map(repr, names))


def _shown(value: Any) -> str:
    """What a client sent, in few characters."""
    return reprlib.repr(value)


def _bad(reason: str) -> RequestError:
    return RequestError(HTTPStatus.BAD_REQUEST, reason)
