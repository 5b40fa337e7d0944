"""The page of a compatible training: places worked by hand, what it says first, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import InputError
from segue.report.compatible_front import headline, render_compatible_front, write_compatible_front
from segue.report.compatible_plane import gallery_plane
from tools.browser import block_network


def candidate(method, new_old, new_new, **settings):
    return {"method": method, "settings": settings, "new_old": new_old, "new_new": new_new, "run": method,
            "trainings": 1.0}  # fmt: skip


def estimate(value, around=0.02):
    if value is None:
        return {"value": None, "low": None, "high": None}
    return {"value": value, "low": value - around, "high": value + around}


def cross(new_old=0.75, *, compatible="yes", gain=0.5, queries=400):
    cells = {"old_old": 0.7, "new_old": new_old, "new_new": 0.79, "paragon": 0.8}
    changes = {"criterion": new_old - 0.7, "upgrade": 0.1, "backfill_gain": 0.79 - new_old, "cost": -0.01}
    named = {name: estimate(value) for name, value in {**cells, **changes, "update_gain": gain}.items()}
    return {"measure": "cmc@1", "confidence": 0.95, "queries": queries, "compatible": compatible, **named}


def outcome(candidates=None, pick=1, front=(1, 2, 3), **more):
    found = candidates or [
        candidate("independent", 0.1, 0.8, head="linear"),
        candidate("contrastive", 0.75, 0.79, strength=0.3),
        candidate("contrastive", 0.76, 0.785, strength=1.0),
        candidate("influence", 0.78, 0.7, strength=1.0),
        candidate("influence", 0.72, 0.75, strength=0.3),
    ]
    return {
        "measure": "cmc@1",
        "rule": "the best on the old gallery",
        "margin": 0.05,
        "old_old": 0.7,
        "paragon": found[0],
        "pick": found[pick],
        "front": [found[row] for row in front],
        "candidates": found,
        "tried": [{"method": "contrastive", "candidates": 2, "trainings": 2.0, "seconds": 1.5, "note": "it diverged"}],
        "cross_test": cross(),
        **more,
    }


def test_places_by_hand():
    drawn = gallery_plane(outcome())
    # From what the rule asks for, 0.75, to 0.8, and 6% room: 0.747 to 0.803, in steps of 0.02.
    assert (drawn.new.low, drawn.new.high) == (0.74, 0.82)
    # The best, 0.78, the middle, 0.75, three times as far: 0.69; its room reaches 0.6846 to 0.7854, in steps of 0.05.
    assert (drawn.old.low, drawn.old.high) == (0.65, 0.8)
    assert [(round(one.x, 3), round(one.y, 3)) for one in drawn.spots[:2]] == [(75.0, 0.0), (62.5, 66.667)]
    assert [one.beyond for one in drawn.spots] == [True, False, False, True, False]
    assert [one.refused for one in drawn.spots] == [False, False, False, True, False]  # 0.75 is just at the margin
    assert [(one.picked, one.paragon, one.on_front) for one in drawn.spots] == [
        (False, True, False), (True, False, True), (False, False, True), (False, False, True), (False, False, False),
    ]  # fmt: skip
    assert (drawn.floor.value, round(drawn.floor.place, 3)) == (0.75, 12.5)
    assert (drawn.old_old.value, round(drawn.old_old.place, 3)) == (0.7, 33.333)
    # From the left: 0.78 high at the edge; then 0.76 up to 0.785; then 0.75 up to 0.79.
    assert drawn.steps == "M0.000 13.333V26.667H56.250V33.333H62.500"


shares = st.integers(0, 50).map(lambda number: number / 50)


@given(st.lists(st.tuples(shares, shares), min_size=1, max_size=30), shares, shares, st.data())
def test_everything_lies_in_the_picture_and_what_matters_within_its_axes(places, old, margin, data):
    found = [candidate("m", *place, n=number) for number, place in enumerate(places)]
    pick = data.draw(st.integers(0, len(found) - 1))
    drawn = gallery_plane(outcome(found, pick=pick, front=[pick], old_old=old, margin=min(margin, 0.99)))
    assert all(0 <= place <= 100 for one in drawn.spots for place in (one.x, one.y))
    assert not drawn.floor.beyond
    assert not drawn.old_old.beyond
    assert not drawn.spots[pick].beyond
    assert drawn.steps == ""


def test_the_headline_and_what_it_is_measured_on():
    assert headline(outcome()) == (
        "New queries do better on the old gallery than old ones: cmc@1 75.00% and 70.00%, on 400 validation samples"
    )
    worse = outcome(test=cross(0.65, compatible="no", gain=-0.5, queries=300))
    assert headline(worse) == (
        "New queries do not do better on the old gallery than old ones: cmc@1 65.00% and 70.00%, on 300 test samples"
    )
    page = render_compatible_front(worse)
    assert "None of what the paragon gains comes without embedding the gallery again." in page
    assert "Nothing was trained or chosen on these samples." in page
    close = outcome(cross_test=cross(0.705, compatible="can't tell", gain=None))
    assert headline(close).startswith("Too close to tell whether new queries do better on the old gallery")
    assert "What share of the upgrade that is can&#39;t be told" in render_compatible_front(close)


def test_a_pick_that_misses_the_rule_is_told():
    assert "Picked: contrastive (strength 0.3)" in render_compatible_front(outcome())
    missed = outcome(pick=3)
    assert "No candidate meets the rule; nearest to it: influence (strength 1.0)" in render_compatible_front(missed)


def test_names_are_text_and_stored_outcomes_can_be_drawn_again():
    found = [candidate("independent", 0.1, 0.8), candidate("<b>", 0.75, 0.79)]
    page = render_compatible_front(json.loads(json.dumps(outcome(found, front=[1]))), command="segue <x>")
    assert page.count('class="point') == 2
    assert "<b> " not in page
    assert "&lt;b&gt;" in page
    assert "segue &lt;x&gt;" in page


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([1], "outcome is a list; pass what Outcome.to_dict() returned"),
        ({}, "outcome lacks 'candidates'; pass what Outcome.to_dict() of segue.compatible.recipes returned"),
        (
            {**outcome(), "candidates": []},
            "outcome has no candidates; pass what Outcome.to_dict() of segue.compatible.recipes returned",
        ),
    ],
)
def test_what_is_no_outcome_is_refused(given, said):
    with pytest.raises(InputError) as error:
        render_compatible_front(given)
    assert str(error.value) == said


def test_no_training_code_is_needed():
    code = "import sys, segue.report.compatible_front; assert not {'torch', 'segue.compatible'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_in_a_browser_nothing_runs_over_the_side_or_is_asked_of_the_network(browser, tmp_path):
    path = write_compatible_front(outcome(test=cross()), tmp_path / "front.html")
    context = browser.new_context()
    asked = block_network(context)
    page = context.new_page()
    page.goto(path.as_uri())
    for width in (320, 768, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".name").all_inner_texts() == ["picked", "paragon"]
    assert page.evaluate("[...document.querySelectorAll('.point')].every(one => document.querySelector(one.hash))")
    assert asked == []
    context.close()
