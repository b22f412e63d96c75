"""benchmarks/README.md is what its figures come to, and its sentences follow from them."""

from __future__ import annotations

from typing import Any

import page


def test_the_page_is_what_the_kept_figures_come_to() -> None:
    assert page.PAGE.read_text() == page.page()


def engine(name: str, one: float, batch: float | None) -> dict[str, Any]:
    return {"engine": name, "one_pair_microseconds": {"p50": one}, "batch_microseconds_per_pair": batch}


def test_the_best_engine_is_named_with_its_lead() -> None:
    found = [engine("A", 20, 5), engine("B", 30, 4), engine("C", 25, None)]
    assert page.verdict(found, 1024) == (
        "On this CPU, for one pair A is the fastest, 1.25 times as fast as C and for 1,024 pairs B is the "
        "fastest, 1.25 times as fast as A."
    )
    assert page.verdict(found[:1], 1024) == ""


def test_fewer_bits_pay_only_where_they_are_faster_and_keep_their_promise() -> None:
    def bits(name: str, one: float, kept: bool) -> dict[str, Any]:
        return {
            "precision": name,
            "bytes": {"pair": 1000},
            "one_pair_microseconds": {"p50": one},
            "promise_kept": kept,
        }

    slow = page.advice(
        {"precisions": [bits("fp32", 10, True), bits("fp16", 20, True), bits("int8", 5, False)]}
    )
    assert slow == (
        "fp16 takes 2.00 times as long for one pair, 1.00 of the size, and keeps its promise; "
        "int8 takes 0.50 times as long for one pair, 1.00 of the size, and breaks its promise: "
        "for one pair neither pays but in bytes."
    )
    fast = page.advice({"precisions": [bits("fp32", 10, True), bits("int8", 5, True)]})
    assert fast.endswith(": int8 may pay on this CPU.")
