"""pairedge's server beside KServe's, MLServer's and a bare FastAPI: requests per second, latency and memory.

Each serves the same graph with the same options of onnxruntime, in one process, and is asked in turn by the
client of `pairedge bench --server`; the others run in environments of their own.

python -m benchmarks.servers [--environments FOLDER]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from benchmarks.environments import environment
from benchmarks.options import HELP, quick_option
from benchmarks.records import ROOT, ServerLoadRow, ServerRow, ServersRecord, keep
from benchmarks.server_process import SERVE, started
from pairedge.bench import machine
from pairedge.errors import PairedgeError
from pairedge.server_load import Load, measure
from pairedge.shipped import shipped_graph

PASSES = 5
SECONDS = 18.0  # of each pass and server
RIVALS = Path(__file__).parent / "rivals"


@dataclass(frozen=True)
class Contender:
    """A server to measure.

    Attributes:
        name: of the row.
        package: whose version is kept.
        packages: what its environment needs; none for this one.
        program: in `rivals`, and its last arguments; None for `pairedge serve`.
    """

    name: str
    package: str
    packages: tuple[str, ...] = ()
    program: tuple[str, ...] | None = None

    def command(self, python: Path, port: int) -> list[str]:
        """What starts it."""
        if self.program is None:
            return [*SERVE, "--port", str(port)]
        program, *more = self.program
        return [str(python), str(RIVALS / program), shipped_graph("pair"), str(port), *more]


CONTENDERS = (
    Contender("pairedge", "pairedge"),
    Contender("KServe", "kserve", ("kserve==0.21.*", "onnxruntime"), ("kserve_server.py",)),
    Contender("MLServer", "mlserver", ("mlserver==1.7.*", "onnxruntime"), ("mlserver_server.py",)),
    Contender(
        "MLServer, batching", "mlserver", ("mlserver==1.7.*", "onnxruntime"), ("mlserver_server.py", "64")
    ),
    Contender("FastAPI, no checks", "fastapi", ("kserve==0.21.*", "onnxruntime"), ("fastapi_server.py",)),
)


def version(contender: Contender, python: Path) -> str:
    """The version of a contender's package."""
    code = f"import importlib.metadata as m; print(m.version({contender.package!r}))"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def peak_bytes(process: int) -> int:
    """The most memory that a process held at a time; Linux only."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return 1024 * int(line.split()[1])
    raise PairedgeError(f"process {process} has no peak of memory")


def row(contender: Contender, version: str, passes: list[list[Load]], peaks: list[int]) -> ServerRow:
    """What one server did in all passes."""
    loads = []
    for alike in zip(*passes, strict=True):
        failures: Counter[str] = Counter()
        for load in alike:
            failures.update(load.failures)
        rates = [load.requests_per_second for load in alike]
        loads.append(
            ServerLoadRow(
                encoding=alike[0].encoding,
                connections=alike[0].connections,
                requests_per_second=rates,
                median_requests_per_second=statistics.median(rates),
                median_p50_microseconds=statistics.median(load.latency_microseconds["p50"] for load in alike),
                median_p99_microseconds=statistics.median(load.latency_microseconds["p99"] for load in alike),
                answers=sum(int(load.latency_microseconds["n"]) for load in alike),
                failures=dict(failures),
                wrong=sum(load.wrong for load in alike),
            )
        )
    return ServerRow(server=contender.name, version=version, peak_bytes=max(peaks), loads=loads)


@click.command(context_settings=HELP)
@click.option(
    "--environments",
    type=click.Path(path_type=Path),
    default=ROOT / ".venv-servers",
    show_default=".venv-servers",
    help="Folder of the environments, which later runs use again.",
)
@quick_option
def main(environments: Path, quick: bool) -> None:
    """Measure each server in turn, several times, and keep all figures."""
    pythons = {
        each.name: environment(environments / each.packages[0].partition("=")[0], *each.packages)
        if each.packages
        else Path(sys.executable)
        for each in CONTENDERS
    }
    passes: dict[str, list[list[Load]]] = {each.name: [] for each in CONTENDERS}
    peaks: dict[str, list[int]] = {each.name: [] for each in CONTENDERS}
    for _ in range(1 if quick else PASSES):
        for each in CONTENDERS:
            with started(partial(each.command, pythons[each.name]), RIVALS) as server:
                url = f"http://127.0.0.1:{server.port}"
                passes[each.name].append(list(measure(url, 1 if quick else SECONDS)))
                peaks[each.name].append(peak_bytes(server.process.pid))
            rates = [f"{load.requests_per_second:,.0f}" for load in passes[each.name][-1]]
            click.echo(f"{each.name}: {', '.join(rates)} requests/s; {peaks[each.name][-1] / 1e6:.0f} MB")
    if not quick:
        rows = [
            row(each, version(each, pythons[each.name]), passes[each.name], peaks[each.name])
            for each in CONTENDERS
        ]
        keep("servers", ServersRecord(machine=machine(), passes=PASSES, seconds=SECONDS, servers=rows))


if __name__ == "__main__":
    main()
