"""`POST /predict` and `POST /classify`: pictures in, the JSON rows of the command line out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO
from typing import Any

import numpy as np
from multipart import MultipartError, MultipartParser, parse_options_header
from numpy.typing import NDArray

from pairedge.confidence import refusal_status
from pairedge.errors import ImageError
from pairedge.image.decode import read_header
from pairedge.image.tile import to_tile
from pairedge.machine import cores
from pairedge.results import Classification, refused_pair
from pairedge.serve.limits import Limits
from pairedge.serve.messages import JSON, Answer, Request, RequestError, busy, to_json
from pairedge.serve.served import Served

JSON_LINES = "application/jsonl"
RAW_TYPES = ("application/octet-stream", "image/")
_MOST_PICTURES = 256  # of one request


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a request.

    Attributes:
        name: the file name that the client gave, only repeated in its answer; `-` without one.
        content: the bytes of the file.
    """

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a picture has no answer, as a row of JSON."""

    row: dict[str, str]


Tile = NDArray[np.uint8] | Refusal


class Reader:
    """Turns pictures into tiles in threads, one a core, while the event loop goes on."""

    def __init__(self, limits: Limits, observe: Callable[[str], object] = lambda _: None) -> None:
        """Make a reader.

        Args:
            limits: max_pixels and max_queue.
            observe: is told the status of each picture: "ok", or why it was refused.
        """
        self._limits = limits
        self._observe = observe
        self._threads = ThreadPoolExecutor(cores(), "picture")
        self.waiting = 0

    async def tiles(self, pictures: list[Picture]) -> list[Tile]:
        """The tile of each picture, uint8 (14, 14), 0 to 255, or why it was refused.

        Raises:
            RequestError: 503 when too many pictures wait already.
        """
        if self.waiting >= self._limits.max_queue:
            raise busy(f"{self.waiting} pictures are waiting")
        self.waiting += len(pictures)
        try:
            loop = asyncio.get_running_loop()
            return [await loop.run_in_executor(self._threads, self._tile, picture) for picture in pictures]
        finally:
            self.waiting -= len(pictures)

    def _tile(self, picture: Picture) -> Tile:
        try:
            width, height = read_header(picture.content).size
            if width * height > self._limits.max_pixels:
                most = f"{self._limits.max_pixels:,}"
                raise ImageError(f"{width} x {height} pixels: this server reads pictures of at most {most}")  # noqa: TRY301 (as Pillow's are)
            tile = to_tile(picture.content)
        except ImageError as error:
            status = refusal_status(error)
            self._observe(status)
            source = "" if picture.name == "-" else f"{picture.name}: "
            return Refusal({"status": status, "error": f"{source}{error}"})
        self._observe("ok")
        return tile


async def predict(request: Request, served: Served, reader: Reader) -> Answer:
    """Compare pairs of pictures: a row for each, equal to that of `pairedge predict --json`.

    Raises:
        RequestError: when the request holds no pictures, or not pairs of them.
    """
    pictures = read_pictures(request)
    if len(pictures) % 2:
        raise RequestError(
            HTTPStatus.BAD_REQUEST, f"expected pairs of pictures, but got an odd number: {len(pictures)}"
        )
    tiles = await reader.tiles(pictures)
    pairs = list(zip(tiles[::2], tiles[1::2], strict=True))
    images = [pair for pair in pairs if not any(isinstance(tile, Refusal) for tile in pair)]
    outputs = await served.pairs(np.array(images, np.uint8)) if images else ()
    answers = iter(served.model.answers(*outputs) if images else ())
    rows = []
    for index, pair in enumerate(pairs):
        names = {"first": pictures[2 * index].name, "second": pictures[2 * index + 1].name}
        refusals = {
            place: tile.row
            for place, tile in zip(("first", "second"), pair, strict=True)
            if isinstance(tile, Refusal)
        }
        rows.append({**names, **(refused_pair(refusals) if refusals else next(answers).to_dict())})
    return rows_answer(rows, answered=bool(images))


async def classify(request: Request, served: Served, reader: Reader) -> Answer:
    """Classify pictures: a row for each, equal to that of `pairedge classify --json`.

    Raises:
        RequestError: when the request holds no pictures, or the model has no digit head.
    """
    if served.tiles is None:
        raise RequestError(
            HTTPStatus.NOT_FOUND, f"the model {served.model.variant!r} has no digit head: it can only compare"
        )
    pictures = read_pictures(request)
    tiles = await reader.tiles(pictures)
    images = [tile for tile in tiles if not isinstance(tile, Refusal)]
    [posteriors] = await served.tiles(np.stack(images)) if images else [()]
    model = served.model
    answers = (Classification(posterior, model.thresholds.digit, model.classes) for posterior in posteriors)
    rows = [
        {"picture": picture.name, **(tile.row if isinstance(tile, Refusal) else next(answers).to_dict())}
        for picture, tile in zip(pictures, tiles, strict=True)
    ]
    return rows_answer(rows, answered=bool(images))


def rows_answer(rows: Sequence[Mapping[str, Any]], *, answered: bool) -> Answer:
    """One JSON object a line; 422 when no picture has an answer."""
    status = HTTPStatus.OK if answered else HTTPStatus.UNPROCESSABLE_ENTITY
    body = b"".join(to_json(row) + b"\n" for row in rows)
    return Answer(body, JSON if len(rows) == 1 else JSON_LINES, status)


def read_pictures(request: Request) -> list[Picture]:
    """The pictures of a request: its body is one, or a form whose files are, in their order.

    Raises:
        RequestError: when it is neither.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind == "multipart/form-data":
        return read_form(request.body, options.get("boundary", ""))
    if not kind.startswith(RAW_TYPES):
        raise RequestError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"expected multipart/form-data with pictures, or a picture as image/* or {RAW_TYPES[0]}, "
            f"not {kind or 'a body without content type'}",
        )
    return [Picture("-", request.body)]


def read_form(body: bytes, boundary: str) -> list[Picture]:
    """The files of a form.

    Raises:
        RequestError: when the form is damaged or holds no file, or too many.
    """
    try:
        parser = MultipartParser(
            BytesIO(body),
            boundary,
            content_length=len(body),
            part_limit=_MOST_PICTURES,
            # The body is in memory already, within the server's limit.
            memory_limit=len(body) + 1,
            spool_limit=len(body) + 1,
        )
        pictures = [Picture(part.filename or "-", part.raw) for part in parser if part.filename is not None]
    except MultipartError as error:
        raise RequestError(HTTPStatus.BAD_REQUEST, f"the form cannot be read: {error}") from error
    if not pictures:
        raise RequestError(HTTPStatus.BAD_REQUEST, "the form holds no file")
    return pictures
