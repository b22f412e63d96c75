"""The results of `benchmarks.servers` and `benchmarks.soak`, in words and tables."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.records import ServerRow, ServersRecord, SoakRecord
from tools.markdown import table


def servers(record: ServersRecord) -> Iterator[str]:
    """Pairedge's server beside others, and how far it leads."""
    loads = [(load.encoding, load.connections) for load in record.servers[0].loads]
    yield "## Servers"
    yield ""
    yield (
        f"{server_verdict(record)} The figures are requests per second, each for one pair: medians of "
        f"{record.passes} passes in turn, {record.seconds:g} seconds each, the client on the same cores, "
        "by `python -m benchmarks.servers`. A missing one is of an encoding that the server does not have."
    )
    yield ""
    yield from table(
        ("server", "version", *(f"{name}, {count}" for name, count in loads), "peak memory"),
        (
            (
                server.server,
                server.version,
                *(f"{rates[load]:,.0f}" if load in rates else "" for load in loads),
                f"{server.peak_bytes / 1e6:.0f} MB",
            )
            for server in record.servers
            for rates in [rates_of(server)]
        ),
    ).splitlines()


def rates_of(server: ServerRow) -> dict[tuple[str, int], float]:
    """Requests per second of a server, by encoding and connections."""
    return {(load.encoding, load.connections): load.median_requests_per_second for load in server.loads}


def server_verdict(record: ServersRecord) -> str:
    """How pairedge's server compares with each other one, in sentences."""
    ours, *others = record.servers
    answers = sum(load.answers for load in ours.loads)
    wrong = sum(load.wrong + sum(load.failures.values()) for load in ours.loads)
    sentences = []
    for other in others:
        rates = rates_of(other)
        ratios = [rate / rates[load] for load, rate in rates_of(ours).items() if load in rates]
        sentences.append(f"{min(ratios):.1f} to {max(ratios):.1f} times as many as {other.server}")
    return (
        f"{ours.server} answers {'; '.join(sentences)}. Of its {answers:,} answers, {wrong:,} failed or were "
        "wrong."
    )


def soak(record: SoakRecord) -> Iterator[str]:
    """Pairedge's server under everything at once."""
    asked = sum(sum(counts.values()) for counts in record.statuses.values())
    yield "## A server under everything at once"
    yield ""
    yield (
        f"{record.connections} connections sent {asked:,} good, bad, huge and slow requests in "
        f"{record.seconds / 60:g} minutes, and left in the middle of some: {len(record.wrong)} wrong answers "
        f"and {record.server_errors} answers of 5xx other than 503. The least memory of the server was "
        f"{record.second_quarter_bytes / 1e6:.1f} MB in the second quarter of the time and "
        f"{record.last_quarter_bytes / 1e6:.1f} MB in the last; the most, with large pictures and bodies at "
        f"work, {record.peak_bytes / 1e6:.0f} MB. By `python -m benchmarks.soak`. Dropped are connections "
        "that ended without an answer: the client left, was too slow, or came back to an idle one too late."
    )
    yield ""
    yield from table(
        ("requests", "sent", "answers by status"),
        (
            (
                kind,
                f"{sum(counts.values()):,}",
                ", ".join(f"{status}: {count:,}" for status, count in counts.items()),
            )
            for kind, counts in record.statuses.items()
        ),
    ).splitlines()
