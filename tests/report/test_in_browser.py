"""The report in a real browser: what a reader does with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from segue.report import write_report
from segue.report.words import DASH, MINUS
from tests.report import reports


@pytest.fixture(scope="module")
def report():
    return reports.classifier(discover=True)


@pytest.fixture
def opened(open_report, report):
    return open_report(report)


def flips_of(report, **wanted):
    columns = report.flips.columns
    return int(np.logical_and.reduce([columns[name] == value for name, value in wanted.items()]).sum())


def total(report):
    return len(report.flips)


def test_the_page_asks_the_network_for_nothing_and_complains_of_nothing(opened):
    opened.page.locator("#samples").scroll_into_view_if_needed()
    opened.page.locator("#next").click()
    assert opened.network == []
    assert all(url == opened.path.as_uri() or url.startswith("data:") for url in opened.requests)
    assert opened.complaints == []


def test_first_the_broken_samples_of_which_the_new_model_is_surest(opened, report):
    assert opened.rows("flip")[:5] == ["▼ broken"] * 5
    columns = report.flips.columns
    surest = columns["new_confidence"][columns["flip"] == "negative"].max()
    assert opened.rows("confidence")[1] == f"{100 * surest:.1f}%"


@pytest.mark.parametrize(("button", "kind"), [("Broken", "negative"), ("Mended", "positive")])
def test_showing_one_kind_of_flip(opened, report, button, kind):
    opened.page.get_by_role("button", name=button, exact=True).click()
    opened.wait(f"{flips_of(report, flip=kind)} of {total(report)} samples")
    assert set(opened.rows("flip")) == {"▼ broken" if kind == "negative" else "▲ mended"}
    expect(opened.page.get_by_role("button", name=button, exact=True)).to_have_attribute("aria-pressed", "true")
    opened.page.get_by_role("button", name="All", exact=True).click()
    opened.wait(f"{total(report)} of {total(report)} samples")


def test_filters_add_up_and_clearing_undoes_them(opened, report):
    opened.page.get_by_label("Label", exact=True).select_option("coat")
    opened.wait(f"{flips_of(report, label='coat')} of {total(report)} samples")
    opened.page.get_by_label("New answer", exact=True).select_option("bag")
    both = flips_of(report, label="coat", new="bag")
    opened.wait(f"{both} of {total(report)} samples")
    assert set(opened.rows("label")) == {"coat"}
    opened.page.get_by_role("button", name="Clear all").click()
    opened.wait(f"{total(report)} of {total(report)} samples")
    assert opened.page.get_by_label("Label", exact=True).input_value() == ""


def test_filtering_numbers_by_a_range(opened, report):
    opened.page.get_by_text("More filters").click()
    price = report.flips.columns["price"]
    opened.page.get_by_label("price, from").fill("20")
    opened.page.get_by_label("price, to").fill("40")
    inside = int(((price >= 20) & (price <= 40)).sum())
    assert 0 < inside < total(report)
    opened.wait(f"{inside} of {total(report)} samples")
    # Confidences are asked for in per cent, as they are shown.
    opened.page.get_by_label("price, from").fill("")
    opened.page.get_by_label("price, to").fill("")
    opened.page.get_by_label("New confidence, from").fill("80")
    sure = int((report.flips.columns["new_confidence"] >= 0.8).sum())
    opened.wait(f"{sure} of {total(report)} samples")


def test_searching_in_texts_whatever_the_case(opened, report):
    opened.page.get_by_label("Search in all texts").fill("GRÖSSER")
    opened.wait(f"0 of {total(report)} samples")
    assert "No sample fits." in opened.page.locator("#table tbody").inner_text()
    opened.page.get_by_label("Search in all texts").fill("GRÖßER")
    opened.wait(f"{len(range(2, total(report), 3))} of {total(report)} samples")


def test_numbers_are_sorted_as_numbers_and_missing_values_come_last(open_report):
    report = reports.counted(10, 6, 0, 0)
    report = reports.with_columns(report, {"score": np.array([9.0, 10.0, np.nan, -3.0, 100.0, 0.5])})
    opened = open_report(report)
    head = opened.page.get_by_role("columnheader", name="score")
    shown = opened.page.locator("#table tbody td[data-title='score']")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    assert shown.all_inner_texts() == ["100", "10", "9", "0.5", f"{MINUS}3", DASH]
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    assert shown.all_inner_texts() == [f"{MINUS}3", "0.5", "9", "10", "100", DASH]


def test_words_are_sorted_naturally(open_report):
    words = reports.objects(["item 10", "Item 2", None, "item 1", "Ärger", "zebra"])
    opened = open_report(reports.with_columns(reports.counted(10, 6, 0, 0), {"name": words}))
    opened.page.get_by_role("columnheader", name="name").get_by_role("button").click()
    shown = opened.page.locator("#table tbody td[data-title='name']").all_inner_texts()
    assert shown == ["Ärger", "item 1", "Item 2", "item 10", "zebra", DASH]


def test_sorting_by_the_list_does_what_the_header_does(opened):
    opened.page.get_by_label("Sort by").select_option("price")
    opened.page.get_by_role("button", name="↑ ascending").click()
    expect(opened.page.get_by_role("columnheader", name="price")).to_have_attribute("aria-sort", "descending")
    prices = [float(text) for text in opened.page.locator("#table td[data-title='price']").all_inner_texts()]
    assert prices == sorted(prices, reverse=True)


def test_turning_pages(opened, report):
    rows = total(report)
    assert rows > 100
    assert len(opened.rows("flip")) == 25
    first = opened.rows("id")
    opened.page.get_by_role("button", name="Next page").click()
    expect(opened.page.locator("#where")).to_have_text(f"26{DASH}50 of {rows}")
    second = opened.rows("id")
    assert not set(first) & set(second)
    opened.page.get_by_role("button", name="Last page").click()
    expect(opened.page.get_by_role("button", name="Next page")).to_have_attribute("aria-disabled", "true")
    opened.page.get_by_role("button", name="First page").click()
    assert opened.rows("id") == first
    opened.page.get_by_label("Rows a page").select_option("100")
    assert len(opened.rows("flip")) == 100
    assert opened.rows("id")[:50] == first + second


def test_every_flipped_sample_is_on_exactly_one_page(opened, report):
    opened.page.get_by_label("Rows a page").select_option("100")
    seen = opened.rows("id")
    while opened.page.get_by_role("button", name="Next page").get_attribute("aria-disabled") == "false":
        opened.page.get_by_role("button", name="Next page").click()
        seen += opened.rows("id")
    assert sorted(map(int, seen)) == sorted(report.flips.columns["id"].tolist())


def test_thumbnails_are_decoded(opened):
    opened.page.wait_for_function(
        "() => [...document.querySelectorAll('#table img')].every(image => image.complete && image.naturalWidth === 28)"
    )
    assert opened.page.locator("#table img").count() == 25
    assert opened.page.locator("#table img").first.get_attribute("alt").startswith("sample ")


def test_old_answer_new_answer_and_label_stand_side_by_side(opened):
    heads = opened.page.locator("#table thead th").all_inner_texts()
    assert [text.rstrip(" ↑↓") for text in heads[:8]] == [
        "picture", "Sample", "Flip", "Label", "Old answer", "Old confidence", "New answer", "New confidence",
    ]  # fmt: skip
    row = opened.page.locator("#table tbody tr").first
    label = row.locator("td.label").inner_text()
    assert row.locator("td.old").inner_text().replace("\xa0", " ").startswith(f"{label} ✓")
    assert "✗" in row.locator("td.new").inner_text()


def test_a_long_text_can_be_opened(opened):
    button = opened.page.locator("#table .more").first
    block = opened.page.locator("#table td:has(.more) .clamp").first
    before = block.bounding_box()["height"]
    button.click()
    expect(button).to_have_attribute("aria-expanded", "true")
    assert block.bounding_box()["height"] > before


def test_a_cell_of_the_heat_map_leads_to_its_samples(opened, report):
    pair = report.flip_matrix.to_dict()[0]
    opened.page.get_by_role("link", name=f"{pair['count']} of {pair['label']} became {pair['answer']}").click()
    opened.wait(f"{pair['count']} of {total(report)} samples")
    assert set(opened.rows("label")) == {pair["label"]}
    assert opened.page.get_by_label("New answer", exact=True).input_value() == pair["answer"]
    expect(opened.page.locator("#samples-title")).to_be_focused()


def test_a_slice_leads_to_its_samples(opened, report):
    opened.page.locator("#forest").get_by_role("link", name="dim").click()
    opened.wait(f"{flips_of(report, light='dim')} of {total(report)} samples")
    opened.page.locator("#forest tr", has_text="of").get_by_role("link", name="3", exact=True).click()
    opened.wait(f"{flips_of(report, shop=3)} of {total(report)} samples")


def test_the_address_remembers_what_is_shown(open_report, report):
    first = open_report(report)
    first.page.get_by_label("Label", exact=True).select_option("coat")
    first.page.get_by_role("columnheader", name="price").get_by_role("button").click()
    first.page.get_by_label("Rows a page").select_option("50")
    hash_ = first.page.evaluate("location.hash")
    again = open_report(report, at=hash_)
    assert again.rows("id") == first.rows("id")
    assert again.page.get_by_label("Label", exact=True).input_value() == "coat"


def test_an_address_that_asks_for_nonsense_is_taken_calmly(open_report, report):
    opened = open_report(report, at="#samples?nothing=1&~sort=-none&~page=999&~rows=7&price=abc..x")
    assert opened.complaints == []
    assert opened.told() == f"0 of {total(report)} samples"


def test_the_keyboard_reaches_and_works_everything(opened, report):
    page = opened.page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the flipped samples")).to_be_focused()
    reached = set()
    for _ in range(400):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.textContent"))
    for wanted in ("show-broken", "search", "sort", "clear", "next", "rows", "More filters", "price"):
        assert wanted in reached
    page.locator("#show-broken").focus()
    page.keyboard.press("Enter")
    opened.wait(f"{flips_of(report, flip='negative')} of {total(report)} samples")
    page.get_by_role("columnheader", name="price").get_by_role("button").focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("columnheader", name="price")).to_have_attribute("aria-sort", "descending")
    # Sorting again must find the button still focused.
    page.keyboard.press("Space")
    expect(page.get_by_role("columnheader", name="price")).to_have_attribute("aria-sort", "ascending")
    page.locator("#next").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#where")).to_contain_text(f"26{DASH}50")
    expect(page.locator("#next")).to_be_focused()


def test_what_is_focused_can_be_seen(opened):
    opened.page.keyboard.press("Tab")
    opened.page.keyboard.press("Tab")
    outline = opened.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_the_number_of_samples_found_is_announced(opened):
    status = opened.page.get_by_role("status")
    expect(status).to_have_attribute("aria-live", "polite")
    expect(status).to_contain_text("samples")


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 1900])
def test_nothing_runs_over_the_side_of_the_page(open_report, report, width):
    opened = open_report(report, width=width)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_page_prints(opened, tmp_path: Path):
    opened.page.emulate_media(media="print")
    assert not opened.page.locator("#controls").is_visible()
    assert not opened.page.locator("#pager").is_visible()
    assert opened.page.locator("#venn svg").is_visible()
    assert opened.page.locator("#table tbody tr").count() == 25
    printed = opened.page.pdf(format="A4", path=tmp_path / "report.pdf")
    assert printed.startswith(b"%PDF")
    assert printed.count(b"/Type /Page\n") >= 3


def test_without_javascript_everything_but_the_controls_is_there(open_report, report):
    opened = open_report(report, script=False)
    assert opened.page.locator("#table tbody tr").count() == 50
    assert opened.page.locator("#table img").first.evaluate("image => image.naturalWidth") == 28
    assert "with JavaScript" in opened.page.locator("noscript").inner_text()
    assert opened.page.locator("#forest tbody tr").count() > 10
    assert opened.page.locator("#controls").inner_text() == ""


def test_a_browser_that_cannot_unpack_says_so_and_shows_the_first_rows(browser, tmp_path):
    path = write_report(reports.large(4000), tmp_path / "old.html")
    page = browser.new_page()
    page.add_init_script("delete globalThis.DecompressionStream")
    page.goto(path.as_uri())
    expect(page.get_by_role("alert")).to_contain_text("shows only the first rows")
    assert page.locator("#table tbody tr").count() == 50
    page.close()


def test_scores(open_report):
    report = reports.graded()
    opened = open_report(report)
    assert opened.complaints == []
    changes = [float(text.replace(MINUS, "-")) for text in opened.rows("change")]
    losses = [change for change in changes if change < 0]
    assert losses == sorted(losses)
    assert opened.page.locator("svg.bars rect").count() > 5
    assert opened.page.locator("#matrix").count() == 0


def test_a_hundred_thousand_flipped_samples(open_report):
    report = reports.large()
    opened = open_report(report)
    assert opened.told() == "100,000 of 100,000 samples"
    assert opened.page.locator("#table tbody tr").count() == 25
    opened.page.get_by_label("Label", exact=True).select_option("7")
    opened.wait(f"{flips_of(report, label=7):,} of 100,000 samples")
    opened.page.get_by_role("button", name="Clear all").click()
    opened.page.get_by_label("Search in all texts").fill("sample-99999")
    opened.wait("1 of 100,000 samples")
    opened.page.get_by_label("Search in all texts").fill("")
    opened.wait("100,000 of 100,000 samples")
    opened.page.get_by_role("columnheader", name="note").get_by_role("button").click()
    expect(opened.page.get_by_role("columnheader", name="note")).to_have_attribute("aria-sort", "ascending")
    assert opened.complaints == []
