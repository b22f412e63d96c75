"""The pictures of the page in docs/: in light, in dark and on a phone, with digits written and shown.

python -m tools.page_pictures docs
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pairedge_train.files import write_all
from tools.browser import READY, chromium, served, write

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PAGE = Path(__file__).parents[1] / "artifacts" / "aux_ws" / "web"
THREE = [[(0.36, 0.27), (0.43, 0.21), (0.53, 0.2), (0.62, 0.26), (0.63, 0.36), (0.57, 0.44), (0.48, 0.47),
          (0.58, 0.5), (0.65, 0.58), (0.65, 0.69), (0.57, 0.78), (0.45, 0.8), (0.35, 0.74)]]  # fmt: skip
SEVEN = [
    [(0.3, 0.26), (0.5, 0.25), (0.69, 0.23), (0.62, 0.38), (0.53, 0.56), (0.47, 0.79)],
    [(0.4, 0.51), (0.64, 0.49)],
]
FOUR_OR_NINE = [
    [(0.48, 0.24), (0.37, 0.38), (0.44, 0.46), (0.55, 0.44), (0.62, 0.36)],
    [(0.62, 0.24), (0.61, 0.45), (0.6, 0.62), (0.58, 0.8)],
]


def pictures(browser: Browser, address: str) -> dict[str, bytes]:
    """Each picture by the name of its file."""
    light = opened(browser, address, 780, 880)
    papers = light.locator(".paper canvas")
    write(papers.nth(0), THREE)
    write(papers.nth(1), SEVEN)
    dark = opened(browser, address, 780, 880, dark=True)
    for name in ("seven", "nine"):
        dark.get_by_role("button", name=f"Example: a {name}").click()
        dark.locator("#verdict", has_text="7").wait_for()
    dark.get_by_role("button", name="Swap both digits").click()
    phone = opened(browser, address, 360, 700, phone=True)
    papers = phone.locator(".paper canvas")
    papers.nth(1).press("4")
    write(papers.nth(0), FOUR_OR_NINE)
    return {
        f"page{name}.png": shot(page) for name, page in {"": light, "-dark": dark, "-phone": phone}.items()
    }


def opened(
    browser: Browser, address: str, width: int, height: int, *, dark: bool = False, phone: bool = False
) -> Page:
    """The page in a window of this size, ready."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        device_scale_factor=2 if phone else 1,
        service_workers="block",
    )
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector(READY)
    return page


def shot(page: Page) -> bytes:
    """What the page shows, as PNG, nothing focused or hovered."""
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")
    page.locator(".answered").wait_for()
    return page.screenshot()


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", type=click.Path(path_type=Path))
def main(folder: Path) -> None:
    """Draw the pictures of the page of the model that ships into FOLDER."""
    with served(PAGE) as address, chromium() as browser:
        write_all(folder, pictures(browser, address))


if __name__ == "__main__":
    main()
