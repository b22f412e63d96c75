"""The page in headless Chromium: bytes, time to the first answer, time of a pair; beside onnxruntime-web.

python -m benchmarks.page_in_browser FOLDER [--quick]

FOLDER is where onnxruntime-web lies: `npm install onnxruntime-web`, then node_modules/onnxruntime-web. It is
only measured; nothing of pairedge uses it. Both run the model that ships, in turns, each start in a fresh
browser context without a cache. Both are asked for the same pairs.
"""

from __future__ import annotations

import base64
import json
import shutil
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

import pairedge
from benchmarks.options import HELP, quick_option
from benchmarks.records import ROOT, PageRecord, PageRow, keep
from pairedge.bench import machine
from pairedge.image.tile import pool
from pairedge_train.randomness import seeded
from pairedge_train.rendering.glyphs import printed_digits
from tools.browser import chromium, served

PAGE = ROOT / "artifacts" / "aux_ws" / "web"
PAIRS = 64
_POLICY_FREE = "<!doctype html><meta charset=utf-8><script type=module src={name}></script>"

# Each says when its first answer is there, and keeps a function that answers pairs, uint8 (N, 392).
_PAGE = """
import { loadEngine } from "./engine.js";
const engine = await loadEngine();
window.engine = engine;
window.answer = async (pairs) => {
    const answers = [];
    for (let start = 0; start < pairs.length; start += 392) {
        engine.tile(0).set(pairs.subarray(start, start + 196));
        engine.tile(1).set(pairs.subarray(start + 196, start + 392));
        answers.push(engine.compare().leq);
    }
    return answers;
};
await window.answer(new Uint8Array(392));
window.first = performance.now();
"""
_YARDSTICK = """
import * as ort from "./ort.wasm.min.mjs";
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create("./pair.onnx");
window.answer = async (pairs) => {
    const answers = [];
    for (let start = 0; start < pairs.length; start += 392) {
        const images = new ort.Tensor("uint8", pairs.slice(start, start + 392), [1, 2, 14, 14]);
        answers.push((await session.run({ images })).leq.data[0]);
    }
    return answers;
};
await window.answer(new Uint8Array(392));
window.first = performance.now();
"""
_TIME = """async ([pairs, turns]) => {
    const bytes = Uint8Array.from(atob(pairs), (letter) => letter.charCodeAt(0));
    const times = [];
    let answers = await window.answer(bytes);
    for (let turn = 0; turn < turns; turn++) {
        const start = performance.now();
        answers = await window.answer(bytes);
        times.push(1000 * (performance.now() - start) / answers.length);
    }
    return [answers, times];
}"""
_READ = """([pixels, width, height, turns]) => {
    const data = Uint8Array.from(atob(pixels), (letter) => letter.charCodeAt(0));
    const times = [];
    for (let turn = 0; turn < turns; turn++) {
        const start = performance.now();
        window.engine.read(0, { data, width, height });
        times.push(performance.now() - start);
    }
    return times;
}"""


@dataclass
class Engine:
    """What is measured of one engine.

    Attributes:
        name: with its version.
        page: the name of its HTML file.
        script: what that runs.
        files: that the first answer needs.
    """

    name: str
    page: str
    script: str
    files: list[Path]
    first: list[float]
    times: list[float]
    difference: float = 0.0

    def row(self) -> PageRow:
        """The figures."""
        return PageRow(
            engine=self.name,
            bytes=sum(path.stat().st_size for path in self.files),
            first_answer_milliseconds=self.first,
            pair_microseconds=self.times,
            largest_difference=self.difference,
        )


def engines(yardstick: Path) -> list[Engine]:
    """The page's engine, and onnxruntime-web from the folder of its package."""
    version = json.loads((yardstick / "package.json").read_text())["version"]
    own = [PAGE / name for name in ("engine.js", "pairedge.wasm")]
    names = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
    other = [yardstick / "dist" / name for name in names]
    return [
        Engine("the page", "own.html", _PAGE, own, [], []),
        Engine(
            f"onnxruntime-web {version}",
            "other.html",
            _YARDSTICK,
            [*other, PAGE.parent / "pair.onnx"],
            [],
            [],
        ),
    ]


def some_pairs() -> NDArray[np.uint8]:
    """Pairs of tiles of printed digits, uint8 (PAIRS, 2, 14, 14)."""
    digits, _ = printed_digits(2 * PAIRS, seeded("page in browser"))
    return pool(digits).reshape(PAIRS, 2, 14, 14)


def a_photo() -> NDArray[np.uint8]:
    """Pixels of a photo in uneven light, uint8 (400, 300, 4)."""
    y, x = np.mgrid[:400, :300]
    light = 200 - 0.2 * x - 0.15 * y + seeded("a photo").normal(0, 3, (400, 300))
    ring = np.abs(np.hypot((x - 150) / 60, (y - 200) / 90) - 1) < 0.12
    levels = np.full((400, 300, 4), 255, np.uint8)
    levels[..., :3] = np.where(ring, light * 0.35, light).clip(0, 255)[..., None]
    return levels


@click.command(context_settings=HELP)
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@quick_option
def main(folder: Path, quick: bool) -> None:
    """Measure the page and onnxruntime-web in FOLDER; store the results of a full run."""
    starts, turns = (1, 3) if quick else (15, 50)
    pairs, photo = some_pairs(), a_photo()
    sent = base64.b64encode(pairs.tobytes()).decode()
    expected = pairedge.load().predict_batch(pairs).probability
    measured = engines(folder)
    reading: list[float] = []
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        for engine in measured:
            script = engine.page.replace("html", "js")
            (Path(name) / engine.page).write_text(_POLICY_FREE.format(name=script))
            (Path(name) / script).write_text(engine.script)
            for path in engine.files:
                shutil.copy(path, name)
        with served(Path(name)) as address:
            for start in range(starts):
                for engine in measured:
                    context = browser.new_context()
                    page = context.new_page()
                    page.goto(address + engine.page)
                    page.wait_for_function("window.first")
                    engine.first.append(page.evaluate("window.first"))
                    answers, times = page.evaluate(_TIME, [sent, turns])
                    engine.difference = max(engine.difference, float(np.abs(answers - expected).max()))
                    engine.times.append(statistics.median(times))
                    if engine is measured[0]:
                        pixels: list[Any] = [base64.b64encode(photo.tobytes()).decode(), 300, 400]
                        reading.append(statistics.median(page.evaluate(_READ, [*pixels, max(3, turns // 5)])))
                    context.close()
                    click.echo(f"{start} {engine.name}: {engine.first[-1]:.0f} ms, {engine.times[-1]:.0f} us")
        record = PageRecord(
            machine=machine(),
            browser=f"Chromium {browser.version}",
            weights_sha256=pairedge.load().metadata["weights_sha256"],
            page_bytes=sum(path.stat().st_size for path in PAGE.iterdir()),
            reading_milliseconds=reading,
            engines=[engine.row() for engine in measured],
        )
    if not quick:
        keep("page_in_browser", record)


if __name__ == "__main__":
    main()
