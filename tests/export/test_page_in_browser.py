"""The page in a headless Chromium reads, answers as Python does, and serves everybody, offline too."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pairedge
from pairedge.image.tile import to_tile
from pairedge_train.data.datasets import DataSet
from tools.browser import READY, chromium, chromium_program, served, write
from tools.page_pictures import pictures

pytest.importorskip("playwright", reason="needs playwright, of the extra dev")
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no types
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "artifacts" / "aux_ws" / "web"
EXAMPLES = ROOT / "examples"
SEVEN = [[(0.32, 0.25), (0.68, 0.24), (0.52, 0.5), (0.44, 0.8)]]
ONE = [[(0.5, 0.2), (0.48, 0.8)]]

pytestmark = pytest.mark.slow

expect.set_options(timeout=20_000)  # milliseconds: other tests run beside these


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        chromium_program()
    except pairedge.PairedgeError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(PAGE) as address:
        yield address


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 820, "height": 980})
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, address: str) -> Iterator[Page]:
    """The page, loaded; nothing may go wrong on it, nor be asked of elsewhere."""
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: wrong.append(request.url) if not local(request.url, address) else None)
    page.goto(address)
    page.wait_for_selector(READY)
    yield page
    page.close()
    assert wrong == []


def local(url: str, address: str) -> bool:
    return url.startswith((address, "blob:", "data:"))


def papers(page: Page) -> tuple[Locator, Locator]:
    canvases = page.locator(".paper canvas")
    return canvases.nth(0), canvases.nth(1)


def choose(page: Page, place: int, *names: str) -> None:
    page.locator("input[type=file]").nth(place).set_input_files([EXAMPLES / name for name in names])


def tile(page: Page, place: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """The tile that the page shows, uint8 (14, 14)."""
    levels = (
        page.locator(".tile")
        .nth(place)
        .evaluate("canvas => Array.from(canvas.getContext('2d').getImageData(0, 0, 14, 14).data)")
    )
    return np.array(levels, np.uint8).reshape(14, 14, 4)[..., 0]


def test_two_written_digits_are_compared_as_they_are_written(page: Page) -> None:
    first, second = papers(page)
    expect(page.locator("#verdict")).to_have_text("Write two digits")
    write(first, SEVEN)
    expect(page.locator("#verdict")).to_have_text("The first is a 7")
    write(second, ONE)
    expect(page.locator("#verdict")).to_have_text("No: 7 > 1")
    expect(page.locator("#detail")).to_contain_text("P(first ≤ second) = 0.0")
    expect(page.locator(".bars").nth(1)).to_have_accessible_name(re.compile(r"^1: \d+(\.\d)? %, \d: "))
    page.get_by_role("button", name="Swap both digits").click()
    expect(page.locator("#verdict")).to_have_text("Yes: 1 ≤ 7")


def test_undo_and_clear_go_back_step_by_step(page: Page) -> None:
    first, _ = papers(page)
    undo = page.get_by_role("button", name="Undo: first digit")
    expect(undo).to_be_disabled()
    write(first, SEVEN)
    page.get_by_role("button", name="Clear: first digit").click()
    expect(page.locator("#verdict")).to_have_text("Write two digits")
    undo.click()
    expect(page.locator("#verdict")).to_have_text("The first is a 7")
    undo.click()
    expect(page.locator("#verdict")).to_have_text("Write two digits")
    expect(undo).to_be_disabled()


def test_the_keyboard_writes_every_digit(page: Page) -> None:
    first, _ = papers(page)
    for digit in range(10):
        first.press(str(digit))
        expect(page.locator("#verdict")).to_have_text(f"The first is a {digit}")
    first.press("Backspace")
    expect(page.locator("#verdict")).to_have_text("The first is a 8")
    first.press("Delete")
    expect(page.locator("#verdict")).to_have_text("Write two digits")


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.png")))
def test_a_picture_from_a_file_becomes_the_tile_that_python_reads(page: Page, name: str) -> None:
    choose(page, 0, name)
    expect(page.locator("#verdict")).to_contain_text("The first is")
    expected = to_tile(EXAMPLES / name)
    assert np.abs(tile(page, 0).astype(int) - expected).max() <= 1
    answer = pairedge.load().classify(expected)
    expect(page.locator("#verdict")).to_have_text(f"The first is a {answer.digit}")


def test_examples_fill_empty_places_first(page: Page) -> None:
    for name in ("nine", "zero", "five"):
        page.get_by_role("button", name=f"Example: a {name}").click()
        expect(page.locator(".hint:visible")).to_have_count(1 if name == "nine" else 0)
    expect(page.locator("#verdict")).to_have_text("No: 9 > 5")


DELIVER = """([kind, name, type, data]) => {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], name, { type }));
    const target = kind === "drop" ? document.querySelectorAll(".paper")[1] : document.body;
    const options = { bubbles: true, cancelable: true };
    target.dispatchEvent(kind === "drop"
        ? new DragEvent("drop", { ...options, dataTransfer: transfer })
        : new ClipboardEvent("paste", { ...options, clipboardData: transfer }));
}"""


@pytest.mark.parametrize(("kind", "ordinal"), [("drop", "second"), ("paste", "first")])
def test_pictures_can_be_dropped_and_pasted(page: Page, kind: str, ordinal: str) -> None:
    data = base64.b64encode((EXAMPLES / "three.png").read_bytes()).decode()
    page.evaluate(DELIVER, [kind, "three.png", "image/png", data])
    expect(page.locator("#verdict")).to_have_text(f"The {ordinal} is a 3")


def test_what_is_no_picture_is_refused_in_a_sentence_and_changes_nothing(page: Page) -> None:
    first, _ = papers(page)
    first.press("4")
    page.evaluate(DELIVER, ["drop", "notes.txt", "text/plain", base64.b64encode(b"no picture").decode()])
    problem = page.locator(".problem").nth(1)
    expect(problem).to_have_text("This is not a picture that the browser can read.")
    expect(page.locator("#verdict")).to_have_text("The first is a 4")


def test_a_blank_picture_and_several_digits_are_refused_like_in_python(page: Page) -> None:
    first, second = papers(page)
    write(first, [[(0.2, 0.25), (0.18, 0.75)], [(0.75, 0.25), (0.78, 0.75)]])
    expect(page.locator(".problem").nth(0)).to_have_text("More than one digit")
    second.evaluate(
        """canvas => new Promise(done => {
            const blank = new OffscreenCanvas(90, 90);
            blank.getContext("2d").fillRect(0, 0, 90, 90);
            blank.convertToBlob().then(blob => {
                const transfer = new DataTransfer();
                transfer.items.add(new File([blob], "blank.png", { type: "image/png" }));
                canvas.dispatchEvent(new DragEvent("drop", { bubbles: true, dataTransfer: transfer }));
                done();
            });
        })"""
    )
    expect(page.locator(".problem").nth(1)).to_have_text("No digit found")
    expect(page.locator("#verdict")).to_have_text("Write two digits")


def test_a_scribble_is_uncertain(page: Page) -> None:
    first, second = papers(page)
    first.press("3")
    scribble = [[(0.2, 0.5), (0.8, 0.45), (0.25, 0.6), (0.75, 0.3), (0.3, 0.35), (0.7, 0.65), (0.5, 0.2)]]
    write(second, scribble)
    expect(page.locator("#verdict")).to_contain_text("Uncertain: 3")
    expect(page.locator("#detail")).to_contain_text("below this model's threshold of")


def test_a_picture_can_be_taken_and_a_camera_can_be_missing(page: Page, context: BrowserContext) -> None:
    take = page.get_by_role("button", name="Take a picture: first digit")
    take.click()
    expect(page.locator(".problem").nth(0)).to_have_text("The camera is not allowed here.")
    context.grant_permissions(["camera"])
    take.click()
    page.get_by_role("button", name="Take", exact=True).click()
    expect(papers(page)[0]).to_have_accessible_name("First digit: a picture. Press a digit to write it.")
    take.click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#camera")).to_be_hidden()
    context.clear_permissions()


def test_a_thousand_pairs_of_tiles_are_answered_as_python_answers(page: Page, uci: DataSet) -> None:
    tiles = uci.test.tiles[np.arange(1001) % len(uci.test.tiles)]
    pairs = np.stack([tiles[:-1], tiles[1:]], axis=1)
    answers = page.evaluate(
        """async (pairs) => {
            const engine = await (await import("./engine.js")).loadEngine();
            const bytes = Uint8Array.from(atob(pairs), (letter) => letter.charCodeAt(0));
            return Array.from({ length: bytes.length / 392 }, (_, i) => {
                engine.tile(0).set(bytes.subarray(392 * i, 392 * i + 196));
                engine.tile(1).set(bytes.subarray(392 * i + 196, 392 * i + 392));
                const { leq, digits, confidence, uncertain } = engine.compare();
                const alone = [engine.classify(0), engine.classify(1)];
                return [leq, ...digits.map((each) => each.digit), confidence, uncertain,
                    ...alone.map((each) => each.digit)];
            });
        }""",
        base64.b64encode(pairs.tobytes()).decode(),
    )
    leq, first, second, confidence, uncertain, *alone = np.array(answers, np.float64).T
    expected = pairedge.load().predict_batch(pairs)
    assert expected.digits is not None
    assert len(leq) == 1000
    assert np.abs(leq - expected.probability).max() <= 1e-5
    assert np.array_equal(leq >= 0.5, expected.leq)
    assert np.array_equal(np.stack([first, second], axis=1), expected.digits)
    assert np.array_equal(np.stack(alone, axis=1), expected.digits)
    assert np.abs(confidence - expected.confidence).max() <= 1e-5
    assert np.array_equal(uncertain == 1, expected.uncertain)
    assert {True, False} == set(expected.uncertain.tolist())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_anybodys_way(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    first, second = papers(page)
    first.press("3")
    second.press("1")
    page.locator("summary").click()
    write(second, [[(0.15, 0.25), (0.13, 0.75)], [(0.8, 0.25), (0.82, 0.75)]])
    expect(page.locator(".problem").nth(1)).not_to_be_empty()
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert len(results.response["passes"]) > 20


def test_a_phone_has_everything_in_view_and_is_written_on_by_touch(browser: Browser, address: str) -> None:
    phone = browser.new_context(
        viewport={"width": 360, "height": 740}, device_scale_factor=2, is_mobile=True, has_touch=True
    )
    page = phone.new_page()
    page.goto(address)
    page.wait_for_selector(READY)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    box = papers(page)[1].bounding_box()
    assert box is not None
    touch = phone.new_cdp_session(page)
    points = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in SEVEN[0]]
    for kind, point in zip(["touchStart", *["touchMove"] * 3], points, strict=True):
        touch.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": point[0], "y": point[1]}]}
        )
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(page.locator("#verdict")).to_have_text("The second is a 7")
    assert page.evaluate("scrollY") == 0  # a finger on the paper writes, and does not scroll
    expect(page.locator("#verdict")).to_be_in_viewport()
    small = page.locator("button:visible").evaluate_all(
        "buttons => buttons.filter((each) => Math.min(each.offsetWidth, each.offsetHeight) < 24).length"
    )
    assert small == 0
    phone.close()


def test_once_loaded_it_works_offline(browser: Browser, address: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    page.wait_for_function("navigator.serviceWorker.controller")
    context.set_offline(True)
    page.reload()
    page.wait_for_selector(READY)
    papers(page)[0].press("5")
    expect(page.locator("#verdict")).to_have_text("The first is a 5")
    page.get_by_role("button", name="Example: a zero").click()
    expect(page.locator("#verdict")).to_have_text("No: 5 > 0")
    context.close()


def test_the_pictures_in_the_docs_can_be_drawn_again(browser: Browser, address: str) -> None:
    drawn = pictures(browser, address)
    assert set(drawn) == {path.name for path in (ROOT / "docs").glob("page*.png")}
    for name, content in drawn.items():
        with Image.open(BytesIO(content)) as image, Image.open(ROOT / "docs" / name) as kept:
            assert image.size == kept.size, name


def test_a_model_that_does_not_load_is_said(browser: Browser, address: str) -> None:
    context = browser.new_context(service_workers="block")
    page = context.new_page()
    page.route("**/pairedge.wasm", lambda route: route.fulfill(status=404, body="gone"))
    page.goto(address)
    expect(page.locator("#verdict")).to_have_text("The model cannot be loaded: pairedge.wasm: 404 Not Found")
    context.close()
