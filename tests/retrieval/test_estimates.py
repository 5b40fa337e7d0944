import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from segue.errors import InputError
from segue.flips import compare
from segue.flips.intervals import clopper_pearson
from segue.retrieval import mean_difference, mean_over_queries

VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=40)


def test_hits_and_misses_get_the_intervals_of_right_and_wrong_answers(rng):
    old, new = rng.integers(0, 2, size=80), rng.integers(0, 2, size=80)
    groups = rng.integers(0, 9, size=80)
    for options in ({}, {"groups": groups}):
        report = compare(np.ones(80, dtype=int), old, new, **options)
        assert mean_over_queries(old, **options) == report.accuracy_old
        assert mean_difference(old, new, **options) == report.accuracy_change


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_queries_that_all_agree_do_not_make_the_mean_certain(value):
    graded = mean_over_queries([value] * 59 + [0.5])
    whole, exact = mean_over_queries([value] * 60), clopper_pearson(60 * value, 60)
    assert whole == exact
    assert graded.low < graded.value < graded.high


def test_the_bootstrap_agrees_with_scipy(rng):
    values = rng.beta(0.5, 0.5, size=300)
    ours = mean_over_queries(values)
    theirs = stats.bootstrap((values,), np.mean, method="percentile", rng=rng).confidence_interval
    assert ours.low == pytest.approx(theirs.low, abs=0.012)
    assert ours.high == pytest.approx(theirs.high, abs=0.012)
    assert ours.low <= theirs.low + 0.002
    assert ours.high >= theirs.high - 0.002


@pytest.mark.parametrize("queries", [15, 60])
def test_intervals_cover(queries, rng):
    # many zeros and ones and something between, as average precision has it
    population = np.concatenate([np.zeros(300), np.ones(600), rng.random(100)])
    draws = [rng.choice(population, size=queries) for _ in range(200)]
    found = [mean_over_queries(values) for values in draws]
    assert sum(one.low <= population.mean() <= one.high for one in found) >= 186
    changes = [mean_difference(values, rng.permutation(values)) for values in draws]
    assert sum(one.low <= 0 <= one.high for one in changes) >= 186


@given(old=VALUES, seed=st.integers(0, 3))
def test_swapping_the_systems_mirrors_the_change(old, seed):
    new = np.random.default_rng(seed).permutation(old)
    one, other = mean_difference(old, new), mean_difference(new, old)
    assert one.value == pytest.approx(-other.value, abs=1e-12)
    assert -1 <= one.low <= one.value + 1e-12 <= one.high + 2e-12 <= 1 + 2e-12


def test_no_change_in_few_queries_is_not_taken_for_certain():
    change = mean_difference([1.0] * 20, [1.0] * 20)
    assert change.value == 0
    assert change.low < -0.1
    assert change.high > 0.1


def test_groups_that_repeat_themselves_widen_the_interval(rng):
    values = np.repeat(rng.integers(0, 2, size=30), 20).astype(float)
    groups = np.repeat(np.arange(30), 20)
    alone, grouped = mean_over_queries(values), mean_over_queries(values, groups=groups)
    exact = clopper_pearson(int(values[::20].sum()), 30)
    assert alone.value == grouped.value
    assert grouped.high - grouped.low > 3 * (alone.high - alone.low)
    assert grouped.high - grouped.low > 0.9 * (exact.high - exact.low)
    agreed = mean_over_queries(np.ones(600), groups=groups)
    assert agreed.low == pytest.approx(clopper_pearson(30, 30).low, abs=1e-9)


def test_undefined_queries_are_left_out_or_count_nothing():
    old, new = [1.0, math.nan, 0.0], [1.0, math.nan, 1.0]
    assert mean_over_queries(old).value == 0.5
    assert mean_over_queries(old, undefined="zero").value == pytest.approx(1 / 3)
    assert mean_difference(old, new).value == 0.5
    assert mean_difference(old, new, undefined="zero").value == pytest.approx(1 / 3)
    nothing = mean_over_queries([math.nan])
    assert math.isnan(nothing.value)
    assert (nothing.low, nothing.high) == (0, 1)


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (
            lambda: mean_over_queries([0.5, 1.5]),
            "values has 1 value outside [0, 1], first at query 1 (1.5); pass the values of a metric between 0 and 1",
        ),
        (lambda: mean_over_queries(["0.5", "1"]), "values holds text values; pass one number per query"),
        (lambda: mean_over_queries([0.5, "1"]), "values holds text values; pass one number per query"),
        (
            lambda: mean_over_queries(np.array([0.5, "1"], dtype=object)),
            "values holds text values; pass one number per query",
        ),
        (lambda: mean_over_queries([0.5, 1j]), "values holds complex128 values; pass one number per query"),
        (lambda: mean_over_queries([]), "values has shape (0,); pass one value per query, shape (q,)"),
        (lambda: mean_over_queries([1], undefined="drop"), "undefined is 'drop'; pass 'leave out' or 'zero'"),
        (
            lambda: mean_difference([1.0], [1.0, 0.0]),
            "the arrays differ in length: old has 1, new has 2; pass one value per sample in the same order",
        ),
        (
            lambda: mean_difference([1.0, math.nan], [1.0, 0.0]),
            "old and new disagree on whether anything is relevant to 1 "
            "of the queries, first at query 1; measure both with the "
            "same relevance",
        ),
        (
            lambda: mean_over_queries([1.0, 0.5], groups=[1, 2, 3]),
            "the arrays differ in length: values has 2, groups has 3; pass one value per sample in the same order",
        ),
        (
            lambda: mean_over_queries([1.0], confidence=95),
            "confidence is 95; pass a number between 0 and 1, such as 0.95",
        ),
    ],
)
def test_mistakes(made, sentence):
    with pytest.raises(InputError) as caught:
        made()
    assert str(caught.value) == sentence
