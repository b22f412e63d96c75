"""What the routes see of HTTP: a request, its answer, and the errors that a client can cause."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from pairedge.errors import PairedgeError

JSON = "application/json"
_WORTH_COMPRESSING = 1024  # bytes: below, the header of gzip and the time cost more than they save
# How zlib names the formats that HTTP calls gzip and deflate.
_WINDOW_BITS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


@dataclass(frozen=True, slots=True)
class Request:
    """A whole request; its body is decompressed.

    Attributes:
        headers: by their names in lower case.
        body: of at most the server's `max_bytes`.
    """

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer before it is sent."""

    body: bytes = b""
    content_type: str = JSON
    status: int = HTTPStatus.OK
    headers: dict[str, str] = field(default_factory=dict)


class RequestError(PairedgeError):
    """A request that is answered with one sentence and a status of 4xx, or 503 when the server is full."""

    def __init__(self, status: HTTPStatus, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.headers = dict(headers or {})

    def answer(self) -> Answer:
        """The sentence as JSON."""
        return Answer(to_json({"error": str(self)}), status=self.status, headers=self.headers)


def busy(reason: str) -> RequestError:
    """The error of a server that has no room now, and may have it in a second."""
    return RequestError(HTTPStatus.SERVICE_UNAVAILABLE, f"{reason}; try again", {"Retry-After": "1"})


def to_json(value: Any) -> bytes:
    """A value as JSON."""
    return json.dumps(value).encode()


def decompress(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """A body without its content encoding, of at most `max_bytes`.

    Raises:
        RequestError: when the encoding is unknown, the body is damaged or inflates to more.
    """
    if encoding in ("", "identity"):
        return body
    if encoding not in _WINDOW_BITS:
        raise RequestError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"the content encoding {encoding!r} is not gzip or deflate"
        )
    inflater = zlib.decompressobj(_WINDOW_BITS[encoding])
    try:
        content = inflater.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise RequestError(HTTPStatus.BAD_REQUEST, f"the body is not {encoding}: {error}") from error
    if len(content) > max_bytes:
        raise too_large(max_bytes)
    if not inflater.eof:
        raise RequestError(HTTPStatus.BAD_REQUEST, f"the body is not {encoding}: it ends too early")
    return content


def compress(answer: Answer, accepted: str) -> Answer:
    """An answer in the first content encoding that the client accepts, where that is worth it."""
    if len(answer.body) < _WORTH_COMPRESSING:
        return answer
    for name in (entry.partition(";")[0].strip() for entry in accepted.split(",")):
        if name in _WINDOW_BITS:
            deflater = zlib.compressobj(level=1, wbits=_WINDOW_BITS[name])
            body = deflater.compress(answer.body) + deflater.flush()
            headers = {**answer.headers, "Content-Encoding": name}
            return Answer(body, answer.content_type, answer.status, headers)
    return answer


def too_large(max_bytes: int) -> RequestError:
    """The error of a body that is larger than the server takes."""
    return RequestError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"the body is larger than {max_bytes:,} bytes, the server's limit",
    )
