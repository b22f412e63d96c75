"""The Open Inference Protocol, as Triton's own client speaks it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

import pairedge
from pairedge.graph import open_graph
from pairedge.serve.limits import Limits
from pairedge.serve.messages import Request, RequestError
from pairedge.serve.openapi import document
from pairedge.serve.protocol_v2 import HEADER_LENGTH, read_inference
from pairedge.serve.served import Served, open_served
from pairedge.shipped import shipped_graph

from .conftest import StartServer
from .server_process import Server

INFER = "/v2/models/pairedge/infer"
Pairs = NDArray[np.uint8]


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[InferenceServerClient]:
    with InferenceServerClient(f"127.0.0.1:{server.port}") as client:
        yield client


@pytest.fixture(scope="module")
def served() -> Served:
    return open_served(None, Limits())


def tensor(name: str, array: NDArray[Any], *, binary: bool = True) -> InferInput:
    datatype = {"uint8": "UINT8", "float32": "FP32"}[array.dtype.name]
    sent = InferInput(name, list(array.shape), datatype)
    sent.set_data_from_numpy(array, binary_data=binary)
    return sent


def body(pairs: Pairs, **changes: Any) -> dict[str, Any]:
    """A request in JSON, with changes to its input."""
    entry = {"name": "images", "shape": list(pairs.shape), "datatype": "UINT8", "data": pairs.tolist()}
    return {"inputs": [entry | changes]}


def test_the_server_and_its_models_describe_themselves(client: InferenceServerClient) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    metadata = client.get_server_metadata()
    assert metadata == {
        "name": "pairedge",
        "version": pairedge.__version__,
        "extensions": ["binary_tensor_data"],
    }
    for name in ("pairedge", "digit", "compare"):
        assert client.is_model_ready(name)
        assert client.is_model_ready(name, "1")
        assert client.get_model_metadata(name) == client.get_model_metadata(name, "1")
    assert not client.is_model_ready("other")
    assert not client.is_model_ready("pairedge", "2")
    described = client.get_model_metadata("pairedge")
    assert described["versions"] == ["1"]
    assert described["inputs"] == [{"name": "images", "datatype": "UINT8", "shape": [-1, 2, 14, 14]}]
    assert described["outputs"] == [
        {"name": "leq", "datatype": "FP32", "shape": [-1]},
        {"name": "digits", "datatype": "FP32", "shape": [-1, 2, 10]},
    ]
    described = client.get_model_metadata("compare")
    assert [entry["shape"] for entry in described["inputs"]] == [[-1, 10], [-1, 10]]


@pytest.mark.parametrize("count", [1, 3, 200])
@pytest.mark.parametrize("binary", [True, False], ids=["binary", "JSON"])
@pytest.mark.parametrize("packed", [None, "gzip", "deflate"])
def test_pairs_are_answered_as_by_the_library(
    client: InferenceServerClient,
    model: pairedge.PairModel,
    pairs: Pairs,
    count: int,
    binary: bool,
    packed: str | None,
) -> None:
    expected = model.predict_batch(pairs[:count])
    result = client.infer(
        "pairedge",
        [tensor("images", pairs[:count], binary=binary)],
        outputs=[InferRequestedOutput(name, binary_data=binary) for name in ("leq", "digits")],
        request_id="seven",
        request_compression_algorithm=packed,
        response_compression_algorithm=packed,
    )
    assert result.get_response()["id"] == "seven"
    np.testing.assert_allclose(result.as_numpy("leq"), expected.probability, atol=1e-6)
    assert expected.digit_probabilities is not None
    np.testing.assert_allclose(result.as_numpy("digits"), expected.digit_probabilities, atol=1e-6)


def test_outputs_are_those_that_were_asked_for(client: InferenceServerClient, pairs: Pairs) -> None:
    sent = [tensor("images", pairs[:2])]
    whole = client.infer("pairedge", sent)
    assert [output["name"] for output in whole.get_response()["outputs"]] == ["leq", "digits"]
    assert "id" not in whole.get_response()
    # One as JSON and one as bytes, in the order of the request.
    asked = [InferRequestedOutput("digits", binary_data=True), InferRequestedOutput("leq", binary_data=False)]
    result = client.infer("pairedge", sent, outputs=asked, model_version="1")
    digits, leq = result.get_response()["outputs"]
    assert (digits["name"], digits["parameters"]) == ("digits", {"binary_data_size": 2 * 2 * 10 * 4})
    assert (leq["name"], len(leq["data"])) == ("leq", 2)
    np.testing.assert_allclose(result.as_numpy("leq"), whole.as_numpy("leq"), atol=1e-6)
    np.testing.assert_allclose(result.as_numpy("digits"), whole.as_numpy("digits"), atol=1e-6)


def test_digit_and_compare_are_the_halves_of_the_pair_graph(
    client: InferenceServerClient, tiles: NDArray[np.uint8]
) -> None:
    encoded = client.infer("digit", [tensor("tiles", tiles)])
    graph = open_graph(shipped_graph("digit"), "digit")
    posterior, embedding = graph.session.run(["posterior", "embedding"], {"tiles": tiles})
    np.testing.assert_allclose(encoded.as_numpy("posterior"), posterior, atol=1e-6)
    np.testing.assert_allclose(encoded.as_numpy("embedding"), embedding, atol=1e-6)
    halves = [tensor("second", embedding[10:]), tensor("first", embedding[:10])]
    compared = client.infer("compare", halves).as_numpy("leq")
    pairs = np.stack([tiles[:10], tiles[10:]], axis=1)
    whole = client.infer("pairedge", [tensor("images", pairs)]).as_numpy("leq")
    np.testing.assert_allclose(compared, whole, atol=1e-6)


def test_embeddings_without_a_sensible_answer_are_refused_and_fail_no_other_request(
    start_server: StartServer, tiles: NDArray[np.uint8]
) -> None:
    server = start_server("--max-delay", "200").wait()  # so that both requests share a run
    absurd = np.full((1, 10), 1e30, np.float32)
    with InferenceServerClient(f"127.0.0.1:{server.port}", concurrency=2) as client:
        good = client.infer("digit", [tensor("tiles", tiles[:1])]).as_numpy("embedding")
        assert good is not None
        asked = [
            client.async_infer("compare", [tensor("first", embedding), tensor("second", embedding)])
            for embedding in (absurd, good)
        ]
        with pytest.raises(InferenceServerException, match="for these inputs, 'leq' is not") as failed:
            asked[0].get_result()
        assert failed.value.status() == "422"
        leq = asked[1].get_result().as_numpy("leq")
    assert leq is not None
    assert 0.9 < leq[0] <= 1.00001
    assert server.metric('pairedge_batch_rows_bucket{graph="compare",le="1.0"}') == 0


def test_the_client_gets_a_sentence_for_each_fault(client: InferenceServerClient, pairs: Pairs) -> None:
    wide = np.zeros((1, 2, 14, 15), np.uint8)
    floats = np.zeros((1, 2, 14, 14), np.float32)
    nan = np.full((1, 10), np.nan, np.float32)
    good = np.full((1, 10), 0.1, np.float32)
    cases: list[tuple[Callable[[], object], str, str]] = [
        (
            lambda: client.infer("other", [tensor("images", pairs[:1])]),
            "404",
            "nothing at /v2/models/other/infer",
        ),
        (
            lambda: client.infer("pairedge", [tensor("image", pairs[:1])]),
            "400",
            "unknown input 'image'; pairedge takes",
        ),
        (
            lambda: client.infer("pairedge", [tensor("images", wide)]),
            "400",
            "shape [1, 2, 14, 15], not [-1, 2, 14, 14]",
        ),
        (
            lambda: client.infer("pairedge", [tensor("images", floats)]),
            "400",
            "'images' is UINT8, not 'FP32'",
        ),
        (lambda: client.infer("compare", [tensor("first", good)]), "400", "the input 'second' is missing"),
        (
            lambda: client.infer("compare", [tensor("first", good), tensor("second", nan)]),
            "400",
            "not all finite",
        ),
        (
            lambda: client.infer("compare", [tensor("first", good), tensor("second", np.tile(good, (2, 1)))]),
            "400",
            "differ in their number of rows: 1, 2",
        ),
        (
            lambda: client.infer(
                "pairedge", [tensor("images", pairs[:1])], outputs=[InferRequestedOutput("posterior")]
            ),
            "400",
            "unknown output 'posterior'; pairedge gives 'leq', 'digits'",
        ),
        (
            lambda: client.infer(
                "pairedge",
                [tensor("images", pairs[:1])],
                outputs=[InferRequestedOutput("digits", class_count=2)],
            ),
            "400",
            "'classification', an extension that is not here",
        ),
        (lambda: client.get_model_metadata("other"), "404", "nothing at /v2/models/other"),
        (lambda: client.get_model_config("pairedge"), "404", "nothing at /v2/models/pairedge/config"),
        (lambda: client.load_model("pairedge"), "404", "nothing at /v2/repository"),
    ]
    for call, status, sentence in cases:
        with pytest.raises(InferenceServerException) as failed:
            call()
        assert failed.value.status() == status
        assert sentence in failed.value.message()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"data": "text"}, "neither data nor binary_data_size"),
        ({"data": [1, 2, 3]}, "have 3 numbers, not 392"),
        ({"data": [[1], [2, 3]]}, "not rows of one length"),
        ({"data": [0.5] * 392}, "not all UINT8"),
        ({"data": [True] * 392}, "not all UINT8"),
        ({"data": ["1"] * 392}, "not all UINT8"),
        ({"data": [None] * 392}, "not all UINT8"),
        ({"data": [256] * 392}, "not all from 0 to 255"),
        ({"data": [-1] * 392}, "not all from 0 to 255"),
        ({"data": [10**30] * 392}, "not all UINT8"),
        ({"shape": [True, 2, 14, 14]}, "has the shape"),
        ({"shape": [0, 2, 14, 14], "data": []}, "at least one row"),
        ({"shape": [-1, 2, 14, 14]}, "at least one row"),
        ({"shape": [1 << 62, 2, 14, 14]}, "numbers, not"),
        ({"shape": "all"}, "has the shape 'all'"),
        ({"shape": None}, "has the shape None"),
        ({"datatype": None}, "is UINT8, not None"),
        ({"name": None}, "unknown input None"),
        ({"name": ["images"]}, "unknown input ['images']"),
        ({"parameters": 1}, "'parameters' is not an object"),
        ({"parameters": {"binary_data_size": 392}}, "binary_data_size is 392, and 0 bytes are there"),
        ({"parameters": {"binary_data_size": -1}}, "binary_data_size is -1"),
        ({"parameters": {"binary_data_size": "392"}}, "binary_data_size is '392'"),
        ({"parameters": {"binary_data_size": 392.0}}, "binary_data_size is 392.0"),
    ],
)
def test_a_damaged_input_is_a_fault_of_the_client(
    server: Server, pairs: Pairs, changes: dict[str, Any], sentence: str
) -> None:
    reply = server.post(INFER, json.dumps(body(pairs[:1], **changes)).encode(), "application/json")
    assert reply.status == 400
    assert sentence in reply.error


@pytest.mark.parametrize(
    ("text", "length", "sentence"),
    [
        (b"", None, "the request is not JSON and has no Inference-Header-Content-Length"),
        (b"\xff\xfe", None, "the request is not JSON"),
        (b"[" * 100_000, None, "the request is not JSON"),
        (b"[]", None, "the request is not a JSON object"),
        (b"{}", None, "'inputs' is not a list of objects"),
        (b'{"inputs": [1]}', None, "'inputs' is not a list of objects"),
        (b'{"inputs": []}', None, "the input 'images' is missing; pairedge takes 'images'"),
        (b"{}", "3", "Inference-Header-Content-Length is '3', but the body has 2 bytes"),
        (b"{}", "-1", "Inference-Header-Content-Length is '-1'"),
        (b"{}", "two", "Inference-Header-Content-Length is 'two'"),
    ],
)
def test_what_is_no_request_is_a_fault_of_the_client(
    server: Server, text: bytes, length: str | None, sentence: str
) -> None:
    headers = {} if length is None else {"inference-header-content-length": length}
    reply = server.post(INFER, text, "application/json", **headers)
    assert reply.status == 400
    assert sentence in reply.error


def test_no_more_is_believed_of_a_request_than_it_shows(server: Server, pairs: Pairs) -> None:
    for request, sentence in (
        ({**body(pairs[:1]), "id": 7}, "the id is not a string"),
        ({**body(pairs[:1]), "outputs": [{}]}, "unknown output None"),
        ({**body(pairs[:1]), "outputs": 1}, "'outputs' is not a list of objects"),
        ({"inputs": body(pairs[:1])["inputs"] * 2}, "the input 'images' is there twice"),
    ):
        reply = server.post(INFER, json.dumps(request).encode(), "application/json")
        assert (reply.status, reply.error) == (400, sentence) or sentence in reply.error
    text = json.dumps(body(pairs[:1])).encode()
    reply = server.post(INFER, text + b"more", **{"inference-header-content-length": str(len(text))})
    assert (reply.status, reply.error) == (400, "4 bytes are left after the last binary tensor")
    reply = server.post(INFER, b" " * 1_000_001, "application/json")
    assert (reply.status, "more than 1,000,000 bytes" in reply.error) == (413, True)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=50, deadline=None)
@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys(("id", "parameters", "inputs", "outputs"), JSON)),
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("name", "shape", "datatype", "data", "parameters"), JSON)
    ),
    st.sampled_from([{}, {HEADER_LENGTH.lower(): "2"}, {HEADER_LENGTH.lower(): "400"}]),
)
def test_any_json_is_answered_or_refused_in_a_sentence(
    served: Served, pairs: Pairs, outer: dict[str, Any], inner: dict[str, Any], headers: dict[str, str]
) -> None:
    request = Request(headers, json.dumps(body(pairs[:1], **inner) | outer).encode())
    refusal = None
    try:
        read_inference("pairedge", request, served)
    except RequestError as error:
        refusal = error
    assert refusal is None or (refusal.status == 400 and len(str(refusal)) < 500)


def test_requests_and_answers_are_what_openapi_says(server: Server, pairs: Pairs) -> None:
    paths, components = document()["paths"], document()["components"]
    request = {**body(pairs[:1]), "id": "a"}
    reply = server.post(INFER, json.dumps(request).encode(), "application/json")
    operation = paths["/v2/models/{model}/infer"]["post"]
    for value, said in ((request, operation["requestBody"]), (reply.json, operation["responses"]["200"])):
        schema = said["content"]["application/json"]["schema"]
        jsonschema.validate(value, {**schema, "components": components})
    for path in ("/v2", "/v2/models/{model}"):
        schema = paths[path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        reply = server.get(path.replace("{model}", "digit"))
        jsonschema.validate(reply.json, {**schema, "components": components})
