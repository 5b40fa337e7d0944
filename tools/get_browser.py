"""See that there is a browser for the tests of the report: one that is there, playwright's own, or Debian's.

Quick and silent where a browser is found. Otherwise playwright's Chromium is downloaded, and where that does not work
the distribution's package is installed, if this user may install one. Fails with one sentence where neither works.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from browser import find_browser
from playwright.sync_api import sync_playwright

DOWNLOAD_SECONDS = 180
INSTALL_SECONDS = 600
COULD_NOT = (
    "no browser for the tests of the report: playwright's Chromium can't be downloaded here and chromium can't be "
    "installed with apt-get; install chromium or google-chrome by hand"
)


def there() -> bool:
    """Return whether a browser is found."""
    with sync_playwright() as playwright:
        return find_browser(playwright) is not None


def run(*command: str, seconds: float) -> bool:
    """Run a command without asking anything; its output goes to stderr.

    Args:
        *command: The command and its arguments.
        seconds: How long it may take.

    Returns:
        Whether it ended in time and without an error.
    """
    try:
        ended = subprocess.run(
            command,
            check=False,
            timeout=seconds,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == 0


def main() -> int:
    """Get a browser.

    Returns:
        0 where there is one, 1 where none can be had.
    """
    if there():
        return 0
    print("Getting a browser for the tests of the report ...", file=sys.stderr)
    if run(sys.executable, "-m", "playwright", "install", "chromium", seconds=DOWNLOAD_SECONDS) and there():
        return 0
    if shutil.which("apt-get"):
        root = () if os.geteuid() == 0 else ("sudo", "-n")
        run(*root, "apt-get", "update", "-qq", seconds=INSTALL_SECONDS)
        install = ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-liberation")
        if run(*root, *install, seconds=INSTALL_SECONDS) and there():
            return 0
    print(COULD_NOT, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
