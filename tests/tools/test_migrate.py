"""The migration to schema 2 touched no number: the way back gives the bytes of schema 1."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tools.migrate import FIELDS, digests, migrate_rows

ARTIFACTS = Path(__file__).parents[2] / "artifacts"
# How many rows each file had in schema 1, and its SHA-256 then. Rows that came later stand behind them. The
# rounds of report 0 were trained again when their bundles became part of what names a row.
ROWS = {
    "best/best.jsonl": (75, "f16848fc30de77387123430b2e49604b7cdda5efa6a6c7cc9471261640c68f7f"),
    "best/forerunner.jsonl": (22, "42f9f986a74c1a03a4836a055bdc20e4b73cca1925ffe9bdf82784739228121c"),
    "best/search.jsonl": (69, "0b0136d6a275d2dd176fa3ba650d71639d17efc97e14f6523c4f3eea650c36fb"),
    "reports/report1.jsonl": (545, "07745939230b87d5c06d2635f8c29e66031490c95aa963d2a42fbbdc32b4ce03"),
    "reports/report2.jsonl": (170, "1ecc3602d1690d59edfbaed008145ef01fd64bea77fc0ac43b684e1f083269e4"),
    "reports/report3.jsonl": (168, "1b1050cdf3d5d8dc9ae13206a80fc17476588cb26328cf6917bd52e80c7d5b22"),
    "reports/report4.jsonl": (80, "15b2a9c5f126591770df1cb16058a602e39ec21cec593ee062f70b055aa8e97f"),
}


@pytest.fixture(scope="module")
def former_digests() -> dict[str, str]:
    return {now: then for then, now in digests().items()}


@pytest.mark.parametrize("name", ROWS)
def test_migrating_rows_back_gives_the_bytes_of_schema_1(name: str, former_digests: dict[str, str]) -> None:
    count, expected = ROWS[name]
    lines = (ARTIFACTS / name).read_bytes().splitlines(keepends=True)[:count]
    former_fields = {now: then for then, now in FIELDS.items()}
    former = migrate_rows(b"".join(lines), former_digests, former_fields)
    assert hashlib.sha256(former).hexdigest() == expected
