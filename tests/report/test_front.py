"""The page of all candidates: places worked by hand, and what a reader sees of it in a real browser."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import expect

from segue.errors import InputError
from segue.report.front import headline, render_front, shown_first, write_front
from segue.report.plane import SHAPES, marks, plane, refusals
from tests.report.test_accessibility import CONTRASTS, name, role
from tools.browser import block_network

OLD_RIGHT = 800


def candidate(method, right, broken, *, passes=1, trainings=1.0, **settings):
    """A candidate on 1,000 samples of which the old model gets 800 right."""
    mended = right - (OLD_RIGHT - broken)
    return {
        "method": method,
        "settings": settings,
        "counts": {
            "both_right": OLD_RIGHT - broken,
            "negative_flips": broken,
            "positive_flips": mended,
            "both_wrong_same": 1000 - OLD_RIGHT - mended,
            "both_wrong_differ": 0,
        },
        "accuracy": right / 1000,
        "negative_flip_rate": broken / 1000,
        "positive_flip_rate": mended / 1000,
        "relative_negative_flip_rate": broken / (OLD_RIGHT * (1 - right / 1000)) if right < 1000 else 0.0,
        "trainings": trainings,
        "passes": passes,
        "runs": [method],
    }


def outcome(candidates, pick=0, front=None, **more):
    plain = candidates[0]
    picked = candidates[pick]
    step = {"trainings": 1.0, "seconds": 2.5, "candidates": len(candidates), "pick": picked["method"]}
    step |= {"accuracy": picked["accuracy"], "negative_flip_rate": picked["negative_flip_rate"]}
    return {
        "rule": "the fewest negative flips",
        "passes": 1,
        "margin": 0.0,
        "max_negative_flip_rate": None,
        "plain": plain,
        "pick": picked,
        "front": [candidates[row] for row in (front or [pick])],
        "candidates": candidates,
        "tried": [{"name": "training without a constraint", "note": "", **step},
                  {"name": "fine-tuning", "note": "left out: no time", **step}],
        "test": None,
        "plain_test": None,
        **more,
    }  # fmt: skip


def small(**more):
    found = [candidate("independent", 860, 60), candidate("tuned", 880, 20, weight=0.1), candidate("pair", 850, 5)]
    return outcome(found, pick=1, front=[1, 2], **more)


def many():
    """60 candidates of 12 methods, two of them far away, some at the same place, some that the rule does not allow."""
    methods = [f"method-{number}" for number in range(12)]
    found = [candidate("independent", 860, 60)]
    found += [
        candidate(methods[row % 12], 830 + (7 * row) % 45, 4 + (11 * row) % 50, passes=1 + (row % 12 == 3), alpha=row)
        for row in range(56)
    ]
    found += [candidate("method-1", 861, 59), candidate("method-2", 150, 700), candidate("method-2", 861, 59)]
    best = min(range(len(found)), key=lambda row: (found[row]["negative_flip_rate"], -found[row]["accuracy"]))
    return outcome(found, pick=best, margin=0.005)


def test_places_by_hand():
    drawn = plane(small())
    # Accuracies from 80% (the old model) to 88%, and 6% room: 79.52% to 88.48%, in steps of 2.5%.
    assert (drawn.accuracy.low, drawn.accuracy.high) == (0.775, 0.9)
    assert (drawn.flips.low, drawn.flips.high) == (0.0, 0.08)
    assert [(round(point.x, 4), round(point.y, 4)) for point in drawn.points] == [
        (68.0, 75.0),
        (84.0, 25.0),
        (60.0, 6.25),
    ]
    # Of the front the rule accepts one point alone: "pair" is less accurate than 86%. A point needs no line.
    assert drawn.steps == ""
    assert drawn.old.value == 0.8
    assert round(drawn.old.place, 4) == 20.0
    assert drawn.least_accuracy.value == 0.86
    assert drawn.most_flips is None
    assert [(point.picked, point.plain, point.on_front) for point in drawn.points] == [
        (False, True, False), (True, False, True), (False, False, False)]  # fmt: skip


def ladder(**more):
    """A front of six, one of which the rule refuses for each reason there is, and one that is beaten."""
    found = [
        candidate("independent", 860, 60),
        candidate("few", 840, 4),  # too inaccurate with a margin of 1 point
        candidate("low", 855, 10),
        candidate("middle", 870, 20),
        candidate("high", 880, 40),
        candidate("beaten", 870, 30),
        candidate("pair", 900, 50, passes=2),  # too many models
    ]
    return outcome(found, **{"pick": 2, "front": [4, 3, 2, 1], "margin": 0.01, **more})


def test_the_line_joins_what_the_rule_accepts_and_nothing_else():
    drawn = plane(ladder())
    x, y = ({point.values["method"]: one(point) for point in drawn.points} for one in
            (lambda point: f"{point.x:.3f}", lambda point: f"{100 - point.y:.3f}"))  # fmt: skip
    # What is more accurate than "low" costs the flips of "middle" at once, and so on; it ends at the last point.
    assert drawn.steps == f"M{x['low']} {y['low']}V{y['middle']}H{x['middle']}V{y['high']}H{x['high']}"
    assert [point.values["method"] for point in drawn.points if point.on_front] == ["low", "middle", "high"]
    assert [point.refused for point in drawn.points] == [(), ("accuracy",), (), (), (), (), ("models",)]
    # With a budget of 2% flips it is another part of the same front.
    drawn = plane(ladder(margin=None, max_negative_flip_rate=0.02, pick=3))
    assert [point.values["method"] for point in drawn.points if point.on_front] == ["few", "low", "middle"]
    assert drawn.points[6].refused == ("models", "flips")
    # Where the rule accepts nothing there is no line.
    assert plane(ladder(margin=None, max_negative_flip_rate=0.001, pick=1)).steps == ""


def test_what_lies_exactly_at_the_limit_is_accepted():
    for right in range(500, 1000):
        at = {"passes": 1, "margin": 0.003, "plain": {"accuracy": (right + 3) / 1000}}
        assert refusals(at, candidate("m", right, 0)) == ()
        assert refusals(at, candidate("m", right - 1, 0)) == ("accuracy",)


def test_refused_candidates_far_away_leave_the_accepted_ones_room():
    # Half of all candidates are 10 points below what the rule accepts.
    found = [candidate("independent", 900, 30), candidate("tuned", 910, 20), candidate("soup", 905, 10)]
    found += [candidate("weak", 800 + n, 2, n=n) for n in range(6)]
    drawn = plane(outcome(found, pick=2, front=[1, 2]))
    assert drawn.accuracy.low > 0.85
    assert [point.beyond for point in drawn.points] == [False] * 3 + [True] * 6


def test_a_budget_of_flips_is_a_line_across():
    drawn = plane(small(margin=None, max_negative_flip_rate=0.02))
    assert drawn.least_accuracy is None
    assert (drawn.most_flips.place, drawn.most_flips.beyond) == (25.0, False)
    assert plane(small(margin=None, max_negative_flip_rate=0.9)).most_flips.beyond


def test_a_model_far_away_is_drawn_at_the_edge_and_squeezes_nothing():
    drawn = plane(many())
    (far,) = [point for point in drawn.points if point.values["accuracy"] == 0.15]
    assert far.beyond
    assert (far.x, far.y) == (0.0, 100.0)
    assert drawn.accuracy.low > 0.7
    # So is the old model, where all others are much better.
    better = [candidate("independent", 990, 2), candidate("tuned", 991, 1)]
    assert plane(outcome(better)).old.beyond


def test_methods_differ_in_shape_or_filling_without_colour():
    found = marks([f"m{number}" for number in range(24)]).values()
    assert len({(mark.shape, mark.hollow) for mark in found}) == 24
    assert len(SHAPES) == 12


shares = st.integers(700, 1000)


@given(st.lists(st.tuples(shares, st.integers(0, 100)), min_size=1, max_size=40), st.data())
def test_everything_lies_in_the_picture_and_nothing_allowed_beyond_the_front(places, data):
    found = [candidate("m", max(right, OLD_RIGHT - broken), broken, n=n) for n, (right, broken) in enumerate(places)]
    front, lowest = [], 1.0
    for one in sorted(found, key=lambda one: (-one["accuracy"], one["negative_flip_rate"])):
        if one["negative_flip_rate"] < lowest:
            front.append(found.index(one))
            lowest = one["negative_flip_rate"]
    drawn = plane(outcome(found, pick=data.draw(st.sampled_from(front)), front=front))
    for point in drawn.points:
        assert 0 <= point.x <= 100
        assert 0 <= point.y <= 100
    for one in (found[0], *(found[row] for row in front[:1])):
        assert not drawn.accuracy.beyond(one["accuracy"])
    # The line goes through accepted points alone, each at its place.
    accepted = {(f"{one.x:.3f}", f"{100 - one.y:.3f}") for one in drawn.points if not one.refused}
    if drawn.steps:
        start, *corners = re.findall(r"M([\d.]+) ([\d.]+)|V([\d.]+)H([\d.]+)", drawn.steps)
        assert {(start[0], start[1]), *((x, y) for _, _, y, x in corners)} <= accepted
    heights = [float(y) for y in re.findall(r"[ V]([\d.]+)", drawn.steps)]
    assert heights == sorted(heights, reverse=True)
    places_right = [float(x) for x in re.findall(r"H([\d.]+)", drawn.steps)]
    assert places_right == sorted(places_right)


def test_the_headline_says_what_was_bought():
    assert headline(small()) == (
        "67% fewer broken answers than without a constraint, accuracy +2.0 points, on 1,000 validation samples"
    )
    assert headline(outcome([candidate("independent", 860, 60)])) == (
        "The unconstrained model was picked: nothing that was tried is better"
    )
    same = outcome([candidate("independent", 860, 60), candidate("tuned", 880, 60)], pick=1)
    assert headline(same) == (
        "The pick breaks 6.00% of 1,000 validation samples, the unconstrained model 6.00%; accuracy +2.0 points"
    )
    unmet = small(margin=None, max_negative_flip_rate=0.001)
    assert headline(unmet) == "No candidate meets the rule; the nearest breaks 2.00% of 1,000 validation samples"
    assert "Nearest to the rule (the fewest negative flips): tuned (weight 0.1). On" in render_front(unmet)


def test_the_headline_counts_what_is_too_few_for_a_percentage():
    few = outcome([candidate("independent", 860, 2), candidate("tuned", 880, 1)], pick=1)
    assert headline(few) == (
        "1 broken answer instead of 2 without a constraint, accuracy +2.0 points, on 1,000 validation samples"
    )


@pytest.mark.parametrize(("after", "said"), [(0, "100%"), (1, "99.92%"), (1000, "17%"), (1199, "0.08%")])
def test_the_headline_rounds_nothing_to_all_or_nothing(after, said):
    tested = small(test=measured(0.87, after / 2000), plain_test=measured(0.87, 0.6))
    assert headline(tested).startswith(f"{said} fewer broken answers")


def test_the_first_sentences_are_about_test_samples_where_there_are_any():
    tested = small(test=measured(0.87, 0.03), plain_test=measured(0.85, 0.07))
    assert headline(tested) == (
        "57% fewer broken answers than without a constraint, accuracy +2.0 points, on 2,000 test samples"
    )
    page = render_front(tested)
    told = (
        "On 2,000 test samples it is right on 87.00% and breaks 3.00%; the unconstrained model is right on 85.00% and "
        "breaks 7.00%. Nothing was trained or chosen on these samples."
    )
    assert told in page
    assert "Accuracy against broken answers, on 1,000 validation samples</h2>" in page
    assert "the numbers above were measured on test samples, and differ" in page
    # One test report alone compares nothing.
    for partly in (small(), small(test=measured(0.87, 0.03))):
        assert "on 1,000 validation samples" in headline(partly)
        assert "It was chosen on these samples, which flatters the numbers a little." in render_front(partly)


def test_first_come_the_pick_the_unconstrained_model_and_the_front():
    found = ladder()
    first = shown_first(plane(found), found["front"])
    assert [point.values["method"] for point in first] == ["low", "independent", "high", "middle"]
    page = render_front(found)
    ahead, folded = page.split("<details", maxsplit=1)
    assert re.findall(r'id="row-(\d+)"', ahead) == ["3", "1", "5", "4"]
    assert re.findall(r'id="row-(\d+)"', folded) == ["2", "6", "7"]
    assert "<summary>3 other candidates</summary>" in folded
    assert [told in folded for told in (">too inaccurate<", ">too many models<")] == [True, True]
    assert "<details" not in render_front(outcome([candidate("independent", 860, 60)]))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([1], "outcome is a list; pass what Outcome.to_dict() returned"),
        ({"candidates": []}, "outcome lacks 'front'; pass what Outcome.to_dict() returned"),
        ({**small(), "candidates": []}, "outcome has no candidates; pass what Outcome.to_dict() returned"),
    ],
)
def test_what_is_no_outcome_is_refused(given, said):
    with pytest.raises(InputError) as error:
        render_front(given)
    assert str(error.value) == said


def test_a_path_that_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(InputError, match="the picture can't be written to"):
        write_front(small(), tmp_path / "missing" / "front.html")


def test_no_training_code_is_needed():
    code = "import sys, segue.report.front; assert not {'torch', 'lightning', 'segue.congruent'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_stored_outcomes_can_be_drawn_again():
    assert render_front(json.loads(json.dumps(small()))).count('class="point') == 3


def measured(right, broken):
    def rate(value):
        return {"value": value, "low": value - 0.01, "high": value + 0.01}

    rates = {"accuracy_old": 0.8, "accuracy_new": right, "negative_flip_rate": broken,
             "relative_negative_flip_rate": 0.25, "positive_flip_rate": 0.1}  # fmt: skip
    return {"samples": 2000, "confidence": 0.95, "rates": {key: rate(value) for key, value in rates.items()}}


def test_test_numbers_come_with_intervals():
    page = render_front(small(test=measured(0.87, 0.03), plain_test=measured(0.85, 0.07)))
    assert "2,000 samples on which nothing was trained or chosen" in page
    for told in ("87.00%", "86.00% to 88.00%", "85.00%", "3.00%", "2.00% to 4.00%", "7.00%"):
        assert told in page
    assert "On test samples" not in render_front(small())
    undefined = measured(0.87, 0.03)
    undefined["rates"]["relative_negative_flip_rate"] = {"value": None, "low": None, "high": None}
    assert "undefined" in render_front(small(test=undefined))


def test_every_candidate_is_in_the_table():
    page = render_front(small())
    row = re.search(r'<tr id="row-2".*?</tr>', page, flags=re.DOTALL)[0]
    cells = [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[dh][^>]*>.*?</t[dh]>", row)]
    assert cells == ["2", "tuned", "weight 0.1", "88.00%", "2.00%", "0.21", "10.00%", "1", "1", "picked, on the front"]


@pytest.fixture
def opened(browser, tmp_path):
    contexts = []

    def open_(found, *, width=1280, dark=False):
        path = write_front(found, tmp_path / f"front-{len(contexts)}.html")
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light", reduced_motion="reduce"
        )
        contexts.append(context)
        context.network = block_network(context)
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (page.complaints.append("a dialog opened"), dialog.dismiss()))
        page.goto(path.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()


ONE = outcome([candidate("independent", 860, 60)])
EQUAL = outcome([candidate("independent", 860, 60), *(candidate("same", 860, 60, alpha=n) for n in range(9))], pick=3)
PERFECT = outcome([candidate("independent", 1000, 0), candidate("perfect", 1000, 0, alpha=1)], pick=1)
CASES = {"small": small(), "ladder": ladder(), "many": many(), "one": ONE, "equal": EQUAL, "perfect": PERFECT}


def boxes(page, selector):
    return page.evaluate(
        "wanted => [...document.querySelectorAll(wanted)].filter(node => node.checkVisibility())"
        ".map(node => node.getBoundingClientRect().toJSON())",
        selector,
    )


def apart(one, other):
    return (
        one["right"] <= other["left"]
        or other["right"] <= one["left"]
        or one["bottom"] <= other["top"]
        or other["bottom"] <= one["top"]
    )


@pytest.mark.parametrize("case", CASES)
def test_at_every_width_nothing_runs_over_the_side_or_overlaps_or_is_asked_of_the_network(opened, case):
    page = opened(CASES[case])
    assert page.locator(".point").count() == len(CASES[case]["candidates"])
    for width in (320, 390, 768, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        named = boxes(page, ".name")
        assert len(named) in {1, 2}
        assert len(named) == 1 or apart(*named)
        assert all(box["left"] >= 0 and box["right"] <= width for box in named)
        for axis in (".ticks.up span", ".ticks.across span"):
            ticks = boxes(page, axis)
            assert len(ticks) >= 2
            assert all(apart(one, other) for row, one in enumerate(ticks) for other in ticks[:row])
    assert page.context.network == []
    assert page.complaints == []


def test_a_tooltip_opens_at_a_mark_that_is_focused_or_pointed_at_and_stays_on_the_page(opened):
    page = opened(many())
    page.keyboard.press("Tab")  # what is focused from here on is shown as by the keyboard
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        tips = page.evaluate(
            """() => [...document.querySelectorAll(".point")].map(point => {
                point.focus();
                const open = [...document.querySelectorAll(".tip")].filter(tip => tip.checkVisibility());
                return open.map(tip => [tip.parentElement === point, tip.getBoundingClientRect().toJSON()]);
            })"""
        )
        assert len(tips) == 60
        for ((own, box),) in tips:
            assert own
            assert box["left"] >= 0
            assert box["right"] <= width
    page.evaluate("document.activeElement.blur()")
    assert boxes(page, ".tip") == []
    page.locator(".point.picked").hover()
    expect(page.locator(".point.picked .tip")).to_contain_text("picked, on the front")


def test_a_mark_leads_to_its_row(opened):
    page = opened(small())
    page.locator(".point.picked").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#row-2"
    assert page.locator("tr:target").inner_text().startswith("2")
    expect(page.locator("#row-2")).to_be_in_viewport()


def test_a_mark_opens_what_its_row_is_folded_in(opened):
    page = opened(ladder())
    assert not page.locator("#row-7").is_visible()
    page.locator(".point").nth(6).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#row-7")).to_be_in_viewport()
    assert page.locator("tr:target").inner_text().startswith("7")


def test_the_folded_rows_are_printed_and_found(opened):
    page = opened(ladder())
    row = page.locator("#row-7")
    # Chromium opens what it finds in a closed <details>, as it does for a link to a text.
    page.goto(page.url + "#:~:text=too%20many%20models")
    expect(row).to_be_visible()
    page.reload()
    page.evaluate("document.querySelector('details').open = false")
    assert not row.is_visible()
    page.emulate_media(media="print")
    assert row.is_visible()


@pytest.mark.parametrize("case", ["ladder", "many"])
def test_tables_fit_a_window_or_scroll_by_themselves(opened, case):
    page = opened(CASES[case], width=1200)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    wide = "[...document.querySelectorAll('.scroll')].map(one => one.scrollWidth - one.clientWidth)"
    assert max(page.evaluate(wide)) <= 0
    page.set_viewport_size({"width": 400, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert max(page.evaluate(wide)) > 0
    # A row keeps its name in sight.
    page.evaluate("for (const one of document.querySelectorAll('.scroll')) one.scrollLeft = 9999")
    method, role_of = boxes(page, "#row-1 th")[0], boxes(page, "#row-1 td:last-child")[0]
    assert 0 <= method["left"] < method["right"] <= role_of["left"]
    assert role_of["right"] <= 400


def test_equal_candidates_say_so(opened):
    tip = opened(EQUAL).locator(".point").first.get_attribute("aria-label")
    assert tip.endswith("at the same place: row 2, row 3, row 4, ..., unconstrained")


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_stands_out_from_what_is_behind_it(opened, dark):
    page = opened(ladder() | {"test": measured(0.87, 0.03)}, dark=dark)
    page.evaluate("document.querySelector('details').open = true")
    page.locator(".point.picked").hover()
    found = page.evaluate(CONTRASTS)
    assert len(found) > 100
    assert [(round(ratio, 2), text) for ratio, text in found if ratio < 4.5] == []


def luminance(colour):
    values = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in values]
    return sum(share * value for share, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_the_marks_stand_out_from_the_page():
    sheets = [(resources.files("segue.report") / "templates" / one).read_text() for one in ("report.css", "front.css")]
    pages = re.findall(r"--page: (#[0-9a-f]{6});", sheets[0])[:2]
    palettes = [re.findall(r"--c\d: (#[0-9a-f]{6});", block) for block in re.findall(r":root \{(.*?)\}", sheets[1])]
    for page, palette in zip(pages, palettes, strict=True):
        assert len(set(palette)) == 7
        for colour in palette:
            low, high = sorted((luminance(page), luminance(colour)))
            assert (high + 0.05) / (low + 0.05) >= 4.5


def test_a_screen_reader_finds_the_marks_the_tables_and_headings_in_order(opened):
    page = opened(many())
    session = page.context.new_cdp_session(page)
    nodes = [node for node in session.send("Accessibility.getFullAXTree")["nodes"] if not node.get("ignored")]
    links = [name(node) for node in nodes if role(node) == "link"]
    assert len(links) == 61
    assert all(links)
    assert sum("picked" in one for one in links) == 1
    assert sum(role(node) == "table" for node in nodes) == 2  # a third is folded
    assert sum(role(node) == "DisclosureTriangle" for node in nodes) == 1
    described = [node["description"]["value"] for node in nodes if node.get("description", {}).get("value")]
    assert any(one.startswith("Measured on 1,000 validation samples: 60 candidates, ") for one in described)
    levels = [
        next(one["value"]["value"] for one in node["properties"] if one["name"] == "level")
        for node in nodes
        if role(node) == "heading"
    ]
    assert levels[0] == 1
    assert all(level <= 2 for level in levels[1:])
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(node => node.id)")
    assert len(ids) == len(set(ids))


HOSTILE = "</style><script>alert(1)</script>"


def test_hostile_names_are_only_text(opened):
    found = [
        candidate("independent", 860, 60),
        candidate(HOSTILE, 880, 20, **{'"><img src=x onerror=alert(2)>': "\ud7ff"}),
    ]
    page = opened(outcome(found, pick=1, rule=HOSTILE))
    assert page.complaints == []
    assert page.locator("script, img").count() == 0
    expect(page.locator("#row-2 th")).to_contain_text(HOSTILE)


def test_the_page_prints(opened):
    page = opened(small())
    assert page.pdf(format="A4").startswith(b"%PDF")
