"""The ASGI application: finds a request's route, reads its body, and always sends an answer."""

from __future__ import annotations

import asyncio
import hmac
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

from pairedge.errors import PairedgeError
from pairedge.serve.connections import Watch
from pairedge.serve.limits import Bodies, ClientGoneError, Limits, Receive
from pairedge.serve.logs import JsonLines
from pairedge.serve.messages import Answer, Request, RequestError, busy, compress, decompress, to_json
from pairedge.serve.metrics import Metrics
from pairedge.serve.openapi import document
from pairedge.serve.page import read_page, shipped_page
from pairedge.serve.pictures import Reader, classify, predict
from pairedge.serve.protocol_v2 import (
    MODELS,
    VERSION,
    batcher_of,
    infer,
    model_metadata,
    server_metadata,
)
from pairedge.serve.routes import Route, Routes, find
from pairedge.serve.served import Served, open_served

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_UNKNOWN = "unknown"  # the route of requests that have none, in metrics
_CLIENT_GONE = 499  # the status, in logs and metrics, of a request whose client did not wait
_LONGEST_PATH = 200  # characters of a path in logs


class Application:
    """A server's state and its answers; uvicorn calls it once for each request, and once for the server."""

    def __init__(
        self,
        model: str | None,
        limits: Limits,
        *,
        min_confidence: float | None = None,
        token: str | None = None,
        page: Path | None = None,
        log: int = 2,
    ) -> None:
        """Open the model, which has to give an answer, and the page.

        Args:
            model: path of a `pair` graph; None for the model that ships.
            limits: of what a client may ask.
            min_confidence: as `pairedge.load` takes it.
            token: that a client must send; None for none.
            page: folder of a static page for `/`; None for the page that ships, if one does.
            log: file descriptor that log lines are written to.

        Raises:
            PairedgeError: when the model or the page cannot be used.
        """
        self.limits = limits
        self.metrics = Metrics()
        self.watch = Watch(limits, self.metrics)
        self.lines = JsonLines(log, self.metrics.log_lines_lost.inc)
        self._model = model
        self._min_confidence = min_confidence
        self._token = None if token is None else f"Bearer {token}".encode()
        self._bodies = Bodies(limits)
        self.metrics.held_bytes.set_function(lambda: self._bodies.held)
        self._reader = Reader(limits, lambda status: self.metrics.pictures.labels(status).inc())
        self.served = self._open()
        self._reloading = asyncio.Lock()
        page = page or shipped_page()
        self._routes = self._table({} if page is None else read_page(page))

    def _open(self) -> Served:
        rows = self.metrics.rows
        return open_served(
            self._model,
            self.limits,
            self._min_confidence,
            lambda graph, count: rows.labels(graph).observe(count),
        )

    def _table(self, page: Mapping[str, Answer]) -> Routes:
        """All routes."""
        routes: Routes = {
            path: {"GET": _constant(answer, "page", open=True)} for path, answer in page.items()
        }
        for path, handle in (
            ("/predict", lambda request: predict(request, self.served, self._reader)),
            ("/classify", lambda request: classify(request, self.served, self._reader)),
        ):
            routes[path] = {"POST": Route(handle, path)}
        # The server listens only after its model has answered, and keeps a model until another has: while it
        # lives, it is ready.
        for path in ("/v2/health/live", "/v2/health/ready"):
            routes[path] = {"GET": _constant(Answer(), path, open=True)}
        routes["/v2"] = {"GET": _constant(server_metadata(), "/v2")}
        for model in MODELS:
            routes |= self._model_routes(model)
        routes["/openapi.json"] = {"GET": _constant(Answer(to_json(document())), "/openapi.json")}
        routes["/metrics"] = {"GET": Route(self._answer_metrics, "/metrics")}
        return routes

    def _model_routes(self, model: str) -> Routes:
        """The routes of one model of the protocol, with and without its version."""

        async def metadata(_request: Request) -> Answer:
            return model_metadata(model, self.served)

        async def ready(_request: Request) -> Answer:
            batcher_of(model, self.served)
            return Answer()

        routes: Routes = {}
        for path in (f"/v2/models/{model}", f"/v2/models/{model}/versions/{VERSION}"):
            routes[path] = {"GET": Route(metadata, "/v2/models/{model}")}
            routes[f"{path}/ready"] = {"GET": Route(ready, "/v2/models/{model}/ready", open=True)}
            routes[f"{path}/infer"] = {
                "POST": Route(lambda request: infer(model, request, self.served), "/v2/models/{model}/infer")
            }
        return routes

    async def _answer_metrics(self, _request: Request) -> Answer:
        return self.metrics.answer()

    async def reload(self) -> None:
        """Read the model's files again; one that cannot be used is refused, and the old one stays."""
        try:
            async with self._reloading:  # one after the other, or an older file could win
                self.served = await asyncio.to_thread(self._open)
        except PairedgeError as error:
            self.metrics.reloads.labels("refused").inc()
            self.lines.log("reload", outcome="refused", error=str(error))
        else:
            self.metrics.reloads.labels("ok").inc()
            self.lines.log("reload", outcome="ok", weights=self.served.model.metadata.get("weights_sha256"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or run from the server's start to its end."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Run what runs beside the requests, until the server ends."""
        await receive()
        tasks = [asyncio.create_task(each.run()) for each in (self.watch, self.lines)]
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self.lines.log("stop")
        await self.lines.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = time.monotonic()  # a wall clock may go backwards
        method, path = scope["method"], scope["path"]
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        name, status, error = _UNKNOWN, _CLIENT_GONE, None
        with suppress(ClientGoneError):
            try:
                route = find(self._routes, method, path)
                name = route.name
                answer = await self._handle(route, headers, receive)
            except RequestError as refusal:
                answer, error = refusal.answer(), str(refusal)
            except ClientGoneError:
                raise
            except Exception:  # a fault of ours: the log has it, the client learns nothing of the inside
                answer, error = _FAULT, traceback.format_exc()
            status = answer.status
            if error is None:  # clients of the protocol read an error as it stands
                answer = compress(answer, headers.get("accept-encoding", ""))
            await _send(answer, send)
        seconds = time.monotonic() - start
        self.metrics.requests.labels(name, status).inc()
        self.metrics.seconds.labels(name).observe(seconds)
        self.lines.log(
            "request",
            method=method,
            path=path[:_LONGEST_PATH],
            status=int(status),
            milliseconds=round(1000 * seconds, 2),
            client=scope["client"][0] if scope["client"] else None,
            **({} if error is None else {"error": error}),
        )

    async def _handle(self, route: Route, headers: Mapping[str, str], receive: Receive) -> Answer:
        """The answer of a route to a request whose client may ask it.

        Raises:
            RequestError: when it may not, or asks for what cannot be answered.
            ClientGoneError: when the client left.
        """
        if self._token is not None and not route.open:
            given = headers.get("authorization", "").encode("latin-1")
            if not hmac.compare_digest(given, self._token):
                reason = "this server wants a token: Authorization: Bearer TOKEN"
                raise RequestError(HTTPStatus.UNAUTHORIZED, reason, {"WWW-Authenticate": "Bearer"})
        body = await self._bodies.read(receive, headers.get("content-length"))
        try:
            content = decompress(body, headers.get("content-encoding", ""), self.limits.max_bytes)
            async with asyncio.timeout(self.limits.timeout):
                return await route.handle(Request(headers, content))
        except TimeoutError:
            raise busy("the answer took too long") from None
        finally:
            self._bodies.release(body)


_FAULT = Answer(
    to_json({"error": "the server failed; its log says why"}), status=HTTPStatus.INTERNAL_SERVER_ERROR
)


def _constant(answer: Answer, name: str, *, open: bool = False) -> Route:
    """A route whose answer never changes."""

    async def handle(_request: Request) -> Answer:
        return answer

    return Route(handle, name, open)


async def _send(answer: Answer, send: Send) -> None:
    headers = [
        (b"content-type", answer.content_type.encode()),
        (b"content-length", str(len(answer.body)).encode()),
        *((name.encode(), value.encode()) for name, value in answer.headers.items()),
    ]
    await send({"type": "http.response.start", "status": int(answer.status), "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
