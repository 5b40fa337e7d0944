"""Data that looks like markup or script stays text."""

from __future__ import annotations

import numpy as np
import pytest

from segue.flips import compare
from segue.report import render, write_report
from tests.report import reports

SCRIPT = "<script>window.hacked = 1</script>"
CLOSING = "</script><script>window.hacked = 2</script><!--"
IMAGE = '"><img src=x onerror="window.hacked = 3">'
TEMPLATE = "{{ 7 * 7 }}{% for x in y %}"
EVIL = [SCRIPT, CLOSING, IMAGE, TEMPLATE, "javascript:alert(1)", "a&amp;b", "\u2028line", "'; drop"]


@pytest.fixture(scope="module")
def report():
    draws = np.random.default_rng(0)
    classes = np.array(EVIL)
    label = classes[draws.integers(0, len(classes), 400)]
    old = np.where(draws.random(400) < 0.8, label, classes[0])
    new = np.where(draws.random(400) < 0.8, label, classes[1])
    found = compare(
        label, old, new, slices={IMAGE: label, SCRIPT: draws.choice(["a", "b"], 400)}, names=(SCRIPT, IMAGE)
    )
    texts = reports.objects([EVIL[row % len(EVIL)] * 40 for row in range(len(found.flips))])
    nested = reports.objects([{SCRIPT: [CLOSING]} for _ in range(len(found.flips))])
    return reports.with_columns(
        found,
        {CLOSING: texts, "nested": nested, "id": np.array([f"{CLOSING}{row}" for row in range(len(found.flips))])},
    )


def test_nothing_of_the_data_runs(open_report, report):
    opened = open_report(report, title=CLOSING, command=IMAGE)
    page = opened.page
    page.get_by_text("More filters").click()
    page.get_by_label("Rows a page").select_option("100")
    page.get_by_role("button", name="Next page").click()
    assert page.evaluate("window.hacked") is None
    assert opened.complaints == []
    assert opened.network == []
    assert page.locator("script:not([type])").count() == 1
    assert page.evaluate("[...document.images].every(image => image.src.startsWith('data:'))")
    assert page.evaluate("document.querySelectorAll('[onerror], [onclick], [onload]').length") == 0


def test_it_is_shown_letter_by_letter(open_report, report):
    opened = open_report(report)
    page = opened.page
    assert page.locator("header dd").first.inner_text() == SCRIPT
    page.get_by_label("Label", exact=True).select_option(CLOSING)
    page.wait_for_function("() => document.querySelectorAll('#table td.label').length > 0")
    assert set(opened.rows("label")) == {CLOSING}
    assert SCRIPT in page.locator("#forest").inner_text()


def test_an_injected_script_is_refused_by_the_page_itself(open_report, report):
    page = open_report(report).page
    page.evaluate(
        "const node = document.createElement('script'); node.textContent = 'window.hacked = 4';"
        "document.body.append(node)"
    )
    assert page.evaluate("window.hacked") is None


def test_the_page_cannot_reach_the_network_even_if_it_tried(open_report, report):
    opened = open_report(report)
    reached = opened.page.evaluate(
        "new Promise(done => { const image = new Image(); image.onload = () => done('loaded');"
        " image.onerror = () => done('refused'); image.src = 'http://localhost:9/x.png'; })"
    )
    assert reached == "refused"
    # The page's policy refuses before anything is asked for.
    assert opened.network == []


def test_the_source_holds_no_address_to_load_from(report):
    page = render(reports.classifier())
    for word in ("http://", "https://", "//cdn", "@import", "url(http"):
        assert word not in page


def test_a_name_that_no_file_can_hold(tmp_path):
    report = compare(["\ud800", "b"] * 9, ["\ud800"] * 18, ["b"] * 18, slices={"\udfff": ["\ud801", "c"] * 9})
    assert "?" in write_report(report, tmp_path / "report.html", title="\ud802").read_text(encoding="utf-8")


def test_lone_surrogates_and_control_characters_do_no_harm(open_report):
    report = reports.with_columns(
        reports.counted(5, 3, 0, 0), {"text": reports.objects(["\ud800 lone", "bell \x07 \x00 null", "tab\tnew\nline"])}
    )
    opened = open_report(report)
    assert opened.complaints == []
    assert len(opened.rows("words")) >= 3
