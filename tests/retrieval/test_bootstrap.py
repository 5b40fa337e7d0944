"""The bootstrap's limit against resamples that are drawn one query (or group) at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from segue.flips.counts import BOOTSTRAP_RESAMPLES
from segue.flips.graded import ScoreSums
from segue.retrieval import mean_over_queries
from segue.retrieval.bootstrap import MOST_DRAWN, bootstrap, limit

ENDS = (0.025, 0.975)


def drawn(totals, sizes, rng, resamples):
    """Ratios of sums over units drawn with replacement."""
    ratios = np.empty(resamples)
    for number in range(resamples):
        units = rng.integers(0, len(totals), size=len(totals))
        ratios[number] = totals[units].sum() / sizes[units].sum()
    return ratios


def skewed(rng, size):
    """A metric that is nearly 0 but for 1 query in 100: the mean has a long tail upwards."""
    return np.where(rng.random(size) < 0.01, rng.uniform(0.5, 1, size=size), 0.01 * rng.random(size))


@pytest.mark.parametrize("draw", [skewed, lambda rng, size: 1 - skewed(rng, size), lambda rng, size: rng.random(size)])
def test_the_limit_is_what_many_resamples_come_to(draw, rng):
    values = draw(rng, 4 * MOST_DRAWN)
    error = values.std() / np.sqrt(len(values))
    ratios = drawn(values, np.ones(len(values)), rng, 20_000)
    for end in ENDS:
        assert abs(limit((values, np.ones(len(values))), end) - np.quantile(ratios, end)) < 0.1 * error


def test_so_it_is_for_groups_of_other_sizes(rng):
    sizes = rng.integers(1, 30, size=2 * MOST_DRAWN).astype(float)
    # larger groups do worse, and all queries of a group alike
    totals = sizes * np.clip(rng.beta(1, 3, size=len(sizes)) + 0.3 / sizes, 0, 1)
    ratios = drawn(totals, sizes, rng, 20_000)
    for end in ENDS:
        assert abs(limit((totals, sizes), end) - np.quantile(ratios, end)) < 0.1 * ratios.std()
    groups = np.repeat(np.arange(len(sizes)), sizes.astype(int))
    found = bootstrap(np.repeat(totals / sizes, sizes.astype(int)), groups, 0.95)
    assert (found.low, found.high) == pytest.approx([limit((totals, sizes), end) for end in ENDS])
    assert found.value == pytest.approx(totals.sum() / sizes.sum())


def test_the_limit_covers_as_often_as_resamples_do(rng):
    # 300 samples of queries: how often the true mean lies between the ends, and beyond which end it lies otherwise
    truth, size = skewed(rng, 10**6).mean(), MOST_DRAWN + 100
    beyond = {"drawn": np.zeros(2), "limit": np.zeros(2), "student": np.zeros(2)}
    for _ in range(300):
        values = skewed(rng, size)
        picked = values[rng.integers(0, size, size=(500, size))].mean(axis=1)
        student = ScoreSums.of(values, None, None).mean(0.95)
        ends = {
            "drawn": np.quantile(picked, ENDS),
            "limit": [limit((values, np.ones(size)), end) for end in ENDS],
            "student": (student.low, student.high),
        }
        for name, (low, high) in ends.items():
            beyond[name] += [truth < low, truth > high]
    share = {name: count / 300 for name, count in beyond.items()}
    # 500 resamples leave the ends unsure by a tenth of an error, and so a few samples in a hundred on the other side
    assert share["limit"] == pytest.approx(share["drawn"], abs=0.025)
    # what the bootstrap is for: the end on the side of the tail misses less often than Student's
    assert share["limit"][1] < share["student"][1]


def test_many_queries_are_resampled_whether_or_not_their_values_repeat(rng):
    values = skewed(rng, MOST_DRAWN + 1)
    rounded = values.round(2)  # few different values: drawn
    assert len(np.unique(values)) > MOST_DRAWN > len(np.unique(rounded))
    fine, coarse = bootstrap(values, None, 0.95), bootstrap(rounded, None, 0.95)
    error = values.std() / np.sqrt(len(values))
    assert (fine.low, fine.high) == pytest.approx([coarse.low, coarse.high], abs=0.25 * error)


def test_resamples_agree_with_scipy(rng):
    values = rng.beta(0.5, 0.5, size=60)
    theirs = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=BOOTSTRAP_RESAMPLES, rng=rng
    ).confidence_interval
    ours = bootstrap(values, None, 0.95)
    assert (ours.low, ours.high) == pytest.approx(theirs, abs=0.01)


@given(st.integers(0, 2**32 - 1), st.floats(0.5, 0.999))
def test_the_limit_is_ordered_inside_and_mirrored(seed, confidence):
    values = np.random.default_rng(seed).beta(0.3, 0.9, size=MOST_DRAWN + 50)
    found, mirrored = bootstrap(values, None, confidence), bootstrap(1 - values, None, confidence)
    assert values.min() <= found.low < found.value < found.high <= values.max()
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx([found.low, found.high], abs=1e-9)
    wide = mean_over_queries(values, confidence=confidence)
    assert wide.low <= found.low
    assert found.high <= wide.high


def test_groups_that_are_each_of_one_value_stay_inside_their_means():
    # all groups but one at 0: Student's lower end would be below 0
    totals = np.zeros(MOST_DRAWN + 1)
    totals[0] = 1e-6
    assert limit((totals, np.arange(1.0, len(totals) + 1)), 0.025) == 0
