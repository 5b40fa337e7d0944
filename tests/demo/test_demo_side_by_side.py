"""The page with both reports, from answers made up for the digits, in a real browser."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from segue.demo import digits, side_by_side
from segue.demo.bargain import strike
from segue.demo.judging import CHALLENGER, CONGRUENT, judge, lay_out
from segue.demo.training import Answers
from segue.flips.gate.decision import Verdict
from segue.report import words
from tests.demo.pages import opened


def answers(labels, wrong):
    return Answers(np.where(wrong, (labels + 1) % 10, labels), np.full(len(labels), 0.9))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Champion wrong on the first 90 digits; one challenger breaks 40 others, the other none; the folder too."""
    pictures, out = digits.load(), tmp_path_factory.mktemp("side-by-side")
    labels, number = pictures.test.labels, np.arange(len(pictures.test))
    old = answers(labels, number < 90)
    plain, congruent = answers(labels, (number >= 90) & (number < 130)), answers(labels, number < 30)
    lay_out(pictures, old, {CHALLENGER: plain, CONGRUENT: congruent}, out)
    both = judge(pictures, CHALLENGER, out), judge(pictures, CONGRUENT, out)
    bargain = strike(labels, old.classes, plain.classes, congruent.classes)
    side_by_side.write(both, bargain, pictures.noun, out)
    return both, bargain, out


@pytest.fixture
def both(made):
    return made[0]


@pytest.fixture
def path(made):
    return made[2] / side_by_side.PAGE


def test_figures_are_those_of_the_reports(both):
    accuracy, broken, mended, relative, gate = side_by_side.rows(both)
    for number, judged in enumerate(both):
        report = judged.report
        for row, estimate in (
            (accuracy, report.accuracy_new),
            (broken, report.negative_flip_rate),
            (mended, report.positive_flip_rate),
        ):
            told = f"{row.cells[number].value} {row.cells[number].small}"
            for value in (estimate.value, estimate.low, estimate.high):
                assert words.percent(value, 2) in told
        assert broken.cells[number].value == f"{report.negative_flips} broken"
        assert mended.cells[number].value == f"{report.positive_flips} mended"
        assert relative.cells[number].value == f"{report.relative_negative_flip_rate.value:.2f}"
        assert gate.cells[number].stamp == judged.decision.verdict
    assert [cell.value for cell in broken.cells] == ["40 broken", "0 broken"]
    assert [cell.value for cell in mended.cells] == ["90 mended", "60 mended"]


def test_the_headline_tells_both_verdicts(both):
    fails, undecided = both
    assert [judged.decision.verdict for judged in both] == ["fail", "undecided"]
    assert side_by_side.headline(both) == (
        "Trained on the labels alone it breaks 40 right answers, congruently 0; "
        "the gate fails the first, can't decide on the second."
    )
    assert side_by_side.headline((fails, fails)).endswith("; the gate fails both.")
    checks = tuple(replace(check, verdict=Verdict.PASS) for check in undecided.decision.checks)
    passes = replace(undecided, decision=replace(undecided.decision, checks=checks))
    assert side_by_side.headline((fails, passes)).endswith("; the gate fails the first, passes the second.")


def test_both_reports_work_inside_the_page(path, both, browser):
    with opened(browser, path) as page:
        for frame, judged in zip(page.frames[1:], both, strict=True):
            frame.wait_for_function("() => document.documentElement.dataset.ready === 'yes'")
            flips = judged.report.negative_flips + judged.report.positive_flips
            assert frame.locator("#told").inner_text() == f"{flips} of {flips} samples"
            # A link to another part of the report stays in the report.
            frame.locator("nav a[href='#samples']").click()
            frame.wait_for_function("() => scrollY > 0")
            assert frame.locator("#samples img").first.evaluate("image => image.naturalWidth") == 8
            frame.get_by_role("button", name="Broken", exact=True).click()
            frame.wait_for_function(
                "text => document.getElementById('told').textContent === text",
                arg=f"{judged.report.negative_flips} of {flips} samples",
            )


@pytest.mark.parametrize(("width", "columns"), [(390, 1), (899, 1), (900, 2), (1600, 2)])
@pytest.mark.parametrize("dark", [False, True])
def test_two_columns_where_there_is_room_and_nothing_sticks_out(path, browser, width, columns, dark):
    with opened(browser, path, width=width, dark=dark) as page:
        first, second = (frame.bounding_box() for frame in page.locator("iframe").all())
        if columns == 2:
            assert first["y"] == second["y"]
            assert first["x"] + first["width"] <= second["x"]
        else:
            assert first["x"] == second["x"]
            assert first["y"] + first["height"] <= second["y"]
        assert page.evaluate("document.documentElement.scrollWidth") == width
        red, *_ = map(int, re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor")))
        assert (red < 60) == dark


def test_what_a_screen_reader_finds(path, browser):
    with opened(browser, path) as page:
        assert page.locator("html").get_attribute("lang") == "en"
        assert page.get_by_role("heading", level=1).count() == 1
        assert page.get_by_role("main").count() == 1
        assert page.get_by_role("columnheader").all_inner_texts() == ["challenger", "congruent challenger"]
        assert len(page.get_by_role("rowheader").all()) == 5
        titles = [frame.get_attribute("title") for frame in page.locator("iframe").all()]
        assert titles == ["Flip report of the challenger", "Flip report of the congruent challenger"]
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the two reports"


def test_the_reports_by_themselves_are_linked(path, browser):
    with opened(browser, path) as page:
        links = [link.get_attribute("href") for link in page.get_by_role("link", name="by itself").all()]
    assert links == ["report.html", "congruent.html"]
    assert all((path.parent / link).is_file() for link in links)
