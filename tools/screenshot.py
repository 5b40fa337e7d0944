"""Photograph a report in a headless browser: ``python tools/screenshot.py REPORT.html OUT.png --width 390 --dark``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from browser import block_network, open_browser


def main() -> None:
    """Read the arguments and write the picture (or, where OUT ends in .pdf, the printed page)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--width", type=int, default=1200, help="width of the window in pixels")
    parser.add_argument("--height", type=int, help="height of the picture; the whole page by default")
    parser.add_argument("--at", default="", help="part of the page to begin with, such as '#samples'")
    parser.add_argument("--element", help="photograph this element only (a CSS selector)")
    parser.add_argument("--dark", action="store_true", help="as with a dark desktop")
    parser.add_argument("--scale", type=float, default=1.0, help="pixels per CSS pixel")
    asked = parser.parse_args()
    with open_browser() as browser:
        context = browser.new_context(
            viewport={"width": asked.width, "height": asked.height or 900},
            color_scheme="dark" if asked.dark else "light",
            device_scale_factor=asked.scale,
            reduced_motion="reduce",
        )
        block_network(context)
        page = context.new_page()
        page.goto(asked.report.resolve().as_uri() + asked.at)
        page.wait_for_function(
            "() => document.documentElement.dataset.ready === 'yes' || !document.getElementById('data')"
        )
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        if asked.out.suffix == ".pdf":
            page.pdf(path=asked.out, format="A4", prefer_css_page_size=True)
        elif asked.element:
            page.locator(asked.element).screenshot(path=asked.out)
        else:
            page.screenshot(path=asked.out, full_page=asked.height is None)


if __name__ == "__main__":
    main()
