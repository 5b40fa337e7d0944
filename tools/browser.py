"""A headless Chromium, found on this machine or brought: what the report is tested and photographed with."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # a container's root has no user namespaces to build the sandbox from
    "--disable-gpu",
    "--disable-dev-shm-usage",  # a container's shared memory is small
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
)
NOT_FOUND = "no Chromium was found: run `python tools/get_browser.py`, or put chromium or google-chrome on the PATH"


def find_browser(playwright: Playwright) -> Path | None:
    """Return playwright's own Chromium where it was downloaded, else one on the PATH, else ``None``."""
    own = Path(playwright.chromium.executable_path)
    if own.is_file():
        return own
    return next((Path(found) for name in NAMES if (found := shutil.which(name))), None)


@contextmanager
def open_browser() -> Generator[Browser]:
    """Start the browser that :func:`find_browser` finds, with a profile of its own that is removed afterwards.

    Yields:
        The browser.

    Raises:
        FileNotFoundError: If there is none; the message says how to get one.
    """
    with sync_playwright() as playwright:
        found = find_browser(playwright)
        if found is None:
            raise FileNotFoundError(NOT_FOUND)
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def block_network(context: BrowserContext) -> list[str]:
    """Refuse and record whatever a page asks the network for; files and data of the page itself are let through.

    Args:
        context: The browser's context.

    Returns:
        The addresses asked for, filled as they are.
    """
    asked: list[str] = []

    def refuse(route: object, request: object) -> None:
        asked.append(request.url)
        route.abort()

    context.route(lambda url: not url.startswith(("file:", "data:", "blob:", "about:")), refuse)
    return asked
