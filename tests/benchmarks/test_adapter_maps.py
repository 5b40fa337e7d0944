"""The claims and the page of the adapters follow from the rows of the records, and from nothing else."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks.adapters import backfill, claimed, curve, table
from benchmarks.adapters.texts import DIGITS, L3, draw
from benchmarks.record import RESULTS, read_rows

pytest.importorskip("torch")
tried = pytest.importorskip("benchmarks.adapters.tried")


def row(side, adapter, seed, change, *, pairs=2000, old=L3, reach=0.01, **told):
    """A row of a map that changes cmc@1 by so much, where old/old is 0.6 and new/new 0.7."""
    cells = {
        "old_old": [0.6, 0.59, 0.61],
        "new_old": [0.6 + change, 0.0, 1.0],
        "new_new": [0.7, 0.69, 0.71],
        "gain": [round(10 * change, 6), 0.0, 1.0],
        "criterion": [change, change - reach, change + reach],
    }
    named = {"old": old, "pairs": pairs, "seed": seed, "side": side, "adapter": adapter}
    return {**named, "cmc@1": cells, "seconds": 1.0, **told}


GALLERY, QUERIES, BLEND = (tried.DEFAULTS[side] for side in tried.SIDES)
ROWS = [
    *(row("gallery", GALLERY, seed, change) for seed, change in enumerate([0.06, 0.08, 0.10])),
    *(row("gallery", "peer: default", seed, 0.03) for seed in range(3)),
    *(row("gallery", "peer: better", seed, 0.05) for seed in range(3)),
    *(row("queries", QUERIES, seed, change) for seed, change in enumerate([0.03, 0.005, 0.04])),
    *(row("blend", BLEND, seed, 0.04) for seed in range(3)),
    row("gallery", "fit_best", 0, 0.03, pairs=500, recommended=True, verdict="yes", chosen="Ridge()"),
    row("queries", "fit_best", 0, -0.05, pairs=500, recommended=False, verdict="can't tell", chosen="Ridge()"),
    row("gallery", "fit_best", 1, -0.004, pairs=500, recommended=True, verdict="yes", chosen="Ridge()"),
]


def claims_by_name(rows):
    return {claim.name: claim for claim in claimed.claims(rows)}


def test_gains_are_means_over_seeds_held_against_the_bar_of_their_side():
    found = claims_by_name(ROWS)
    gallery, blend = found["adapters.gallery.gain_default"], found["adapters.blend.gain_default"]
    assert gallery.value == pytest.approx(0.8)
    assert gallery.low == pytest.approx(0.8 - 4.302653 * 0.2 / np.sqrt(3), abs=1e-5)  # Student's t, 2 degrees
    assert (gallery.bar, gallery.holds) == (">= 0.7", True)
    assert (blend.bar, blend.value, blend.holds) == (">= 0.5", pytest.approx(0.4), False)


def test_the_criterion_is_met_if_its_interval_is_above_zero_in_every_seed():
    found = claims_by_name(ROWS)["adapters.queries.criterion_low_default"]
    assert found.value == pytest.approx(0.005 - 0.01)
    assert not found.holds
    assert claims_by_name([one for one in ROWS if one["seed"] != 1])["adapters.queries.criterion_low_default"].holds


def test_the_best_variant_of_all_peers_is_compared_seed_by_seed():
    found = claims_by_name(ROWS)["adapters.gallery.over_best_peer"]
    assert "(peer: better, 0.50" in found.statement
    assert found.value == pytest.approx(0.3)


def test_following_means_staying_with_the_old_model_where_nothing_is_recommended():
    found = claims_by_name(ROWS)
    worst, shown = found["adapters.few_pairs.worst"], found["adapters.few_pairs.shown_worse"]
    assert (worst.value, worst.low, worst.high) == (-0.004, pytest.approx(-0.014), pytest.approx(0.006))
    assert not worst.holds
    assert (shown.value, shown.holds) == (0.0, True)
    assert "3 cases" in worst.statement
    assert "2 were recommended" in worst.statement
    bad = [*ROWS, row("gallery", "fit_best", 2, -0.05, pairs=500, recommended=True, verdict="yes", chosen="Ridge()")]
    assert claims_by_name(bad)["adapters.few_pairs.shown_worse"].value == 1.0


def test_a_verdict_is_wrong_where_later_queries_show_the_contrary():
    told = [
        ("yes", -0.05, "wrong_yes"),
        ("yes", -0.005, None),  # its interval holds 0
        ("no", 0.05, "wrong_no"),
        ("no", 0.005, None),
        ("can't tell", 0.05, None),
    ]
    for verdict, change, wrong in told:
        one = row("queries", "fit_best", 0, change, recommended=verdict == "yes", verdict=verdict, chosen="Ridge()")
        found = claims_by_name([one])
        counts = {name: found[f"adapters.fit_best.{name}"].value for name in ("wrong_yes", "wrong_no")}
        assert counts == {name: float(name == wrong) for name in counts}


@pytest.mark.parametrize(("name", "script"), [("maps", claimed), ("backfill", backfill)])
def test_the_claims_of_the_records_are_those_of_their_rows(name, script):
    record = json.loads((RESULTS / "adapters" / f"{name}.json").read_text(encoding="utf-8"))
    assert [claim.to_dict() for claim in script.claims(record["rows"])] == record["claims"]
    assert {row["seed"] for row in record["rows"]} == set(record["seeds"])


def test_the_page_and_its_picture_are_those_of_the_records():
    maps, orders = read_rows("adapters", "maps"), read_rows("adapters", "backfill")
    assert table.PAGE.read_text(encoding="utf-8") == table.page(maps, orders)
    assert table.IMAGE.read_text(encoding="utf-8") == curve.drawing(maps)


def test_a_line_of_the_page():
    told = [one for one in ROWS if one["side"] == "queries" and one["pairs"] == 2000]
    assert table.line_of(told, whole=False) == "| KernelAdjoint | 62.50% (1.80) | 0.25 (0.18) | +2.50 | 2, 0 | 1 s |"


def test_the_picture_is_drawn_left_to_right_and_upwards():
    rows = [row("gallery", GALLERY, 0, 0.01 * place, pairs=pairs) for place, pairs in enumerate((100, 500, 2000))]
    picture = ElementTree.fromstring(curve.drawing(rows))
    dots = picture.findall("{http://www.w3.org/2000/svg}circle")
    assert len(dots) == 3
    across, down = ([float(dot.get(name)) for dot in dots] for name in ("cx", "cy"))
    assert across == sorted(across)
    assert down == sorted(down, reverse=True)
    assert down[0] == curve.TOP + curve.HEIGHT / 2  # a gain of 0


def test_the_picture_says_where_its_edge_hides_something():
    rows = [row("gallery", GALLERY, 0, 0.1 * gain, pairs=pairs) for gain, pairs in ((-1.5, 100), (-1, 500), (0, 2000))]
    picture = ElementTree.fromstring(curve.drawing(rows))
    dots = picture.findall("{http://www.w3.org/2000/svg}circle")
    assert [float(dot.get("cy")) for dot in dots[:2]] == [curve.TOP + curve.HEIGHT] * 2
    assert [dot.get("fill") == "#ffffff" for dot in dots] == [True, False, False]
    words = [text.text for text in picture.findall("{http://www.w3.org/2000/svg}text")]
    assert {"≤ -1", "update gain (hollow: below -1)"} <= set(words)


def test_a_draw_keeps_its_gallery_and_the_first_of_its_pairs_and_shares_none():
    few, many = draw(DIGITS, 3, 100, 600), draw(DIGITS, 3, 300, 600)
    assert np.array_equal(few.gallery, many.gallery)
    assert np.array_equal(few.pairs, many.pairs[:100])
    assert not np.intersect1d(many.gallery, many.pairs).size
    assert not np.array_equal(few.gallery, draw(DIGITS, 4, 100, 600).gallery)


def test_a_map_meets_what_it_was_made_for():
    case = draw(DIGITS, 0, 100, 600)
    found = {(one.side, one.adapter): one for one in tried.searches(case, every=False, train=False, best=False)}
    assert set(found) >= set(tried.DEFAULTS.items())
    for (side, _), one in found.items():
        dimension = 64 if side == "gallery" else 16
        assert one.queries.shape == (397, dimension)
        assert one.gallery.shape == (600, dimension)


def test_a_blend_of_a_fitted_map_is_that_of_a_slerp():
    case = draw(DIGITS, 0, 100, 600)
    fitted = tried.KernelAdjoint().fit(*case.paired[::-1])
    whole = tried.Slerp(adapter=tried.KernelAdjoint(), amount=0.3).fit(*case.paired[::-1])
    old, new = case.queries
    assert tried.blended(fitted, 0.3).blend(new, old) == pytest.approx(whole.blend(new, old), abs=1e-5)


def test_an_order_gains_over_the_random_ones_query_by_query():
    told = backfill.judged(np.array([0.5, 0.75, np.nan]), np.array([0.5, 0.5, np.nan]))
    assert told["area"] == 0.625
    assert told["gained"][0] == 0.125


def test_an_order_that_begins_with_what_is_worst_gains():
    case = backfill.case_of(DIGITS, 0)
    wrong = np.arange(len(case.gallery)) % 2 == 0
    mapped = np.where(wrong[:, None], case.stored[1][::-1], case.stored[1])
    first = np.argsort(~wrong, kind="stable")
    areas = [backfill.area(case, mapped, order, "cmc@1") for order in (first, first[::-1])]
    assert areas[0].mean() > areas[1].mean() + 0.05


def test_fewer_queries_are_judged_as_before():
    case = backfill.case_of(DIGITS, 0)
    few = backfill.fewer(case, 0)
    assert len(few.relevance) == min(397, backfill.ASKED)
    old = few.values("map", few.queries[0], few.stored[0])
    assert old == pytest.approx(case.values("map", case.queries[0], case.stored[0]))
