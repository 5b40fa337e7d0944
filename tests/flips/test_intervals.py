import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from segue.flips import intervals
from segue.flips.counts import BOTH_WRONG_DIFFER, BOTH_WRONG_SAME, NEGATIVE_FLIP, Tally
from tests.flips import slow

CONFIDENCES = (0.8, 0.95, 0.99)


@pytest.mark.parametrize("confidence", CONFIDENCES)
@pytest.mark.parametrize(("k", "n"), [(0, 10), (10, 10), (1, 1), (3, 100), (499, 1000), (12, 10_000_000)])
def test_clopper_pearson_agrees_with_scipy_and_statsmodels(k, n, confidence):
    ours = intervals.clopper_pearson(k, n, confidence)
    exact = stats.binomtest(k, n).proportion_ci(confidence, method="exact")
    assert (ours.low, ours.high) == pytest.approx((exact.low, exact.high), rel=1e-9, abs=1e-12)
    assert (ours.low, ours.high) == pytest.approx(proportion_confint(k, n, 1 - confidence, "beta"), rel=1e-9, abs=1e-12)


def test_no_trials_leave_the_rate_undefined_and_everything_possible():
    estimate = intervals.clopper_pearson(0, 0)
    assert math.isnan(estimate.value)
    assert (estimate.low, estimate.high) == (0, 1)


@pytest.mark.parametrize("confidence", CONFIDENCES)
@pytest.mark.parametrize(("b", "c", "n"), [(2, 12, 50), (0, 3, 40), (10, 10, 400), (5, 0, 30), (300, 450, 100_000)])
def test_paired_difference_agrees_with_a_numerical_fit(b, c, n, confidence):
    ours = intervals.paired_difference(b, c, n, confidence)
    assert (ours.low, ours.high) == pytest.approx(slow.tango(b, c, n, confidence), abs=1e-6)


def test_paired_difference_without_any_flip_has_the_width_of_its_closed_form():
    # with b = c = 0 the score test reads n D / (1 - D) <= z^2, so D = z^2 / (n + z^2)
    z2 = stats.norm.ppf(0.975) ** 2
    ours = intervals.paired_difference(0, 0, 50)
    assert (ours.low, ours.value, ours.high) == pytest.approx((-z2 / (50 + z2), 0, z2 / (50 + z2)), abs=1e-6)


@given(b=st.integers(0, 30), c=st.integers(0, 30), rest=st.integers(0, 200))
def test_swapping_the_models_mirrors_the_paired_difference(b, c, rest):
    n = b + c + rest
    if n == 0:
        return
    one, other = intervals.paired_difference(b, c, n), intervals.paired_difference(c, b, n)
    assert (one.low, one.value, one.high) == pytest.approx((-other.high, -other.value, -other.low), abs=1e-8)
    assert -1 <= one.low <= one.value <= one.high <= 1


def relative(a, b, c, d):
    return intervals.relative_rate(tally([a, b, c, d, 0]))


@pytest.mark.parametrize("cells", [(80, 5, 10, 5), (900, 10, 50, 40), (950, 0, 20, 30), (40, 1, 2, 7), (5, 5, 5, 5)])
def test_relative_rate_agrees_with_a_slow_reference(cells):
    low, high = slow.relative_limits(cells, 0.95)
    assert (relative(*cells).low, relative(*cells).high) == pytest.approx((max(low, 0), high), rel=1e-9)


def test_relative_rate_of_many_samples_has_the_delta_methods_interval():
    a, b, _, d = cells = np.array([800_000, 50_000, 50_000, 100_000])
    n = cells.sum()
    influence = np.array([-1 / (a + b), 1 / b - 1 / (a + b) - 1 / (b + d), 0, -1 / (b + d)]) + 1 / n
    spread = 1.959964 * np.sqrt(cells @ influence**2)
    found = relative(*cells)
    assert (found.low, found.high) == pytest.approx(
        (found.value * np.exp(-spread), found.value * np.exp(spread)), rel=1e-3
    )


@given(st.tuples(st.integers(0, 400), st.integers(0, 50), st.integers(0, 50), st.integers(0, 100)))
def test_relative_rate_lies_in_its_interval(cells):
    if sum(cells):
        estimate = relative(*cells)
        assert 0 <= estimate.low <= estimate.value <= estimate.high


def test_relative_rate_is_one_for_independent_errors():
    # P(old right) = 0.8, P(new wrong) = 0.25, product in every cell
    estimate = relative(600, 200, 150, 50)
    assert estimate.value == pytest.approx(1)
    assert estimate.low < 1 < estimate.high


def test_relative_rate_without_an_error_of_the_new_model_is_zero_and_unknown():
    estimate = relative(90, 0, 10, 0)
    assert (estimate.value, estimate.low, estimate.high) == (0, 0, math.inf)


def tally(counts, **more):
    return Tally(np.array(counts, dtype=np.int64), **more)


def test_equal_weights_change_nothing_but_the_exactness():
    cells = np.repeat(np.arange(5), [800, 20, 60, 70, 50]).astype(np.int8)
    plain, weighted = Tally.of(cells), Tally.of(cells, np.full(1000, 3.7))
    for hits in ((NEGATIVE_FLIP,), (BOTH_WRONG_SAME, BOTH_WRONG_DIFFER)):
        one, other = intervals.rate(plain, hits), intervals.rate(weighted, hits)
        assert (one.low, one.value, one.high) == pytest.approx((other.low, other.value, other.high), rel=1e-9)
    one, other = intervals.accuracy_change(plain), intervals.accuracy_change(weighted)
    assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=1e-8)
    one, other = intervals.relative_rate(plain), intervals.relative_rate(weighted)
    assert (one.low, one.high) == pytest.approx((other.low, other.high), rel=1e-6)


def test_a_weight_of_two_is_not_two_samples():
    cells = np.repeat(np.arange(5), [800, 20, 60, 70, 50]).astype(np.int8)
    weighted = intervals.rate(Tally.of(cells, np.full(1000, 2.0)), (NEGATIVE_FLIP,))
    doubled = intervals.rate(Tally.of(np.repeat(cells, 2)), (NEGATIVE_FLIP,))
    assert weighted.high - weighted.low > 1.3 * (doubled.high - doubled.low)


def test_uneven_weights_widen_the_interval(rng):
    cells = np.repeat(np.arange(5), [800, 20, 60, 70, 50]).astype(np.int8)
    uneven = np.exp(rng.normal(0, 1.5, 1000))
    plain, wide = (
        intervals.rate(Tally.of(cells), (NEGATIVE_FLIP,)),
        intervals.rate(Tally.of(cells, uneven), (NEGATIVE_FLIP,)),
    )
    assert (wide.high - wide.low) / wide.value > (plain.high - plain.low) / plain.value


def test_groups_that_flip_together_widen_the_interval_as_much_as_their_size_says():
    # 100 customers of 10 samples that all share one fate: as good as 100 samples
    fates = np.repeat(np.arange(5), [60, 10, 10, 10, 10])
    clustered = Tally.of(np.repeat(fates, 10).astype(np.int8), groups=np.repeat(np.arange(100), 10))
    grouped = intervals.rate(clustered, (NEGATIVE_FLIP,))
    single = intervals.rate(Tally.of(fates.astype(np.int8)), (NEGATIVE_FLIP,))
    assert grouped.value == single.value
    assert grouped.high - grouped.low == pytest.approx(single.high - single.low, rel=0.1)


def test_groups_without_any_flip_count_as_one_sample_each():
    cells = np.zeros(1000, dtype=np.int8)
    grouped = intervals.rate(Tally.of(cells, groups=np.repeat(np.arange(50), 20)), (NEGATIVE_FLIP,))
    assert grouped.high == pytest.approx(intervals.clopper_pearson(0, 50).high)


def test_singleton_groups_are_nearly_independent_samples():
    cells = np.repeat(np.arange(5), [800, 20, 60, 70, 50]).astype(np.int8)
    grouped = intervals.rate(Tally.of(cells, groups=np.arange(1000)), (NEGATIVE_FLIP,))
    single = intervals.rate(Tally.of(cells), (NEGATIVE_FLIP,))
    assert (grouped.low, grouped.high) == pytest.approx((single.low, single.high), rel=0.03)


def test_the_bootstrap_over_patterns_is_the_bootstrap_over_groups(rng):
    groups = rng.integers(0, 3, (40, 5)).astype(float)
    sums = tally(groups.sum(axis=0), groups=groups).replicates
    slow_sums = np.array([groups[rng.integers(0, 40, 40)].sum(axis=0) for _ in range(4000)])
    assert sums.mean(axis=0) == pytest.approx(slow_sums.mean(axis=0), rel=0.03)
    assert np.cov(sums.T).ravel() == pytest.approx(np.cov(slow_sums.T).ravel(), rel=0.2, abs=3)


def test_the_bootstrap_is_reproducible_by_its_seed():
    groups = np.arange(50.0).reshape(10, 5)
    first, again = (tally(groups.sum(axis=0), groups=groups, seed=3).replicates for _ in range(2))
    other = tally(groups.sum(axis=0), groups=groups, seed=4).replicates
    assert (first == again).all()
    assert (first != other).any()


def test_one_light_flip_tells_no_more_than_none():
    weights = np.array([1.0] * 100 + [1e-3] * 10_000)
    none, light = np.zeros(10_100, dtype=np.int8), np.zeros(10_100, dtype=np.int8)
    light[-1] = NEGATIVE_FLIP
    without, with_one = (intervals.rate(Tally.of(cells, weights), (NEGATIVE_FLIP,)) for cells in (none, light))
    assert with_one.high >= 0.99 * without.high


@pytest.mark.parametrize(("heavy", "light", "weight"), [(100, 2000, 0.01), (300, 3000, 0.1)])
def test_unequal_weights_cover(heavy, light, weight, rng):
    weights = np.array([1.0] * heavy + [weight] * light)
    missed = 0
    for _ in range(300):
        cells = (rng.random(heavy + light) < 0.01).astype(np.int8)
        found = intervals.rate(Tally.of(cells, weights), (NEGATIVE_FLIP,))
        missed += not found.low <= 0.01 <= found.high
    assert missed <= 27  # 9%: 15 are expected, and 27 has a probability of 0.2% at 5%


def test_nothing_but_weightless_samples_is_undefined():
    cells = np.array([0, 1], dtype=np.int8)
    empty = Tally.of(cells, np.zeros(2))
    assert math.isnan(intervals.accuracy_change(empty).value)
    assert math.isnan(intervals.rate(empty, (NEGATIVE_FLIP,)).value)
