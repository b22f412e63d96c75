"""The OpenAPI document of the server, which it serves at `/openapi.json`.

`python -m pairedge.serve.openapi` prints it; docs/openapi.json is its copy.
"""

from __future__ import annotations

import json
from typing import Any

import pairedge
from pairedge.graph import DIGITS
from pairedge.results import REFUSALS
from pairedge.serve.protocol_v2 import HEADER_LENGTH, MODELS

_PROBABILITY = {"type": "number", "minimum": 0, "maximum": 1}
_DIGIT = {"type": "integer", "minimum": 0, "maximum": DIGITS - 1}
_POSTERIOR = {"type": "array", "items": _PROBABILITY, "minItems": DIGITS, "maxItems": DIGITS}
_ANSWERED = {"type": "string", "enum": ["ok", "uncertain"]}
_REFUSED = {"type": "string", "enum": list(REFUSALS)}
_TEXT = {"type": "string"}
_FILES = {
    "type": "object",
    "properties": {"picture": {"type": "array", "items": {"type": "string", "format": "binary"}}},
}


def _schema(optional: dict[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    """The schema of an object that has just these properties, and maybe the optional ones."""
    return {
        "type": "object",
        "properties": {**properties, **(optional or {})},
        "required": list(properties),
        "additionalProperties": False,
    }


def _two(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": ["array", "null"], "items": items, "minItems": 2, "maxItems": 2}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


_TENSOR = _schema(
    name=_TEXT, datatype={"enum": ["UINT8", "FP32"]}, shape={"type": "array", "items": {"type": "integer"}}
)
_DATA = {
    "type": "object",
    "properties": {
        **_TENSOR["properties"],
        "data": {"type": "array"},
        "parameters": {"type": "object", "properties": {"binary_data_size": {"type": "integer"}}},
    },
}
_REFUSAL = _schema(status=_REFUSED, error=_TEXT)
_SCHEMAS = {
    "Prediction": _schema(
        first=_TEXT,
        second=_TEXT,
        status=_ANSWERED,
        confidence=_PROBABILITY,
        leq={"type": "boolean"},
        probability=_PROBABILITY,
        digits=_two(_DIGIT),
        digit_probabilities=_two(_POSTERIOR),
        optional={"names": _two(_TEXT)},  # of a model whose classes are not the digits
    ),
    "RefusedPair": _schema(
        first=_TEXT,
        second=_TEXT,
        status=_REFUSED,
        error=_TEXT,
        refused={
            "type": "object",
            "properties": {"first": _REFUSAL, "second": _REFUSAL},
            "additionalProperties": False,
            "minProperties": 1,
        },
    ),
    "Classification": _schema(
        picture=_TEXT,
        status=_ANSWERED,
        confidence=_PROBABILITY,
        digit=_DIGIT,
        probability=_PROBABILITY,
        probabilities=_POSTERIOR,
        optional={"name": _TEXT},
    ),
    "RefusedPicture": _schema(picture=_TEXT, status=_REFUSED, error=_TEXT),
    "Error": _schema(error=_TEXT),
    "Server": _schema(name=_TEXT, version=_TEXT, extensions={"type": "array", "items": _TEXT}),
    "Model": _schema(
        name=_TEXT,
        versions={"type": "array", "items": _TEXT},
        platform=_TEXT,
        inputs={"type": "array", "items": _TENSOR},
        outputs={"type": "array", "items": _TENSOR},
    ),
    # A client may send more than this: the protocol has parameters that this server ignores.
    "Inference": {
        "type": "object",
        "properties": {
            "id": _TEXT,
            "parameters": {"type": "object", "properties": {"binary_data_output": {"type": "boolean"}}},
            "inputs": {"type": "array", "items": {**_DATA, "required": ["name", "shape", "datatype"]}},
            "outputs": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "name": _TEXT,
                        "parameters": {"type": "object", "properties": {"binary_data": {"type": "boolean"}}},
                    },
                    "required": ["name"],
                },
            },
        },
        "required": ["inputs"],
    },
    "Inferred": {
        "type": "object",
        "properties": {
            "model_name": _TEXT,
            "model_version": _TEXT,
            "id": _TEXT,
            "outputs": {"type": "array", "items": {**_DATA, "required": ["name", "shape", "datatype"]}},
        },
        "required": ["model_name", "model_version", "outputs"],
        "additionalProperties": False,
    },
}
_ERRORS = {
    "400": "The request cannot be understood.",
    "401": "The server wants a token.",
    "408": "The body did not arrive in time.",
    "413": "The body is larger than the server takes.",
    "415": "The body, or its encoding, is of a kind that the server does not read.",
    "503": "The server is full; Retry-After says when to try again.",
}


def _errors(**more: str) -> dict[str, Any]:
    """The answers of one sentence, by status."""
    content = {"application/json": {"schema": _ref("Error")}}
    return {status: {"description": text, "content": content} for status, text in (_ERRORS | more).items()}


_MODEL = {
    "name": "model",
    "in": "path",
    "required": True,
    "description": "Each is there under /versions/1, too.",
    "schema": {"enum": list(MODELS)},
}
_INFER = {
    "operationId": "infer",
    "summary": "Run a model, by the Open Inference Protocol",
    "description": f"Tensors may follow the JSON as bytes; {HEADER_LENGTH} then has the length of the JSON.",
    "parameters": [
        {"name": HEADER_LENGTH, "in": "header", "schema": {"type": "integer", "minimum": 0}},
    ],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": _ref("Inference")}, "application/octet-stream": {}},
    },
    "responses": {
        "200": {
            "description": "The outputs.",
            "content": {"application/json": {"schema": _ref("Inferred")}, "application/octet-stream": {}},
        },
        **_errors(
            **{"404": "There is no such model.", "422": "The answer to such embeddings is no probability."}
        ),
    },
}


def document() -> dict[str, Any]:
    """The document, of OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "pairedge",
            "version": pairedge.__version__,
            "description": "Of two handwritten digits, is the first less than or equal to the second?",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "security": [{}, {"token": []}],
        "paths": {
            "/predict": {
                "post": _pictures(
                    "predict",
                    "Compare pairs of pictures",
                    "The files of a form are pictures, in pairs: first, second, first, second, ...",
                    {"multipart/form-data": {"schema": _FILES}},
                    "Prediction",
                    "RefusedPair",
                )
            },
            "/classify": {
                "post": _pictures(
                    "classify",
                    "Classify the digit in each picture",
                    "The files of a form are pictures; any other body is one picture.",
                    {
                        "multipart/form-data": {"schema": _FILES},
                        "image/*": {},
                        "application/octet-stream": {},
                    },
                    "Classification",
                    "RefusedPicture",
                )
            },
            "/v2": {"get": _described("server", "The name and the extensions of the server", "Server")},
            "/v2/models/{model}": {
                "parameters": [_MODEL],
                "get": _described("model", "The inputs and outputs of a model", "Model"),
            },
            "/v2/models/{model}/ready": {
                "parameters": [_MODEL],
                "get": _probe("modelReady", "Whether a model can answer"),
            },
            "/v2/models/{model}/infer": {"parameters": [_MODEL], "post": _INFER},
            "/v2/health/live": {"get": _probe("live", "Whether the server lives")},
            "/v2/health/ready": {"get": _probe("ready", "Whether the model has answered")},
            "/metrics": {
                "get": {
                    "operationId": "metrics",
                    "summary": "Metrics for Prometheus",
                    "responses": {"200": {"description": "Metrics.", "content": {"text/plain": {}}}},
                }
            },
        },
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _pictures(
    name: str, summary: str, description: str, bodies: dict[str, Any], row: str, refused: str
) -> dict[str, Any]:
    """The operation of a route that takes pictures."""
    rows = {"oneOf": [_ref(row), _ref(refused)]}
    several = "One object, or for several one a line."
    return {
        "operationId": name,
        "summary": summary,
        "description": description,
        "requestBody": {"required": True, "content": bodies},
        "responses": {
            "200": {
                "description": f"At least one picture or pair was answered. {several}",
                "content": {"application/json": {"schema": rows}, "application/jsonl": {"schema": rows}},
            },
            "422": {
                "description": f"Every picture or pair was refused. {several}",
                "content": {
                    "application/json": {"schema": _ref(refused)},
                    "application/jsonl": {"schema": _ref(refused)},
                },
            },
            **_errors(),
        },
    }


def _described(name: str, summary: str, schema: str) -> dict[str, Any]:
    """The operation of a route that describes something."""
    content = {"application/json": {"schema": _ref(schema)}}
    return {
        "operationId": name,
        "summary": summary,
        "responses": {"200": {"description": summary, "content": content}},
    }


def _probe(name: str, summary: str) -> dict[str, Any]:
    return {
        "operationId": name,
        "summary": summary,
        "security": [{}],
        "responses": {"200": {"description": "Yes."}},
    }


if __name__ == "__main__":
    print(json.dumps(document(), indent=1))
