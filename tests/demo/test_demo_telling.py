"""The words of the story where the update goes another way than in the demo, and progress in a terminal and a log."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
from rich.console import Console

from segue.demo import digits, telling
from segue.demo.progress import BYTES, Progress
from segue.demo.sources import Found
from segue.flips import Policy, compare, decide


@pytest.fixture(scope="module")
def pictures():
    return digits.load()


def story(old, new, pictures, **console):
    """What is told of answers with 1 for right and 0 for wrong."""
    report = compare(np.ones(len(old), int), old, new, slices={"digit": ["7"] * len(old)}, names=("old", "new"))
    stream = io.StringIO()
    on = Console(file=stream, width=100, highlight=False, **console)
    telling.tell_comparison(report, pictures, on)
    telling.tell_decision(decide(report, Policy(max_nfr=0.01)), on)
    return stream.getvalue()


def test_numbers_by_hand(pictures):
    told = story([1] * 500 + [0] * 500, [1] * 480 + [0] * 20 + [1] * 100 + [0] * 400, pictures)
    table = [line.split() for line in told.splitlines()[2:5]]
    assert table[1] == ["old", "right", "480", "20", "broken"]
    assert table[2] == ["old", "wrong", "100", "mended", "400"]
    assert "Accuracy rose from 50.0% to 58.0%: +8.00%" in told
    assert "Yet 20 of the answers that were right are now wrong: negative flip rate 2.00%" in told
    assert "Most often broken: 7 (2.0%)." in told
    assert "Gate        FAIL: new must not replace old: 1 of 1 check failed" in told


def test_an_update_that_breaks_nothing(pictures):
    told = story([1] * 500 + [0] * 500, [1] * 700 + [0] * 300, pictures)
    assert "No right answer became wrong: negative flip rate 0.00%" in told
    assert "Yet" not in told
    assert "Most often broken" not in told
    assert "PASS: new may replace old" in told


def test_a_worse_model(pictures):
    told = story([1] * 1000, [1] * 900 + [0] * 100, pictures)
    assert "Accuracy fell from 100.0% to 90.0%: -10.00%" in told
    assert "Yet" not in told


def test_no_change(pictures):
    told = story([1] * 1000, [1] * 1000, pictures)
    assert "Accuracy did not change beyond doubt, from 100.0% to 100.0%" in told


def test_colour_in_a_terminal_unless_the_user_wants_none(pictures, monkeypatch):
    answers = [1] * 100, [0] * 100
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[1;31m" in story(*answers, pictures, force_terminal=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "31m" not in story(*answers, pictures, force_terminal=True)


@pytest.mark.parametrize("width", [30, 40, 80])
def test_a_narrow_terminal_breaks_lines_and_loses_no_word(pictures, width):
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=True, no_color=True)
    telling.tell_pictures(Found(pictures, ("the cable is cut",)), console)
    words = stream.getvalue().replace("\x1b[1m", "").replace("\x1b[0m", "").split()
    assert " ".join(words) == (
        "Pictures digits (scikit-learn): 898 digits to learn from, 899 kept for the comparison "
        "Fashion-MNIST would be better but can't be had: the cable is cut."
    )


def run_steps(console, pause):
    progress = Progress(console)
    with progress.step("training", 1000, "digits") as advance:
        for _ in range(4):
            time.sleep(pause)
            advance(250)
    with progress.step("fetching", 2_000_000, BYTES) as advance:
        advance(2_000_000)


def test_progress_in_a_log_is_a_line_now_and_then(monkeypatch):
    monkeypatch.setattr("segue.demo.progress.LINE_EVERY_SECONDS", 0.0)
    stream = io.StringIO()
    run_steps(Console(file=stream), 0)
    assert stream.getvalue().splitlines() == [
        *(f"training: {done} of 1,000 digits, 0 s" for done in ("250", "500", "750", "1,000")),
        "fetching: 2.0 of 2.0 MB, 0 s",
    ]


def test_progress_of_what_is_soon_done_is_not_told_in_a_log():
    stream = io.StringIO()
    run_steps(Console(file=stream), 0)
    assert stream.getvalue() == ""


def test_progress_in_a_terminal_is_a_bar_that_goes_away(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    stream = io.StringIO()
    run_steps(Console(file=stream, force_terminal=True, width=100), 0.15)
    shown = stream.getvalue()
    assert "1000/1000" in shown
    assert "2.0/2.0 MB" in shown
    assert shown.endswith("\x1b[2K")  # the line is cleared
