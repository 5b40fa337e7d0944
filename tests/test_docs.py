"""What the README and the docs show is true: Python runs, policies are valid, commands know their options."""

import re
import shlex
import tomllib
from pathlib import Path

import numpy as np
import pytest
import typer

from segue.cli.app import app
from segue.flips import Policy

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


def blocks(language: str) -> list[tuple[str, str]]:
    fence = re.compile(rf"^```{language}\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
    return [(page.name, block) for page in PAGES for block in fence.findall(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(("page", "block"), blocks("toml"))
def test_the_policies_of_a_page_are_valid(page, block):
    assert Policy(**tomllib.loads(block))


def commands() -> list[tuple[str, str]]:
    lines = [(page, line) for page, block in blocks("console") for line in block.replace("\\\n", " ").splitlines()]
    return [(page, line.removeprefix("$ segue ").split("    #")[0]) for page, line in lines if "$ segue " in line]


@pytest.mark.parametrize(("page", "command"), commands())
def test_the_commands_of_a_page_know_their_options(page, command):
    words = shlex.split(command)
    group = typer.main.get_command(app)
    chosen = group.get_command(None, words[0])
    assert chosen is not None, words[0]
    while hasattr(chosen, "get_command") and len(words) > 1:
        words = words[1:]
        chosen = chosen.get_command(None, words[0])
    # parsing alone: an unknown option or a missing argument raises
    chosen.make_context(words[0], words[1:], resilient_parsing=False)


def test_some_pages_have_python():
    assert {"README.md", "flips.md"} <= {page.name for page in RUN_HERE}
