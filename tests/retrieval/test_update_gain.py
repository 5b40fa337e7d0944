import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from segue.flips.estimate import Estimate
from segue.retrieval import mean_difference
from segue.retrieval.update_gain import update_gain

HITS = st.lists(st.tuples(*[st.integers(0, 1)] * 3), min_size=20, max_size=80)


def gain_of(old, bridged, best, **options):
    return update_gain(old, bridged, best, mean_difference(old, best, **options), **options)


def test_by_hand():
    # of ten queries the old system finds 2, the bridge 5, the goal 8: (5 - 2) / (8 - 2)
    old, bridged, best = (np.repeat([1.0, 0.0], [right, 10 - right]) for right in (2, 5, 8))
    assert gain_of(old, bridged, best).value == 0.5
    assert gain_of(old, bridged[::-1], best).value == 0.5


def fieller(gained, whole, confidence=0.95):
    """The roots of the quadratic in the ratio (Fieller, 1954)."""
    count = len(gained)
    t = stats.t.ppf((1 + confidence) / 2, count - 1)
    (top, both), (_, bottom) = np.cov(gained, whole) / count
    a = whole.mean() ** 2 - t**2 * bottom
    b = -2 * (gained.mean() * whole.mean() - t**2 * both)
    c = gained.mean() ** 2 - t**2 * top
    assert a > 0
    return sorted(np.roots([a, b, c]))


def drawn(rng, queries, shares, graded=False):
    """Three systems that find shares of the queries, mostly the same ones."""
    one, alone = rng.random((queries, 1)), rng.random((queries, 3))
    hits = (np.where(rng.random((queries, 3)) < 0.6, one, alone) < np.array(shares)).astype(float)
    return (0.6 * hits + 0.4 * rng.random((queries, 3)) if graded else hits).T


@pytest.mark.parametrize("graded", [False, True])
def test_agrees_with_fiellers_roots_where_many_queries_change(rng, graded):
    old, bridged, best = drawn(rng, 3000, (0.4, 0.5, 0.7), graded)
    found, (low, high) = gain_of(old, bridged, best), fieller(bridged - old, best - old)
    assert found.low <= low + 1e-5
    assert found.high >= high - 1e-5
    assert found.high - found.low == pytest.approx(high - low, rel=0.15)


@pytest.mark.parametrize(
    ("queries", "shares", "graded"),
    [(60, (0.5, 0.56, 0.7), False), (80, (0.5, 0.56, 0.7), True), (300, (0.9, 0.95, 0.98), False),
     (400, (0.3, 0.3, 0.4), False)],
)  # fmt: skip
def test_intervals_cover(queries, shares, graded):
    truth = (shares[1] - shares[0]) / (shares[2] - shares[0])
    covered, runs = 0, 100
    for seed in range(runs):
        found = gain_of(*drawn(np.random.default_rng(seed), queries, shares, graded))
        covered += found.low <= truth <= found.high
    assert covered >= 0.91 * runs


def test_groups_that_repeat_themselves_widen_the_interval(rng):
    cells = drawn(rng, 100, (0.4, 0.5, 0.8))
    many = [np.repeat(values, 10) for values in cells]
    grouped = gain_of(*many, groups=np.repeat(np.arange(100), 10))
    alone, single = gain_of(*many), gain_of(*cells)
    assert grouped.value == alone.value
    assert grouped.high - grouped.low > 2 * (alone.high - alone.low)
    assert grouped.high - grouped.low > 0.8 * (single.high - single.low)


@given(st.integers(0, 60), st.integers(8, 60), st.integers(0, 60))
def test_the_goal_itself_gains_all_and_the_old_system_nothing(found, mended, lost):
    old = np.repeat([1.0, 0.0, 0.0], [found, mended, lost])
    best = np.repeat([1.0, 1.0, 0.0], [found, mended, lost])
    everything, nothing = gain_of(old, best, best), gain_of(old, old, best)
    assert everything.value == 1
    assert nothing.value == 0
    # with so few queries neither is taken for certain
    assert everything.low < 1 < everything.high
    assert nothing.low < 0 < nothing.high
    assert everything.high - everything.low < 4


@given(HITS)
def test_a_gain_is_never_told_where_the_upgrade_may_be_none(hits):
    old, bridged, best = np.array(hits, dtype=float).T
    upgrade = mean_difference(old, best)
    found = gain_of(old, bridged, best)
    if upgrade.low > 0:
        assert found.low <= found.value <= found.high
        assert found.value == pytest.approx((bridged - old).sum() / (best - old).sum())
    else:
        assert math.isnan(found.value)
        assert (found.low, found.high) == (-math.inf, math.inf)
        assert found.to_dict() == {"value": None, "low": None, "high": None}


def test_what_students_interval_does_not_bound_is_unbounded():
    # The caller's interval of the upgrade excludes 0, that of the mean over two queries does not.
    old, bridged, best = np.array([0.0, 0.0]), np.array([0.1, 0.0]), np.array([0.9, 0.1])
    found = update_gain(old, bridged, best, Estimate(0.5, 0.1, 0.9))
    assert found.value == pytest.approx(0.1)
    assert (found.low, found.high) == (-math.inf, math.inf)
