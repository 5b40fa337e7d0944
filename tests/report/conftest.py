from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from segue.report import write_report
from tools.browser import block_network


@dataclass
class Opened:
    """A report in the browser, and all that it asked for or complained of."""

    page: Page
    path: Path
    network: list[str]
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def rows(self, role: str) -> list[str]:
        """Return the texts of a column of the table on the page, as they are shown."""
        return [text.strip() for text in self.page.locator(f"#table tbody td.{role}").all_inner_texts()]

    def told(self) -> str:
        return self.page.locator("#told").inner_text()

    def wait(self, told: str) -> None:
        """Wait until so many samples are told of."""
        self.page.wait_for_function("text => document.getElementById('told').textContent === text", arg=told)


@pytest.fixture
def open_report(browser: Browser, tmp_path: Path) -> Generator[Callable[..., Opened]]:
    contexts = []

    def opened(
        report: Any, *, width: int = 1280, height: int = 900, dark: bool = False, at: str = "", script: bool = True,
        **options: Any,
    ) -> Opened:  # fmt: skip
        path = write_report(report, tmp_path / f"report-{len(contexts)}.html", **options)
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            java_script_enabled=script,
        )
        contexts.append(context)
        network = block_network(context)
        page = context.new_page()
        found = Opened(page, path, network)
        page.on("request", lambda request: found.requests.append(request.url))
        page.on(
            "console",
            lambda message: found.complaints.append(message.text) if message.type in {"error", "warning"} else None,
        )
        page.on("pageerror", lambda error: found.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (found.complaints.append("a dialog opened"), dialog.dismiss()))
        page.goto(path.as_uri() + at)
        if script:
            page.wait_for_function("() => document.documentElement.dataset.ready === 'yes'", timeout=120_000)
        return found

    yield opened
    for context in contexts:
        context.close()
