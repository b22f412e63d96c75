"""Draws how a server answered under load."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PIL import Image

from pairedge.drawing.canvas import ALARM, BLUE, MARGIN, PALE, QUIET, blank, fitting, write

if TYPE_CHECKING:
    from pairedge.server_load import Load


def draw_loads(loads: Sequence[Load], server: str) -> Image.Image:
    """Draw how a server answered under load: requests per second as bars, and latency from p50 to p99."""
    line, start, wide, gap = 40, MARGIN + 230, 330, 110
    latencies = start + wide + gap
    sheet, pen = blank(latencies + wide + gap + 80, 2 * MARGIN + 90 + line * len(loads))
    write(pen, (MARGIN, MARGIN), fitting(server, 26, sheet.width - 2 * MARGIN), 26)
    top = MARGIN + 60
    write(pen, (start, top), "requests per second", 17, QUIET)
    write(pen, (latencies, top), "latency, milliseconds: p50 to p99", 17, QUIET)
    fastest = max((load.requests_per_second for load in loads), default=0) or 1
    slowest = max((load.latency_microseconds.get("p99", 0) for load in loads), default=0) or 1
    for row, load in enumerate(loads):
        middle = top + 50 + row * line
        count = f"{load.connections} connection{'' if load.connections == 1 else 's'}"
        write(pen, (MARGIN, middle), f"{load.encoding}, {count}", 17, anchor="lm")
        end = start + round(load.requests_per_second / fastest * wide)
        pen.rectangle((start, middle - 9, end, middle + 9), ALARM if load.failures or load.wrong else BLUE)
        write(pen, (end + 8, middle), f"{load.requests_per_second:,.0f}", 17, anchor="lm")
        if load.latency_microseconds:
            times = [load.latency_microseconds[name] for name in ("p50", "p99")]
            left, right = (latencies + round(value / slowest * wide) for value in times)
            pen.line((left, middle, right, middle), PALE, 6)
            pen.ellipse((left - 6, middle - 6, left + 6, middle + 6), BLUE)
            text = " to ".join(f"{value / 1000:.1f}" for value in times)
            write(pen, (right + 12, middle), text, 17, anchor="lm")
    return sheet
