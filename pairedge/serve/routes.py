"""The table of routes: which request is answered by what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from pairedge.serve.messages import Answer, Request, RequestError

Handler = Callable[[Request], Awaitable[Answer]]
Routes = dict[str, dict[str, "Route"]]  # by path, then by method


@dataclass(frozen=True, slots=True)
class Route:
    """How one path and method are answered.

    Attributes:
        handle: gives the answer.
        name: of the route in metrics: its path, with a placeholder where paths differ by model.
        open: whether it is answered without a token: probes of an orchestrator have none.
    """

    handle: Handler
    name: str
    open: bool = False


def find(routes: Routes, method: str, path: str) -> Route:
    """The route of a request.

    Raises:
        RequestError: 404 for an unknown path, 405 for a method that a path does not have.
    """
    methods = routes.get(path)
    if methods is None:
        raise RequestError(HTTPStatus.NOT_FOUND, f"there is nothing at {path}")
    route = methods.get("GET" if method == "HEAD" else method)
    if route is None:
        allowed = ", ".join(methods)
        raise RequestError(
            HTTPStatus.METHOD_NOT_ALLOWED, f"{path} takes {allowed}, not {method}", {"Allow": allowed}
        )
    return route
