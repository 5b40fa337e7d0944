"""The share of the upgrade that a map keeps, and how often its interval holds the true one."""

import math

import numpy as np
import pytest

from segue.advise.kept import share_kept


def by_search(gained, whole, reach):
    """The shares at which the mean of ``gained - share * whole`` is just ``reach`` standard errors from 0."""
    shares = np.linspace(-1, 3, 400_001)
    n = len(whole)
    mean = gained.mean() - shares * whole.mean()
    cov = np.cov(gained, whole)
    error = np.sqrt((cov[0, 0] - 2 * shares * cov[0, 1] + shares**2 * cov[1, 1]) / n)
    inside = shares[np.abs(mean) <= reach * error]
    return inside.min(), inside.max()


def test_the_interval_is_where_a_test_does_not_reject():
    rng = np.random.default_rng(0)
    whole = 0.3 + rng.normal(size=50)
    gained = 0.6 * whole + 0.5 * rng.normal(size=50)
    share = share_kept(gained, whole, None, 1.0, 0.95)
    assert share.value == pytest.approx(gained.mean() / whole.mean())
    assert (share.low, share.high) == pytest.approx(by_search(gained, whole, 2.0096), abs=1e-4)  # t of 49
    further = share_kept(gained, whole, None, 1.2, 0.95)
    assert (further.low, further.high) == pytest.approx(by_search(gained, whole, 1.2 * 2.0096), abs=1e-4)


def test_labels_of_one_query_each_are_queries():
    rng = np.random.default_rng(1)
    whole = 0.4 + rng.normal(size=60)
    gained = 0.5 * whole + rng.normal(size=60)
    assert share_kept(gained, whole, np.arange(60), 1.0, 0.95) == share_kept(gained, whole, None, 1.0, 0.95)


def test_no_upgrade_and_one_that_is_not_shown():
    assert share_kept(np.ones(4), np.zeros(4), None, 1.0, 0.95) is None
    assert share_kept(np.ones(4), -np.ones(4), None, 1.0, 0.95) is None
    assert share_kept(np.empty(0), np.empty(0), None, 1.0, 0.95) is None
    unsure = share_kept(np.ones(4), np.array([1.0, -1.0, 1.0, 0.0]), None, 1.0, 0.95)
    assert (unsure.value, unsure.low, unsure.high) == (4.0, -math.inf, math.inf)
    assert math.isinf(share_kept(np.ones(1), np.ones(1), None, 1.0, 0.95).high)


def test_a_true_share_is_in_the_interval_as_often_as_it_should_be():
    """Hits and misses of queries that come 10 to a label: a map that keeps half is seldom said to keep more."""
    missed = naive = 0
    samples = 400
    for seed in range(samples):
        rng = np.random.default_rng(seed)
        labels = np.repeat(np.arange(40), 10)
        gain = np.clip(0.3 + 0.2 * rng.normal(size=40), 0, 1)[labels]
        kept = np.clip(0.15 + 0.15 * rng.normal(size=40), 0, 1)[labels]
        whole, gained = (rng.random(400) < gain).astype(float), (rng.random(400) < kept).astype(float)
        truth = 0.1625 / 0.3059  # means of clipped normal numbers, of 2e7 draws
        share = share_kept(gained, whole, labels, 1.0, 0.95)
        missed += not share.low <= truth <= share.high
        alone = share_kept(gained, whole, None, 1.0, 0.95)
        naive += not alone.low <= truth <= alone.high
    assert missed <= 0.05 * samples + 2 * math.sqrt(0.05 * 0.95 * samples)
    assert naive > 0.08 * samples
