import json

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from segue.errors import InputError
from segue.retrieval import Relevance, mean_difference, mean_over_queries, mixed
from segue.retrieval.backfill import area_difference, backfill_curve, random_order
from segue.retrieval.measures import query_values
from tests.retrieval import slow

# Small galleries are scored as a whole; at no cost of single pairs every cut measure goes the way of large ones.
WAYS = pytest.mark.parametrize("pair_alone", [mixed.PAIR_ALONE, 0])
MEASURES = ("cmc@1", "cmc@3", "recall@4", "precision@7", "map@5", "mrr@2", "ndcg@6", "map", "mrr", "ndcg")


def by_mixing(queries, before, after, order, relevance, steps, measure, metric):
    """Build every gallery on the way, and measure each."""
    lines = []
    for step in range(steps + 1):
        gallery = np.array(before)
        done = order[: step * len(order) // steps]
        gallery[done] = np.asarray(after)[done]
        lines.append(query_values(measure, queries, gallery, relevance, metric=metric))
    return np.array(lines)


def agrees(curve, lines, shares):
    np.testing.assert_array_equal(curve.shares, shares)
    assert curve.quality == tuple(mean_over_queries(line) for line in lines)
    np.testing.assert_allclose(curve.query_areas, np.trapezoid(lines, shares, axis=0), atol=1e-12)


def problem(rng, queries=17, items=60, dimension=5, classes=6):
    labels = rng.integers(0, classes, size=items)
    before, after = rng.normal(size=(2, items, dimension)).astype(np.float32)
    asked = rng.normal(size=(queries, dimension)).astype(np.float32)
    return asked, before, after, rng.permutation(items), labels, rng.integers(0, classes + 1, size=queries)


@WAYS
@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("metric", ["cosine", "inner-product", "l2"])
def test_every_point_is_the_measure_of_the_gallery_as_it_then_stands(measure, metric, pair_alone, rng, monkeypatch):
    monkeypatch.setattr(mixed, "PAIR_ALONE", pair_alone)
    asked, before, after, order, labels, own_labels = problem(rng)
    relevance = Relevance.from_labels(own_labels, labels)
    curve = backfill_curve(asked, before, after, order, relevance, steps=7, measure=measure, metric=metric)
    shares = np.array([step * 60 // 7 for step in range(8)]) / 60
    agrees(curve, by_mixing(asked, before, after, order, relevance, 7, measure, metric), shares)


@WAYS
@given(
    items=st.integers(2, 25), steps=st.integers(1, 25), seed=st.integers(0, 10**6), measure=st.sampled_from(MEASURES)
)
def test_it_agrees_with_mixing_under_ties_own_copies_and_grades(pair_alone, items, steps, seed, measure):
    rng = np.random.default_rng(seed)
    before, after = rng.integers(1, 3, size=(2, items, 2))
    steps = min(steps, items)
    grades = {f"q{q}": {f"i{i}": int(rng.integers(0, 4)) for i in rng.permutation(items)[:6]} for q in range(5)}
    exclude = rng.integers(-1, items, size=5)
    relevance = Relevance.from_qrels(
        grades, [f"q{q}" for q in range(5)], [f"i{i}" for i in range(items)], exclude=exclude, at_least=2
    )
    assume(relevance.totals.any())
    queries, order = rng.integers(1, 3, size=(5, 2)), random_order(items, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mixed, "PAIR_ALONE", pair_alone)
        curve = backfill_curve(queries, before, after, order, relevance, steps=steps, measure=measure)
    shares = np.array([step * items // steps for step in range(steps + 1)]) / items
    agrees(curve, by_mixing(queries, before, after, order, relevance, steps, measure, "cosine"), shares)


@pytest.mark.parametrize("measure", ["cmc@2", "map"])
def test_little_memory_changes_nothing(measure, rng):
    asked, before, after, order, labels, own_labels = problem(rng, queries=150, items=2500, dimension=64)
    relevance = Relevance.from_labels(own_labels, labels)
    arguments = (asked, before, after, order, relevance)
    whole = backfill_curve(*arguments, steps=3, measure=measure)
    small = backfill_curve(*arguments, steps=3, measure=measure, memory=1 << 20)
    assert whole.quality == small.quality
    np.testing.assert_array_equal(whole.query_areas, small.query_areas)


@WAYS
@pytest.mark.parametrize("measure", ["cmc@1", "map"])
def test_what_is_not_yet_done_may_be_searched_by_other_queries_in_another_space(measure, pair_alone, rng, monkeypatch):
    monkeypatch.setattr(mixed, "PAIR_ALONE", pair_alone)
    asked, before, after, order, labels, own_labels = problem(rng, queries=9, items=20)
    earlier, before = rng.normal(size=(9, 3)), rng.normal(size=(20, 3))
    relevance = Relevance.from_labels(own_labels, labels)
    curve = backfill_curve(
        asked, before, after, order, relevance, steps=4, measure=measure, queries_before=earlier, metric="l2"
    )
    for step, found in enumerate(curve.quality):
        done = set(order[: step * 20 // 4].tolist())
        values = []
        for query in range(9):
            scores = {
                row: float(
                    slow.score(asked[query], after[row], "l2")
                    if row in done
                    else slow.score(earlier[query], before[row], "l2")
                )
                for row in range(20)
            }
            ranking = sorted(scores, key=lambda row: (-scores[row], row))
            good = [labels[row] == own_labels[query] for row in ranking]
            values.append(slow.average_precision(good, sum(good)) if measure == "map" else float(good[0]))
            if not any(good):
                values[-1] = np.nan
        assert found == mean_over_queries(values)


def test_the_ends_are_the_plain_measures_and_the_area_of_a_straight_line_is_the_middle():
    # one query per item, found once its item is re-embedded: the share done is the share found
    after = np.eye(10)
    relevance = Relevance.from_labels(np.arange(10), np.arange(10))
    curve = backfill_curve(after, -after, after, np.arange(10), relevance, steps=10)
    assert [point.value for point in curve.quality] == [step / 10 for step in range(11)]
    assert curve.area.value == 0.5
    assert curve.query_areas.tolist() == [(19 - 2 * query) / 20 for query in range(10)]


def test_nothing_changes_where_both_galleries_are_the_same(rng):
    asked, before, _, order, labels, own_labels = problem(rng)
    relevance = Relevance.from_labels(own_labels, labels)
    curve = backfill_curve(asked, before, before, order, relevance, steps=5)
    assert len(set(curve.quality)) == 1
    assert curve.area == curve.quality[0]


def test_a_better_order_has_the_larger_area_with_a_paired_interval(rng):
    after = np.repeat(np.eye(8), 25, axis=0) + 0.01 * rng.normal(size=(200, 8))
    before = after.copy()
    broken = rng.permutation(200)[:60]
    before[broken] = rng.normal(size=(60, 8))
    labels = np.repeat(np.arange(8), 25)
    relevance = Relevance.from_labels(labels, labels, exclude=np.arange(200))
    best = np.concatenate([broken, np.setdiff1d(np.arange(200), broken)])
    curves = [backfill_curve(after, before, after, o, relevance, measure="map") for o in (random_order(200), best)]
    change = area_difference(*curves)
    assert change == mean_difference(curves[0].query_areas, curves[1].query_areas)
    assert change.low > 0
    with pytest.raises(InputError, match="the number of steps of baseline is 20 and that of curve 4; measure both"):
        area_difference(curves[0], backfill_curve(after, before, after, best, relevance, measure="map", steps=4))


def test_words_and_json():
    # both ends are right, and halfway the long vector of the one item outshouts the other
    before, after = np.eye(2), [[10.0, 9.0], [9.0, 10.0]]
    relevance = Relevance.from_labels(["cat", "dog"], ["cat", "dog"])
    curve = backfill_curve(before, before, after, [0, 1], relevance, steps=2, metric="inner-product")
    assert str(curve) == (
        "cmc@1 is 100.00% [15.81%, 100.00%] while none of the 2 gallery items are re-embedded and 100.00% [15.81%, "
        "100.00%] when all are.\n"
        "Averaged over the backfill in this order it is 75.00% [0.00%, 100.00%].\n"
        "On the way it falls to 50.00% [1.26%, 98.74%], with 50% re-embedded.\n"
        "Measured on 2 queries; brackets hold 95% intervals over them."
    )
    assert "<tr><th>re-embedded</th><th>cmc@1</th></tr>" in curve._repr_html_()
    assert curve._repr_html_().count("<tr><td>") == 3
    told = json.loads(json.dumps(curve.to_dict()))
    assert told["shares"] == [0.0, 0.5, 1.0]
    assert [point["value"] for point in told["quality"]] == [1.0, 0.5, 1.0]
    assert "On the way" not in str(backfill_curve(before, before, before, [0, 1], relevance, steps=2))


QUERIES, GALLERY = np.eye(3), np.eye(3)
NAN = np.where(np.eye(3) > 0, np.nan, 1.0)
EACH = "pass each of the gallery's 3 rows once, from 0 to 2, the first to re-embed first"


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"order": [0, 1]}, f"order has shape (2,) and type int64; {EACH}"),
        ({"order": [0.0, 1.0, 2.0]}, f"order has shape (3,) and type float64; {EACH}"),
        ({"order": [0, 1, 1]}, f"order names row 1 more than once and leaves out 1 row; {EACH}"),
        ({"order": [0, 1, 3]}, f"order names row 3 at position 2; {EACH}"),
        ({"steps": 4}, "steps is 4; pass a whole number from 1 to the gallery's 3"),
        ({"steps": 0}, "steps is 0; pass a whole number from 1 to the gallery's 3"),
        (
            {"gallery_after": np.eye(3)[:2]},
            "gallery_before has 3 rows and gallery_after 2; pass the same gallery items in the same order",
        ),
        (
            {"queries_before": np.eye(3)[:2]},
            "queries has 3 rows and queries_before 2; pass the same queries in the same order",
        ),
        (
            {"gallery_before": np.eye(3)[:, :2] + 1},
            "queries has 3 dimensions and gallery_before has 2; embed both with models of one space, or map one of "
            "them with an adapter first",
        ),
        (
            {"gallery_after": NAN},
            "gallery_after has 3 rows with NaN or infinite numbers, first at row 0; remove these rows or embed them "
            "again",
        ),
        (
            {"relevance": Relevance.from_labels([0], [0, 1, 2])},
            "queries and gallery_before have 3 and 3 rows, relevance 1 and 3; pass the relevance of these queries in "
            "this gallery",
        ),
        (
            {"relevance": Relevance.from_labels([7, 8, 9], [0, 1, 2])},
            "relevance has nothing relevant to any of the 3 queries; check that queries and gallery name the same "
            "labels or ids",
        ),
        ({"seed": -1}, "seed is -1; pass a whole number of at least 0"),
        ({"metric": "dot"}, "metric is 'dot'; pass one of 'cosine', 'inner-product', 'l2'"),
    ],
)
def test_mistakes(changed, sentence):
    relevance = Relevance.from_labels([0, 1, 2], [0, 1, 2])
    arguments = {
        "queries": QUERIES, "gallery_before": GALLERY, "gallery_after": GALLERY, "order": [2, 0, 1],
        "relevance": relevance, "steps": 3,
    } | changed  # fmt: skip
    with pytest.raises(InputError) as caught:
        backfill_curve(**arguments)
    assert str(caught.value) == sentence


def test_a_random_order_needs_items():
    with pytest.raises(InputError, match="items is 0; pass the number of gallery items, at least 1"):
        random_order(0)


@pytest.mark.parametrize("seed", [-1, "a"])
def test_a_random_order_needs_a_seed(seed):
    with pytest.raises(InputError) as caught:
        random_order(4, seed=seed)
    assert str(caught.value) == f"seed is {seed!r}; pass a whole number of at least 0"


def test_only_curves_are_compared():
    with pytest.raises(InputError) as caught:
        area_difference([0.5, 0.7], None)
    assert str(caught.value) == "baseline is a list; pass what backfill_curve(...) returns"
