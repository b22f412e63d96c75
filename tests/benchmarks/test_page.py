"""benchmarks/README.md is the page of the kept records, and its sentences follow from them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from benchmarks import page, portable_page
from benchmarks.records import RESULTS, CRecord, EdgeRecord, EngineRow, Percentiles, PrecisionRow, read_record


def test_the_page_is_that_of_the_kept_records() -> None:
    assert page.PAGE.read_text() == page.page()


def microseconds(p50: float) -> Percentiles:
    return Percentiles(p50=p50, p95=p50, p99=p50, n=1)


def engine(name: str, one: float, batch: float | None) -> EngineRow:
    return EngineRow(engine=name, one_pair_microseconds=microseconds(one), batch_microseconds_per_pair=batch)


def test_the_best_engine_is_named_with_its_lead() -> None:
    engines = [engine("A", 20, 5), engine("B", 30, 4), engine("C", 25, None)]
    assert page.verdict(engines, 1024) == (
        "On this CPU, for one pair A is the fastest, 1.25 times as fast as C and for 1,024 pairs B is the "
        "fastest, 1.25 times as fast as A."
    )
    assert page.verdict(engines[:1], 1024) == ""


def test_reduced_precision_pays_only_where_it_is_faster_and_accepted() -> None:
    def row(name: str, one: float, accepted: bool) -> PrecisionRow:
        return PrecisionRow(
            precision=name,
            bytes={"pair": 1000},
            one_pair_microseconds=microseconds(one),
            batch_microseconds_per_pair=1,
            changes=[],
            accepted=accepted,
        )

    slow = page.advice([row("fp32", 10, True), row("fp16", 20, True), row("int8", 5, False)])
    assert slow == (
        "fp16 takes 2.00 times as long for one pair at 1.00 of the size, and meets the acceptance criterion; "
        "int8 takes 0.50 times as long for one pair at 1.00 of the size, and fails the acceptance criterion: "
        "for one pair neither pays, except in size."
    )
    fast = page.advice([row("fp32", 10, True), row("int8", 5, True)])
    assert fast.endswith(": int8 may pay on this CPU.")


def test_a_record_of_another_schema_is_refused_by_its_field(tmp_path: Path) -> None:
    record = json.loads((RESULTS / "edge.json").read_text())
    record["targets"][0]["measured"] = "1.25"
    path = tmp_path / "edge.json"
    path.write_text(json.dumps(record))
    with pytest.raises(ValidationError, match=r"(?s)targets\.0\.measured.*valid number"):
        read_record(path, EdgeRecord)


def test_the_slower_and_larger_build_decides_whether_c_meets_its_targets() -> None:
    record = read_record(RESULTS / "plain_c.json", CRecord)
    measured = {"decisions": 10, "agreeing": 10, "largest_difference": 0.0}

    def row(name: str, one: float, batch: float) -> EngineRow:
        return EngineRow(
            engine=name,
            one_pair_microseconds=microseconds(one),
            batch_microseconds_per_pair=batch,
            **measured,  # type: ignore[arg-type]  # a dictionary of all fields has one type
        )

    slow = replace(
        record,
        engines=[row("onnxruntime", 20, 10), row("C, gcc", 10, 5), row("C, clang", 30, 14)],
        object_bytes={"gcc": 150_000, "clang": 250_000},
    )
    targets = [line for line in portable_page.plain_c(slow) if "| <= " in line]
    assert [line.split(" | ")[2:] for line in targets] == [
        ["1.50 x", "**missed** |"],
        ["1.40 x", "met |"],
        [f"{record.starts[0].p50:.2f} ms", "met |"],
        ["250.00 kB", "**missed** |"],
    ]
