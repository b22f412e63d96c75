"""What the benchmarks write to results/ and read back: one typed record per program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass
from pydantic_core import to_jsonable_python

from pairedge.bench import percentiles
from pairedge_train.files import write_atomically

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"

_STRICT = ConfigDict(strict=True, extra="forbid")
Machine = dict[str, str | int]  # as `pairedge.bench.machine` gives it
Record = TypeVar("Record")


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Percentiles:
    """Microseconds of `n` calls."""

    p50: float
    p95: float
    p99: float
    n: int


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class TargetRow:
    """One target of edge.py and whether it is met.

    Attributes:
        name: how the command line calls it.
        quantity: what is measured.
        baseline: what it is compared with.
        bound: the target: at most this, or at least this where `higher_is_better`; in `unit`.
        unit: "x" for a ratio to the baseline, "MB" for a difference from it.
        higher_is_better: whether the bound is a lower one.
        met: whether the bound is met.
        measured: the figure compared with the bound.
        floor: the least that `measured` could be, where that is known.
        raw: what the figure was computed from.
    """

    name: str
    quantity: str
    baseline: str
    bound: float
    unit: Literal["x", "MB"]
    higher_is_better: bool
    met: bool
    measured: float
    floor: float | None = None
    raw: dict[str, Any]


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class EdgeRecord:
    """results/edge.json: the model, how long it was measured, and every target."""

    machine: Machine
    model: dict[str, str]
    effort: dict[str, int | float]
    targets: list[TargetRow]


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class EngineRow:
    """One inference engine on one thread.

    Attributes:
        engine: name and version.
        decisions: how many decisions were compared with onnxruntime's; 0 for none.
        agreeing: how many of them are the same.
        largest_difference: between the probabilities.
        one_pair_microseconds: latency of one pair.
        batch_microseconds_per_pair: median time of a batch over its pairs; None where there are no batches.
    """

    engine: str
    decisions: int = 0
    agreeing: int | None = None
    largest_difference: float | None = None
    one_pair_microseconds: Percentiles
    batch_microseconds_per_pair: float | None = None


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class EnginesRecord:
    """results/engines.json: one graph in several engines."""

    machine: Machine
    weights_sha256: str
    batch: int
    threads: int
    engines: list[EngineRow]


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class StartRow:
    """Milliseconds from the start of a program to its end, of `n` runs."""

    program: str
    p50: float
    least: float
    n: int


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Int8CRow:
    """The same model in int8: its graphs in onnxruntime, and its C.

    Attributes:
        engines: onnxruntime first, which the others are compared with.
        object_bytes: code and constants, by build.
        cortex_m: bytes of flash, static memory and stack; None where no compiler for it was installed.
    """

    engines: list[EngineRow]
    object_bytes: dict[str, int]
    cortex_m: dict[str, int] | None = None


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class CRecord:
    """results/plain_c.json: a model in C beside onnxruntime.

    Attributes:
        machine: where it was measured.
        weights_sha256: of the model.
        batch: pairs of a batch.
        flags: of the compilers.
        engines: onnxruntime first.
        object_bytes: code and constants, by build.
        starts: of a program that gives one answer, and of one that does nothing.
        cortex_m: bytes of flash, static memory and stack; None where no compiler for it was installed.
        int8: the same in int8.
    """

    machine: Machine
    weights_sha256: str
    batch: int
    flags: str
    engines: list[EngineRow]
    object_bytes: dict[str, int]
    starts: list[StartRow]
    cortex_m: dict[str, int] | None = None
    int8: Int8CRow | None = None


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class DecisionRow:
    """The decisions of one graph in reduced precision: shares that agree with fp32's and that are correct."""

    graph: str
    decision: str
    n: int
    agreement: float
    accuracy: float
    fp32_accuracy: float


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class PrecisionRow:
    """A model in one precision.

    Attributes:
        precision: "fp32", "fp16" or "int8".
        bytes: size of each graph, by kind.
        one_pair_microseconds: latency of one pair.
        batch_microseconds_per_pair: median time of a batch over its pairs.
        changes: how its decisions differ from fp32's.
        accepted: whether all of them meet the acceptance criterion.
    """

    precision: str
    bytes: dict[str, int]
    one_pair_microseconds: Percentiles
    batch_microseconds_per_pair: float
    changes: list[DecisionRow]
    accepted: bool


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class AcceptanceCriterion:
    """What a precision must reach to be accepted: shares of all decisions."""

    min_agreement: float
    max_accuracy_loss: float


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class PrecisionRecord:
    """results/precision.json: a model in each precision, fp32 first."""

    machine: Machine
    weights_sha256: str
    criterion: AcceptanceCriterion
    batch: int
    precisions: list[PrecisionRow]


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class GraphAgreement:
    """A graph that ran: the largest difference, relative where values exceed 1, and decisions that differ."""

    largest_difference: float
    decisions_differ: int
    decisions: int


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class GraphFailure:
    """A graph that could not be loaded or run, with the error's first line."""

    error: str


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class CompatRow:
    """Every graph in one engine, whose environment has these versions."""

    engine: str
    onnxruntime: str | None = None
    numpy: str | None = None
    python: str | None = None
    graphs: dict[str, GraphAgreement | GraphFailure]


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class CompatRecord:
    """results/compat.json: every graph in old and new engines."""

    machine: Machine
    tolerance: float
    batches: list[int]
    engines: list[CompatRow]


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class ParetoPoint:
    """Latency and accuracy of a variant, or of the model that ships.

    Attributes:
        variant: its name, or the row's for an ensemble.
        members: variants of the ensemble; None for the model that ships.
        study: where the accuracy comes from; for the model that ships, what it was tested on.
        row: of the study, chosen as `benchmarks.pareto` says; None for the model that ships.
        pairs: how many pairs it was trained on, "all" for every training tile once.
        accuracy: share of correct comparisons, mean over the rounds.
        sd: standard deviation over the rounds; None for the model that ships.
        n: rounds; for the model that ships, test pairs.
        bytes: size of its pair graph.
        one_pair_microseconds: latency.
        pareto_optimal: whether no faster point is as accurate.
    """

    variant: str
    members: list[str] | None = None
    study: str
    row: str | None = None
    pairs: int | Literal["all"]
    accuracy: float
    sd: float | None = None
    n: int
    bytes: int
    one_pair_microseconds: Percentiles
    pareto_optimal: bool


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class ParetoRecord:
    """results/pareto.json: all points, fastest first."""

    machine: Machine
    points: list[ParetoPoint]


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class RoundsRecord:
    """results/rounds_per_hour.json: training rounds per hour, by "pairedge" and by the PyTorch "baseline".

    Attributes:
        machine: where.
        runs: pairs of runs, in turn.
        rounds_per_run: rounds that each side trains in one run.
        epochs: of each round.
        workers: processes of pairedge.
        torch: its version.
        load_average_before: of the machine. Above 0.1 or so the figures are not to be trusted: the baseline's
            threads wait for each other.
        median_rounds_per_hour: of each side.
        median_ratio: pairedge over baseline.
        ratios: of each pair of runs.
        rounds_per_hour: of each side and run.
        wall_seconds: of each side and run, with imports, data and evaluation.
        mean_test_accuracy: of each side.
        paired_t_test_p: of the test accuracies, paired by seed.
        test_accuracy: of each side and round, by seed.
    """

    machine: Machine
    runs: int
    rounds_per_run: int
    epochs: int
    workers: int
    torch: str
    load_average_before: float
    median_rounds_per_hour: dict[str, float]
    median_ratio: float
    ratios: list[float]
    rounds_per_hour: dict[str, list[float]]
    wall_seconds: dict[str, list[float]]
    mean_test_accuracy: dict[str, float]
    paired_t_test_p: float
    test_accuracy: dict[str, list[float]]


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class ReadingRow:
    """How far the reading in C agrees with that in Python on one set of pictures.

    Attributes:
        name: the condition, or the set.
        pictures: how many.
        refused: how many Python refuses.
        same_status: how many both read, or both refuse for the same reason.
        same_tile: how many both read as the very same tile.
        levels: of the tiles that both read: 196 each.
        levels_within_one: how many of them differ by one gray level at most.
        python_milliseconds: mean time of the processor for a picture.
        c_milliseconds: likewise, with the start of the process that reads them all.
    """

    name: str
    pictures: int
    refused: int
    same_status: int
    same_tile: int
    levels: int
    levels_within_one: int
    python_milliseconds: float
    c_milliseconds: float


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class ReadingRecord:
    """results/reading_in_c.json: every set of pictures."""

    machine: Machine
    sets: list[ReadingRow]


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class ServerLoadRow:
    """A server under one load, in several passes.

    Attributes:
        encoding: of requests and answers: "binary" tensors or "JSON".
        connections: that asked at the same time.
        requests_per_second: of each pass.
        median_requests_per_second: of the passes.
        median_p50_microseconds: median over the passes of the median latency.
        median_p99_microseconds: median over the passes of the 99th percentile of the latency.
        answers: in all passes.
        failures: answers other than 200, by status, and lost connections.
        wrong: answers that differ from the one to the same pair alone.
    """

    encoding: str
    connections: int
    requests_per_second: list[float]
    median_requests_per_second: float
    median_p50_microseconds: float
    median_p99_microseconds: float
    answers: int
    failures: dict[str, int]
    wrong: int


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class ServerRow:
    """One server: its version, the most memory it held in any pass, and each load."""

    server: str
    version: str
    peak_bytes: int
    loads: list[ServerLoadRow]


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class ServersRecord:
    """results/servers.json: pairedge's server, first, and others, asked in turn.

    Attributes:
        machine: where.
        passes: how often each was started and asked.
        seconds: of asking, for each pass and server.
        servers: all of them.
    """

    machine: Machine
    passes: int
    seconds: float
    servers: list[ServerRow]


PictureKind = Literal["drawing", "photo"]  # a PNG of 28x28 pixels; a JPEG of 12 megapixels
Way = Literal["1 process", "2 processes", "2 Dask workers"]


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class ThroughputRow:
    """`pairedge classify` on all pictures of a kind, beside as many processes that only read them.

    Attributes:
        kind: of the pictures.
        way: who answers.
        pictures: how many.
        picture_bytes: of all files together.
        row_bytes: of the CSV file with all rows.
        median_ratio: of its CPU time to that of reading, run by run.
        cpu_seconds: of every run, user and system, all processes together.
        reading_cpu_seconds: the same of reading alone.
    """

    kind: PictureKind
    way: Way
    pictures: int
    picture_bytes: int
    row_bytes: int
    median_ratio: float
    cpu_seconds: list[float]
    reading_cpu_seconds: list[float]


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class ThroughputRecord:
    """results/many_pictures.json: many pictures, answered in several ways.

    Attributes:
        machine: where.
        rows: one for each kind of pictures and way.
    """

    machine: Machine
    rows: list[ThroughputRow]


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class ManyRowsSample:
    """The resident memory of a process when it had written so many rows."""

    rows: int
    bytes: int


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class ManyRowsRecord:
    """results/many_rows.json: the memory of one `pairedge classify` as its rows grow."""

    machine: Machine
    rows: int
    seconds: float
    samples: list[ManyRowsSample]

    def growth(self) -> int:
        """Bytes by which the most memory held later exceeds that at the first sample."""
        return max(sample.bytes for sample in self.samples) - self.samples[0].bytes


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class KillsRecord:
    """results/many_kills.json: runs killed at random moments and resumed.

    Attributes:
        machine: where.
        rows: of each run.
        seed: of the moments.
        kills: how many hit a run.
        runs: how many were brought to their end.
        equal: how many of their outputs are equal to the undisturbed one, byte by byte.
        kept: bytes of output that each kill left.
    """

    machine: Machine
    rows: int
    seed: int
    kills: int
    runs: int
    equal: int
    kept: list[int]


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class SoakRecord:
    """results/soak.json: a server under good, bad, huge and slow requests, and clients that leave.

    Attributes:
        machine: where.
        seconds: how long.
        connections: at the same time.
        statuses: by kind of request, how often each status came; "dropped" stands for no answer.
        server_errors: answers of 5xx other than 503.
        wrong: a sentence for each answer that is not the right one.
        second_quarter_bytes: the least that the server held in that quarter of the time.
        last_quarter_bytes: likewise.
        peak_bytes: the most of all seconds.
    """

    machine: Machine
    seconds: float
    connections: int
    statuses: dict[str, dict[str, int]]
    server_errors: int
    wrong: list[str]
    second_quarter_bytes: int
    last_quarter_bytes: int
    peak_bytes: int


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class PageRow:
    """A way to answer in a browser.

    Attributes:
        engine: name and version.
        bytes: of all files that the first answer needs, uncompressed.
        first_answer_milliseconds: from the start of the navigation to the first answer, of each fresh start.
        pair_microseconds: median time of a pair in each of some turns.
        largest_difference: of P(first <= second) from that of onnxruntime on the same tiles.
    """

    engine: str
    bytes: int
    first_answer_milliseconds: list[float]
    pair_microseconds: list[float]
    largest_difference: float


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class PageRecord:
    """results/page_in_browser.json: the page and onnxruntime-web, in turn.

    Attributes:
        machine: where.
        browser: name and version.
        weights_sha256: of the model.
        page_bytes: of all files of the page, pictures included.
        reading_milliseconds: median time to read a photo of 300 x 400 pixels, one entry a turn.
        engines: the page first.
    """

    machine: Machine
    browser: str
    weights_sha256: str
    page_bytes: int
    reading_milliseconds: list[float]
    engines: list[PageRow]


def latency(seconds: list[float]) -> Percentiles:
    """The percentiles of some calls' seconds."""
    microseconds: dict[str, Any] = dict(percentiles(seconds))
    return Percentiles(**microseconds)


def read_record(path: Path, kind: type[Record]) -> Record:
    """A record of results/.

    Raises:
        pydantic.ValidationError: naming each field that is missing, unknown or of another kind.
    """
    return TypeAdapter(kind).validate_json(path.read_bytes())


def keep(name: str, record: object) -> None:
    """Write a record to results/, fields that are None left out."""
    content = json.dumps(to_jsonable_python(record, exclude_none=True), indent=1) + "\n"
    write_atomically(RESULTS / f"{name}.json", content.encode())
