"""A page in a real browser, which must neither ask for anything nor complain."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page

from tools.browser import block_network


@contextmanager
def opened(browser: Browser, path: Path, *, width: int = 1280, dark: bool = False) -> Generator[Page]:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    network, requests, complaints = block_network(context), [], []
    page = context.new_page()
    page.on("request", lambda request: requests.append(request.url[:100]))
    page.on("console", lambda said: complaints.append(said.text[:200]))
    page.on("pageerror", lambda error: complaints.append(str(error)[:200]))
    try:
        page.goto(path.as_uri())
        yield page
        assert network == complaints == []
        assert [url for url in requests if not url.startswith("data:")] == [path.as_uri()[:100]]
    finally:
        context.close()
