"""Every Python block of the README and the docs runs, in order, page by page."""

import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^```python\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
# integrations.md has a test of its own, beside the libraries that it needs
RUN_HERE = [page for page in PAGES if BLOCK.search(page.read_text(encoding="utf-8")) and page.name != "integrations.md"]


@pytest.mark.parametrize("page", RUN_HERE, ids=lambda page: page.name)
def test_the_python_of_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__docs__"}
    if page.name == "README.md":  # takes two models' answers for granted
        draws = np.random.default_rng(0)
        labels, champion, challenger = draws.integers(0, 3, (3, 200))
        names |= {"labels": labels, "champion": champion, "challenger": challenger}
        names["country"] = draws.choice(["AT", "BE"], 200)
    for block in BLOCK.findall(page.read_text(encoding="utf-8")):
        exec(compile(block, page.name, "exec"), names)


def test_some_pages_have_python():
    assert {"README.md", "flips.md"} <= {page.name for page in RUN_HERE}
