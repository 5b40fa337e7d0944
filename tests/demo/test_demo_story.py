"""The demo as a user starts it: whole runs in processes of their own, stopped and broken in the ways users do."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from segue.demo.files import STAGING
from segue.flips import compare
from tests.demo.pages import opened

TABLES = ["champion.parquet", "challenger.parquet", "congruent.parquet"]
PAGES = ["report.html", "congruent.html", "side-by-side.html"]
FILES = sorted([*TABLES, "golden.txt", "policy.toml", *PAGES])
CONTENDERS = {"challenger": TABLES[1], "congruent challenger": TABLES[2]}
SEGUE = Path(sys.executable).with_name("segue")


def demo(*arguments, cwd, code="", **environment):
    start = ["-c", code] if code else ["-m", "segue.demo"]
    return subprocess.run(
        [sys.executable, *start, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def told(folder):
    return demo("--quick", cwd=folder)


def test_the_story_is_told_and_ends_well(told):
    assert told.returncode == 0, told.stderr
    lines = told.stdout.splitlines()
    assert lines[0] == "A better model that may not ship"
    for head in ("Pictures", "Champion", "Challenger", "Congruent", "Bargain", "Look at", "By hand"):
        assert sum(line.startswith(f"{head} ") for line in lines) == 1
    for head in ("Comparison", "Gate"):
        assert sum(line.startswith(f"{head} ") for line in lines) == 2
    assert "Gate        FAIL: challenger must not replace champion" in told.stdout
    assert "Look at     demo-output/side-by-side.html" in told.stdout
    assert "Traceback" not in told.stderr


def test_the_output_is_plain_where_it_is_no_terminal(told):
    assert "\x1b" not in told.stdout + told.stderr
    assert all(line == line.rstrip() for line in told.stdout.splitlines())


def test_the_files_are_there_and_nothing_else(told, folder):
    assert sorted(path.name for path in (folder / "demo-output").iterdir()) == FILES
    assert [path.name for path in folder.iterdir()] == ["demo-output"]


def test_the_report_shows_the_flipped_pictures(told, folder):
    for name, title in (("report", "May the new digit"), ("congruent", "May the congruently trained digit")):
        page = (folder / "demo-output" / f"{name}.html").read_text()
        assert page.count("data:image/") >= 1
        assert f"{title} model ship?" in page


def commands(told):
    return [shlex.split(line) for line in told.stdout.splitlines() if line.startswith("  ") and "segue" in line]


@pytest.mark.parametrize("contender", CONTENDERS)
def test_the_printed_commands_give_the_same_numbers(told, folder, tmp_path, contender):
    printed = [command for command in commands(told) if any(part.endswith(CONTENDERS[contender]) for part in command)]
    assert [command[1] for command in printed] == ["compare", "gate"]
    codes = []
    for command in printed:
        result = tmp_path / f"{command[1]}.json"
        asked = [str(SEGUE), *command[1:], "--json", str(result)]
        run = subprocess.run(asked, cwd=folder, capture_output=True, text=True, check=False)
        codes.append(run.returncode)
        measured = json.loads(result.read_text())
        report = measured.get("report", measured)
        assert f"{report['negative_flips']:,} of the answers that were right are now wrong" in told.stdout
    assert codes == [0, measured["exit_code"]]
    assert measured["names"]["new"] == Path(CONTENDERS[contender]).stem
    assert measured["headline"].partition(": ")[2] in told.stdout
    failed = [check for check in measured["checks"] if check["verdict"] == "fail"]
    for check in failed:
        assert check["reason"] in told.stdout
    if contender == "challenger":  # of the congruent one it is told as it is
        assert codes[1] == 1
        assert {check["rule"] for check in failed} >= {"max_nfr"}


def read(folder):
    return [pq.read_table(folder / "demo-output" / name).to_pydict() for name in TABLES]


def test_the_tables_say_what_was_told(told, folder):
    old, *contenders = read(folder)
    for new in contenders:
        assert old["id"] == new["id"]
        assert old["label"] == new["label"]
        rows = list(zip(old["label"], old["prediction"], new["prediction"], strict=True))
        assert f"{sum(o == y != n for y, o, n in rows)} broken" in told.stdout
        assert f"{sum(n == y != o for y, o, n in rows)} mended" in told.stdout
    plain, congruent = contenders
    assert plain["prediction"] != congruent["prediction"]


def test_the_page_shows_both_reports_with_their_own_figures(told, folder, browser):
    path = folder / "demo-output" / PAGES[2]
    old, *contenders = read(folder)
    reports = [compare(old["label"], old["prediction"], new["prediction"]) for new in contenders]
    with opened(browser, path) as page:
        page.frames[2].wait_for_selector("#told")
        cells = page.locator("table tbody td").all_inner_texts()
        for number, report in enumerate(reports):
            accuracy, broken, mended, relative = cells[number::2][:4]
            assert accuracy.startswith(f"{report.accuracy_new.value:.2%}")
            assert broken.startswith(f"{report.negative_flips} broken")
            assert f"{report.negative_flip_rate.low:.2%} to {report.negative_flip_rate.high:.2%}" in broken
            assert mended.startswith(f"{report.positive_flips} mended")
            assert relative.startswith(f"{report.relative_negative_flip_rate.value:.2f}")
            assert (
                f"{report.negative_flips} answers that were right" in page.frames[number + 1].locator("h1").inner_text()
            )
        bargain = page.locator(".lead").inner_text()
    assert f"Bargain     {bargain}" in told.stdout
    assert f"{reports[1].negative_flips} right answers instead of {reports[0].negative_flips}" in bargain


ENDLESS = """
from dataclasses import replace
from segue.demo import plan
plan.PLANS["digits"] = replace(plan.PLANS["digits"], champion=replace(plan.PLANS["digits"].champion, epochs=100_000))
from segue.demo.__main__ import app
app(prog_name="demo")
"""


def stop_in_training(how, out):
    running = subprocess.Popen(
        [sys.executable, "-c", ENDLESS, "--quick", "--out", out],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not running.stdout.readline().startswith("Pictures"):
        assert running.poll() is None
    time.sleep(1)
    running.send_signal(how)
    _, errors = running.communicate()
    return running.returncode, errors


def test_an_interrupted_run_leaves_nothing(tmp_path):
    code, errors = stop_in_training(signal.SIGINT, tmp_path / "out")
    assert code == 130
    assert errors.endswith("Interrupted. Nothing half-written is left; start the demo again at any time.\n")
    assert list((tmp_path / "out").iterdir()) == []


def test_after_a_killed_run_the_next_gives_the_same_tables_as_any_other(told, folder, tmp_path):
    code, _ = stop_in_training(signal.SIGKILL, tmp_path / "demo-output")
    assert code == -signal.SIGKILL
    assert list((tmp_path / "demo-output").iterdir()) == []
    (tmp_path / "demo-output" / f"{STAGING}x").mkdir()  # as if it had been killed while it wrote a file
    assert demo("--quick", cwd=tmp_path).returncode == 0
    assert sorted(path.name for path in (tmp_path / "demo-output").iterdir()) == FILES
    for name in sorted(set(FILES) - set(PAGES)):
        assert (tmp_path / "demo-output" / name).read_bytes() == (folder / "demo-output" / name).read_bytes()


def refused(run):
    assert run.returncode == 2
    assert "Traceback" not in run.stderr
    errors = [line for line in run.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    return errors[0]


def test_a_file_in_the_way_of_the_folder_is_refused(tmp_path):
    (tmp_path / "taken").write_text("")
    run = demo("--quick", "--out", "taken", cwd=tmp_path)
    assert refused(run) == "Error: --out 'taken' can't be written (File exists); name another folder"


def test_a_disk_that_fills_up_is_told(tmp_path):
    code = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
from segue.demo.__main__ import app
app(prog_name="demo")
"""
    message = refused(demo("--quick", "--out", "small", cwd=tmp_path, code=code))
    assert message.startswith("Error: --out 'small' can't be written (")
    assert [path.name for path in (tmp_path / "small").iterdir()] == ["champion.parquet"]  # it was whole


def test_nobody_reads_to_the_end(tmp_path):
    command = f"{shlex.quote(sys.executable)} -m segue.demo --quick | head -n 1"
    run = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.stdout == "A better model that may not ship\n"
    assert "Traceback" not in run.stderr


def test_a_named_folder_without_the_data_is_refused(tmp_path):
    run = demo("--data", "nowhere", cwd=tmp_path)
    assert "names 'nowhere', which can't be used: nowhere has no train-images-idx3-ubyte.gz" in refused(run)


def test_the_environment_names_the_folder_too(tmp_path):
    assert "names 'elsewhere'" in refused(demo(cwd=tmp_path, SEGUE_FASHION_MNIST="elsewhere"))


WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
from segue.demo.__main__ import app
app(prog_name="demo")
"""


def test_without_torch_the_extra_is_named(tmp_path):
    message = refused(demo("--quick", cwd=tmp_path, code=WITHOUT_TORCH))
    assert message.startswith("Error: the demo needs 'torch', which can't be imported")
    assert message.endswith("pip install 'segue[demo]'")


def test_help_needs_no_torch(tmp_path):
    run = demo("--help", cwd=tmp_path, code=WITHOUT_TORCH)
    assert run.returncode == 0
    for option in ("--out", "--data", "--quick", "--seed"):
        assert option in run.stdout


@pytest.mark.parametrize("arguments", [("--seed", "-1"), ("--seed", "x"), ("--epochs", "3"), ("stray",)])
def test_usage_errors_exit_with_2(tmp_path, arguments):
    run = demo(*arguments, cwd=tmp_path)
    assert run.returncode == 2
    assert "Traceback" not in run.stderr
