"""The page as text: what it says, and that odd reports are drawn too."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import numpy as np
import pytest

from segue.errors import InputError
from segue.flips import Estimate, FlippedSamples, Policy, compare, compare_scores, decide
from segue.report import render, verdict, write_report
from tests.report import reports

VOID = {"meta", "link", "img", "input", "br", "hr"}


class Balanced(HTMLParser):
    """Fails where an element is closed that is not open, or left open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag


def text_of(page: str) -> str:
    body = re.sub(r"<(style|script).*?</\1>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body))


def check(page: str) -> str:
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    assert "None" not in text_of(page)
    assert "nan" not in re.findall(r"[a-z]+", text_of(page))
    assert not re.search(r'(?:x|y|r|cx|cy|x1|x2|width|height)="(?:nan|inf|-inf)', page)
    return page


def many_classes():
    draws = np.random.default_rng(0)
    label = draws.integers(0, 1000, 6000)
    return compare(label, label, np.where(draws.random(6000) < 0.5, label, draws.integers(0, 1000, 6000)))


def many_slices():
    draws = np.random.default_rng(0)
    shop = draws.integers(0, 990, 5000).astype(str)
    return compare(
        np.ones(5000, int), np.ones(5000, int), (draws.random(5000) > 0.03).astype(int), slices={"shop": shop}
    )


def undefined():
    nothing = Estimate(math.nan, 0.0, 1.0)
    rates = (
        "accuracy_old",
        "accuracy_change",
        "negative_flip_rate",
        "relative_negative_flip_rate",
        "negative_flip_impact",
    )
    return replace(reports.counted(10, 2, 1, 1), **dict.fromkeys(rates, nothing))


def multilabel():
    truth = np.eye(3, dtype=int)
    return compare(truth, truth, np.ones((3, 3), dtype=int), classes=["a", "b", "c"])


def mapped():
    return compare(["cat", "dog"] * 20, ["pet"] * 40, ["cat"] * 40, class_map={"pet": ["cat", "dog"]})


def grouped():
    draws = np.random.default_rng(0)
    label = draws.integers(0, 3, 300)
    return compare(label, label, np.where(draws.random(300) < 0.9, label, 0), groups=np.arange(300) // 5,
                   slices={"ward": draws.choice(["a", "b"], 300)})  # fmt: skip


def no_rows():
    report = reports.counted(10, 5, 5, 1)
    return replace(report, flips=FlippedSamples({}, 5, 5))


def some_rows():
    report = reports.counted(10, 50, 50, 1)
    return replace(report, flips=FlippedSamples({k: v[:20] for k, v in report.flips.columns.items()}, 50, 50))


ODD = {
    "no flips": lambda: reports.counted(20, 0, 0, 3),
    "all right": lambda: reports.counted(20, 0, 0, 0),
    "all wrong": lambda: reports.counted(0, 0, 0, 9),
    "only broken": lambda: reports.counted(0, 7, 0, 0),
    "only mended": lambda: reports.counted(0, 0, 7, 0),
    "one sample": lambda: reports.counted(1, 0, 0, 0),
    "one class": lambda: compare(["a"] * 5, ["a"] * 5, ["a"] * 5),
    "a thousand classes": many_classes,
    "a thousand slices": many_slices,
    "undefined numbers": undefined,
    "groups": grouped,
    "weights": lambda: compare([1, 1, 0, 0] * 9, [1, 0, 0, 1] * 9, [1, 1, 1, 0] * 9, weights=[1.0, 2, 3, 4] * 9),
    "long names": lambda: compare(["a" * 300, "b" * 300] * 9, ["a" * 300] * 18, ["b" * 300] * 18,
                                  slices={"c" * 200: ["d" * 400, "e"] * 9}, names=("o" * 200, "n" * 200)),
    "no rows held": no_rows,
    "some rows held": some_rows,
    "scores": reports.graded,
    "scores without flips": lambda: compare_scores([0.5, 0.5], [0.5, 0.5]),
    "scores of one sample": lambda: compare_scores([0.5], [0.1]),
    "pass and fail": lambda: compare_scores([True, False, True] * 9, [True, True, False] * 9),
    "multi-label": multilabel,
    "a class map": mapped,
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_odd_reports_are_drawn(name):
    check(render(ODD[name]()))


@pytest.mark.parametrize(
    "name",
    ["no flips", "a thousand classes", "a thousand slices", "long names", "no rows held", "scores without flips"],
)
@pytest.mark.parametrize("width", [390, 1280])
def test_odd_reports_in_the_browser(open_report, name, width):
    opened = open_report(ODD[name](), width=width)
    assert opened.complaints == []
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width


def test_all_of_many_slices_can_be_asked_for(open_report):
    page = open_report(many_slices()).page
    visible = "[...document.querySelectorAll('#forest tbody tr')].filter(row => row.checkVisibility()).length"
    assert 20 < page.evaluate(visible) < 60
    page.get_by_role("button", name=re.compile(r"Show all 9\d\d slices")).click()
    assert page.evaluate(visible) > 900
    page.get_by_role("button", name="Show fewer slices").click()
    assert page.evaluate(visible) < 60


def test_a_thousand_classes_are_summed_up():
    page = text_of(render(many_classes()))
    assert re.search(r"\d+ others", page)


def test_rows_left_out_are_told():
    assert "The page holds 20 of 100 flipped samples" in text_of(render(some_rows()))
    assert "The page holds none of the 10 flipped samples" in text_of(render(no_rows()))


def test_the_verdict_comes_first_then_the_gate():
    report = reports.classifier()
    page = render(report, decision=decide(report, Policy(max_nfr=0.001)))
    seen = text_of(page)
    assert seen.index(verdict.headline(report)) < seen.index("must not replace") < seen.index("What changes")
    assert "✗ Fail" in seen


@pytest.mark.parametrize(("limit", "stamp"), [(0.9, "✓ Pass"), (0.0001, "✗ Fail")])
def test_the_gate_is_told_in_words(limit, stamp):
    report = reports.classifier()
    assert stamp in text_of(render(report, decision=decide(report, Policy(max_nfr=limit))))


def test_many_checks_are_folded_away_with_the_worst_in_sight_and_all_on_paper(open_report):
    report = reports.classifier()
    decision = decide(report, Policy(max_nfr=0.0001, every_slice={"max_nfr": 0.05}))
    assert len(decision.checks) > 6
    page = open_report(report, decision=decision).page
    visible = "() => [...document.querySelectorAll('.checks li')].filter(one => one.checkVisibility()).length"
    assert page.evaluate(visible) == 4
    assert "fail" in page.locator(".checks li").first.inner_text()
    page.get_by_text(f"{len(decision.checks) - 4} more checks").click()
    assert page.evaluate(visible) == len(decision.checks)
    page.get_by_text(f"{len(decision.checks) - 4} more checks").click()
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(visible) == len(decision.checks)


def test_an_undecided_gate():
    report = reports.counted(50, 1, 1, 1)
    assert "? Undecided" in text_of(render(report, decision=decide(report, Policy(max_nfr=0.03))))


def test_notes_discovery_and_methods_are_shown():
    report = reports.classifier(4000, discover=True)
    page = text_of(render(report))
    assert report.discovery.slices
    for one in report.discovery.slices:
        for condition in one.conditions:
            assert str(condition).replace('"', "&#34;") in page
    assert "Found by searching" in page
    assert "Clopper and Pearson" in page
    note = replace(report, notes=("three samples were left out as you wished",))
    assert "Three samples were left out as you wished." in text_of(render(note))


BETTER = "The new model is better on average, but it breaks 1 answer that was right."
WORSE = "The new model is worse: it breaks 99 answers that were right and mends 1."
UNCLEAR = "No clear change on average, but the new model breaks 5 answers that were right."


@pytest.mark.parametrize(
    ("report", "headline"),
    [
        (lambda: reports.counted(20, 0, 0, 3), "Nothing flips: both models are right on the same samples."),
        (lambda: reports.counted(20, 0, 5, 3), "The new model mends 5 answers and breaks none."),
        (lambda: reports.counted(900, 1, 99, 0), BETTER),
        (lambda: reports.counted(900, 99, 1, 0), WORSE),
        (lambda: reports.counted(90, 5, 5, 0), UNCLEAR),
        (lambda: compare_scores([0.5] * 3, [0.5] * 3), "Nothing flips: no score changes by more than the tolerance."),
        (lambda: compare_scores([0.5] * 9, [0.9] * 9), "The new model raises 9 scores and lowers none."),
    ],
)
def test_headlines(report, headline):
    assert verdict.headline(report()) == headline


def test_the_lead_in_full():
    assert verdict.lead(reports.counted(80, 5, 10, 5)) == (
        "On 100 samples accuracy goes from 85.0% to 90.0%, a change of +5.0 points (95% interval \u22122.9 to +13.3 "
        "points). Of all answers, 1 in 20 was right and is now wrong."
    )


def test_the_same_report_gives_the_same_page():
    report, date = reports.classifier(), datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert render(report, date=date) == render(report, date=date)


def test_every_rate_of_a_report_has_a_meaning():
    for report in (reports.classifier(), reports.graded()):
        page = render(report)
        assert page.count('<tr role="row"><th role="rowheader" scope="row">') == len(report.rates)
        assert r"<small></small>" not in page


def test_writing(tmp_path):
    report = reports.counted(5, 1, 1, 1)
    path = write_report(report, tmp_path / "report.html", title="Spring update", command="segue compare a b")
    page = path.read_text(encoding="utf-8")
    assert "Spring update" in page
    assert "segue compare a b" in page


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"can't be written to .*No such file or directory"):
        write_report(reports.counted(5, 1, 1, 1), tmp_path / "no" / "report.html")


def test_what_is_no_report():
    with pytest.raises(InputError, match="report is a dict"):
        render({})
    with pytest.raises(InputError, match="picture_budget is -1"):
        render(reports.counted(5, 1, 1, 1), picture_budget=-1)
