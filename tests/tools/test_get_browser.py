"""The tool that sees to a browser for the tests: quick where there is one, and plain words where none can be had."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "tools" / "get_browser.py"


def run(**changed: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT], env={**os.environ, **changed}, capture_output=True, text=True, check=False
    )


def test_where_there_is_a_browser_nothing_is_said_or_done():
    found = run()
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_where_none_can_be_had_it_fails_with_one_sentence(tmp_path):
    # No browser on the PATH, none of playwright's, nowhere to download one from, and no apt-get.
    found = run(
        PATH=str(tmp_path), PLAYWRIGHT_BROWSERS_PATH=str(tmp_path), PLAYWRIGHT_DOWNLOAD_HOST="http://127.0.0.1:9"
    )
    assert found.returncode == 1
    assert found.stderr.splitlines()[-1].startswith("no browser for the tests of the report: ")
    assert "Traceback" not in found.stderr
