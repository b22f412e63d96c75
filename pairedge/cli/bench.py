"""`pairedge bench [FILE]`: benchmarks a model on this machine, or several in one table with --compare."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from pairedge.cli.shared import report_error, save, shown
from pairedge.errors import GraphError

if TYPE_CHECKING:
    from pairedge.server_load import Load


@click.command("bench")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--compare", "comparing", is_flag=True, help="Compare all FILEs in one table.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=10,
    show_default=True,
    help="Total time spent on latency and throughput.",
)
@click.option("--server", "url", metavar="URL", help="Measure a running server, http://HOST:PORT, instead.")
@click.option("--show", metavar="FILE", help="With --server: draw latency and throughput in FILE.")
def command(
    files: tuple[str, ...],
    comparing: bool,
    as_json: bool,
    seconds: float,
    url: str | None,
    show: str | None,
) -> None:
    """Measure start-up, latency, throughput and size of the pair graph in FILE on this machine.

    Without FILE, measures the shipped model. The latency of `predict` on two tiles is printed with three
    baselines: the bare onnxruntime call, a graph that computes nothing and, where torch is installed, the
    same network in torch on one thread. Calls are interleaved; compare numbers within one run only.

    With --compare, exit code 1 if a graph cannot be used; the others are still compared.

    With --server, asks a server of the Open Inference Protocol, such as `pairedge serve`, over 1, 16 and 64
    connections. Exit code 1 if an answer failed, or differs from the one to the same pair alone.
    """
    if url is not None:
        if files or comparing:
            raise click.UsageError("--server takes no FILE and no --compare")
        _measure_server(url, as_json, seconds, show)
        return
    if show is not None:
        raise click.UsageError("--show needs --server")
    if comparing and not files:
        raise click.UsageError("--compare needs at least one FILE")
    if len(files) > 1 and not comparing:
        raise click.UsageError("to measure several graphs, use --compare")
    from pairedge.shipped import shipped_graph

    if comparing:
        _compare(files, as_json, seconds)
    else:
        _measure(files[0] if files else shipped_graph("pair"), as_json, seconds)


def _measure(path: str, as_json: bool, seconds: float) -> None:
    from pairedge.bench import benchmark

    try:
        result = benchmark(path, seconds)
    except GraphError as error:
        raise click.ClickException(str(error)) from error
    click.echo(json.dumps(result) if as_json else "\n".join(page(result)))


def _measure_server(url: str, as_json: bool, seconds: float, show: str | None) -> None:
    from pairedge.server_load import ServerError, measure

    try:
        loads = list(measure(url, seconds))
    except ServerError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps({"server": url, "loads": [load.to_dict() for load in loads]}))
    else:
        click.echo("\n".join(load_table(loads)))
    if show is not None:
        from pairedge.drawing import draw_loads

        save(draw_loads(loads, url), show)
    if any(load.failures or load.wrong for load in loads):
        raise SystemExit(1)


def _compare(paths: tuple[str, ...], as_json: bool, seconds: float) -> None:
    from pairedge.bench import compare, machine
    from pairedge.model import load

    models = {}
    for path in paths:
        try:
            models[path] = load(path, digits=False)
        except GraphError as error:
            report_error(error)
    rows = compare(models, seconds) if models else []
    click.echo(json.dumps({"machine": machine(), "graphs": rows}) if as_json else "\n".join(table(rows)))
    if len(models) < len(set(paths)):
        raise SystemExit(1)


def page(result: dict[str, Any]) -> Iterator[str]:
    """The lines of one graph's report."""
    machine, graph, start = result["machine"], result["graph"], result["start"]
    packages = ("python", "onnxruntime", "numpy", "pillow", "pairedge")
    yield ", ".join(f"{name} {machine[name]}" for name in packages)
    yield f"{machine['cpu']}, cores: {machine['cores']}"
    yield f"{shown(graph['file'])}: {graph['bytes']:,} bytes, accuracy {accuracy(graph)}"
    yield (
        f"pairedge installed: {result['installed_bytes']:,} bytes with the shipped model, "
        f"{result['installed_bytes_with_dependencies']:,} with its dependencies"
    )
    yield ""
    yield f"fresh process, median of {start['n']}"
    for step, milliseconds in start["milliseconds"].items():
        yield f"  {step.replace('_', ' '):<14} {milliseconds:10.1f} ms"
    if start["peak_bytes"] is not None:
        yield f"  {'peak memory':<14} {start['peak_bytes'] / 1e6:10.1f} MB"
    yield ""
    yield f"{'one pair, us':<16} {'p50':>10} {'p95':>10} {'p99':>10}"
    for name, latency in result["one_pair_microseconds"].items():
        yield f"  {name:<14} {latency['p50']:10.1f} {latency['p95']:10.1f} {latency['p99']:10.1f}"
    for name, ratio in result["ratios"].items():
        yield f"  {name} / session.run = {ratio:.2f}"
    for name, ratios in result["speedups"].items():
        speedups = ", ".join(f"{ratio:.1f}x on {batch}" for batch, ratio in ratios.items())
        yield f"  speedup over {name}: {speedups}"
    yield ""
    rates = {
        (rate["batch"], rate["threads"]): rate["pairs_per_second"] for rate in result["pairs_per_second"]
    }
    threads = sorted({count for _, count in rates})
    yield f"{'pairs per second':<16} " + " ".join(f"{f'threads {count}':>10}" for count in threads)
    for batch in sorted({size for size, _ in rates}):
        row = " ".join(f"{rates[batch, count]:10,.0f}" for count in threads)
        yield f"  {f'batch {batch}':<14} {row}"


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The lines of a table: its header, then one line per graph."""
    width = max([len(shown(row["file"])) for row in rows], default=0)
    yield f"{'file':<{width}} {'bytes':>10} {'one pair us':>12} {'1,024: us each':>15} {'accuracy':>10}"
    for row in rows:
        yield (
            f"{shown(row['file']):<{width}} {row['bytes']:10,} {row['one_pair_microseconds']:12.1f}"
            f" {row['batch_microseconds_per_pair']:15.2f} {accuracy(row):>10}"
        )


def load_table(loads: list[Load]) -> Iterator[str]:
    """The lines of a table: its header, then one line per load."""
    names = ("p50", "p95", "p99")
    latencies = " ".join(f"{f'{name} ms':>9}" for name in names)
    yield f"{'encoding':<9} {'connections':>11} {'requests/s':>11} {latencies} {'failed':>7} {'wrong':>6}"
    for load in loads:
        latency = load.latency_microseconds
        times = " ".join(f"{latency[name] / 1000:9.2f}" if latency else f"{'-':>9}" for name in names)
        yield (
            f"{load.encoding:<9} {load.connections:11} {load.requests_per_second:11,.0f} {times}"
            f" {sum(load.failures.values()):7} {load.wrong:6}"
        )


def accuracy(graph: dict[str, Any]) -> str:
    """The accuracy in the graph's metadata, in percent."""
    return "unknown" if graph["accuracy"] is None else f"{graph['accuracy']['value']:.3%}"
