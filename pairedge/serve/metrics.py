"""What `/metrics` tells Prometheus, by its own client library."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from pairedge.serve.messages import Answer

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """The counters of one server. Labels take few values: routes of the table, statuses, models."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no types
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self.requests = Counter(
            "pairedge_requests", "Requests by route and status.", ["route", "status"], registry=registry
        )
        self.seconds = Histogram(
            "pairedge_request_seconds",
            "Time from head to answer.",
            ["route"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.pictures = Counter(
            "pairedge_pictures", "Pictures that were refused, or read.", ["status"], registry=registry
        )
        self.rows = Histogram(
            "pairedge_batch_rows", "Rows of each run.", ["graph"], buckets=_ROWS, registry=registry
        )
        self.connections = Gauge("pairedge_connections", "Open connections.", registry=registry)
        self.dropped = Counter(
            "pairedge_dropped_connections",
            "Connections that were cut, by reason.",
            ["reason"],
            registry=registry,
        )
        self.held_bytes = Gauge("pairedge_held_bytes", "Bytes of bodies in memory.", registry=registry)
        self.log_lines_lost = Counter(
            "pairedge_log_lines_lost", "Log lines that could not be written.", registry=registry
        )
        self.reloads = Counter(
            "pairedge_reloads", "Times that the model was read again.", ["outcome"], registry=registry
        )

    def answer(self) -> Answer:
        """All metrics in Prometheus's text format."""
        return Answer(generate_latest(self.registry), CONTENT_TYPE_LATEST)
