"""The test that a slice must pass on samples that were not used to find it."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from segue.flips.discovery.confirmation import (
    Outcomes,
    effective_excess,
    exact_excess,
    excess_p_value,
    group_correlation,
    weighted_holm,
)
from segue.flips.discovery.subgroups import log_likelihood_ratio


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 40), st.integers(1, 60))
def test_the_exact_test_is_fishers(hits, misses, hits_out, misses_out):
    samples = hits + misses + hits_out + misses_out
    expected = stats.fisher_exact([[hits, misses], [hits_out, misses_out]], alternative="greater").pvalue
    assert exact_excess(hits, hits + misses, hits + hits_out, samples) == pytest.approx(expected, rel=1e-7)


def test_the_exact_test_counts_the_ways():
    flipped = np.array([True, True, True, False, False, False])
    inside = np.array([True, True, False, True, False, False])
    ways = [len(set(choice) & {0, 1, 3}) >= 2 for choice in itertools.combinations(range(6), 3)]
    assert excess_p_value(inside, Outcomes(flipped)) == pytest.approx(sum(ways) / len(ways))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=10, max_size=200), st.floats(0.1, 10))
def test_equal_weights_and_groups_of_one_are_no_less_strict_than_the_exact_test(pairs, weight):
    inside, flipped = (np.array(column) for column in zip(*pairs, strict=True))
    exact = excess_p_value(inside, Outcomes(flipped))
    weighted = excess_p_value(inside, Outcomes(flipped, np.full(len(pairs), weight)))
    # The binomial tail is the longer one; near the middle, where nothing is decided, it may be the lower.
    assert weighted >= min(exact, 0.05) * (1 - 1e-9)
    alone = excess_p_value(inside, Outcomes(flipped, groups=np.arange(len(pairs))))
    assert alone == pytest.approx(weighted, rel=1e-6)


def test_an_effective_number_of_samples_gives_the_binomial_tail():
    # 6 of all 40 flips in a slice of 5% of 2,000 samples.
    assert effective_excess(6 / 100, 40 / 2000, 0.05, 2000) == pytest.approx(stats.binom.sf(5, 40, 0.05))


def test_a_group_counts_as_one_sample_when_its_members_flip_together(rng):
    groups = np.repeat(np.arange(300), 5)
    flipped_group, inside_group = rng.random(300) < 0.1, rng.random(300) < 0.2
    grouped = excess_p_value(inside_group[groups], Outcomes(flipped_group[groups], groups=groups))
    single = excess_p_value(inside_group, Outcomes(flipped_group, np.ones(300)))
    assert group_correlation(Outcomes(flipped_group[groups], groups=groups)) == pytest.approx(1.0)
    assert grouped == pytest.approx(single, rel=1e-6)


def test_group_correlation_agrees_with_the_sum_over_pairs(rng):
    groups, weights = rng.integers(0, 12, 60), rng.random(60) + 0.1
    flipped = rng.random(60) < 0.4
    rate = np.average(flipped, weights=weights)
    residual = weights * (flipped - rate)
    pairs = [(i, j) for i in range(60) for j in range(60) if i != j and groups[i] == groups[j]]
    expected = sum(residual[i] * residual[j] for i, j in pairs) / (
        rate * (1 - rate) * sum(weights[i] * weights[j] for i, j in pairs)
    )
    assert group_correlation(Outcomes(flipped, weights, groups)) == pytest.approx(max(expected, 0), abs=1e-12)


@pytest.mark.parametrize("kind", ["independent", "groups", "weights", "groups and weights"])
def test_false_alarms_are_as_rare_as_they_should_be(kind, rng):
    # Flips come in groups, weights are skewed, and the slice holds whole groups: Fisher's test would fail here.
    alarms, repeats, naive = 0, 600, 0
    for _ in range(repeats):
        groups = np.repeat(np.arange(150), rng.poisson(6, 150) + 1)
        rate = rng.beta(0.1, 1.9, 150)[groups] if "groups" in kind else 0.05
        flipped = rng.random(len(groups)) < rate
        inside = (rng.random(150) < 0.15)[groups]
        weights = np.exp(rng.normal(0, 1, len(groups))) if "weights" in kind else None
        outcomes = Outcomes(flipped, weights, groups if "groups" in kind else None)
        alarms += excess_p_value(inside, outcomes) <= 0.05
        naive += excess_p_value(inside, Outcomes(flipped)) <= 0.05
    # At a true rate of 5%, more than 7.2% of 600 would be seen once in a hundred such tests.
    assert alarms / repeats <= 0.072
    if kind == "groups":
        assert naive / repeats > 0.1


def test_slices_that_cannot_be_told_have_p_value_one():
    flipped, weights = np.array([True, False, True, False]), np.array([1.0, 2.0, 3.0, 4.0])
    for outcomes in (Outcomes(flipped), Outcomes(flipped, weights), Outcomes(flipped, None, np.array([0, 0, 1, 1]))):
        assert excess_p_value(np.zeros(4, dtype=bool), outcomes) == 1
        assert excess_p_value(np.ones(4, dtype=bool), outcomes) == 1
        assert excess_p_value(~flipped, outcomes) == 1
    assert excess_p_value(flipped, Outcomes(np.ones(4, dtype=bool), weights)) == 1
    assert excess_p_value(flipped, Outcomes(flipped, np.zeros(4))) == 1


@given(st.lists(st.floats(1e-12, 1), min_size=1, max_size=30))
def test_holm_with_equal_weights_agrees_with_statsmodels(p_values):
    expected = multipletests(p_values, method="holm")[1]
    assert weighted_holm(p_values, np.ones(len(p_values))) == pytest.approx(expected)


def test_weighted_holm_steps_down_by_hand():
    # 0.01/4 is least: 0.01/4*7. Then 0.02/2 of the 3 left: 0.03. Then 0.5 of the 1 left.
    assert weighted_holm([0.01, 0.02, 0.5], [4, 2, 1]) == pytest.approx([0.0175, 0.03, 0.5])


@given(st.integers(0, 50), st.integers(0, 200), st.integers(0, 50), st.integers(1, 200))
def test_the_score_is_half_the_g_statistic_of_the_table(hits, misses, hits_out, misses_out):
    table = np.array([[hits, misses], [hits_out, misses_out]])
    n = table.sum(axis=1)
    score = float(
        log_likelihood_ratio(np.array(float(hits)), np.array(float(n[0])), float(hits + hits_out), float(n.sum()))
    )
    if n[0] == 0 or hits * n[1] <= hits_out * n[0]:
        assert score == 0
    elif table.sum(axis=0).min() > 0:
        g = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic
        assert math.isclose(score, g / 2, rel_tol=1e-6, abs_tol=1e-8)
