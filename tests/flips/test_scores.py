import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW

from segue.errors import InputError
from segue.flips import compare, compare_scores

PAIRS = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=40)


def test_a_case_worked_by_hand():
    report = compare_scores([0.9, 0.5, 0.7, 1.0, 0.2], [0.6, 0.9, 0.7, 0.95, 0.0], tolerance=0.1, ids=list("abcde"))
    assert (report.negative_flips, report.positive_flips) == (2, 1)
    assert report.negative_flip_rate.value == pytest.approx(2 / 5)
    assert report.mean_regression.value == pytest.approx((0.3 + 0.2) / 2)
    assert report.mean_gain.value == pytest.approx(0.4)
    assert report.score_change.value == pytest.approx((-0.3 + 0.4 - 0.05 - 0.2) / 5)
    assert report.flips.to_dict()["id"] == ["a", "b", "e"]
    assert "2 samples lost more than 0.1" in str(report)


@given(PAIRS, st.floats(0, 0.5))
def test_rates_and_means_agree_with_their_definitions(pairs, tolerance):
    changes = [new - old for old, new in pairs]
    lost = [-change for change in changes if change < -tolerance * (1 + 1e-9) - 1e-12 * (tolerance > 0)]
    won = [change for change in changes if change > tolerance * (1 + 1e-9) + 1e-12 * (tolerance > 0)]
    report = compare_scores([old for old, _ in pairs], [new for _, new in pairs], tolerance=tolerance)
    assert report.negative_flips == len(lost)
    assert report.positive_flips == len(won)
    assert report.mean_regression.value == pytest.approx(np.mean(lost) if lost else np.nan, nan_ok=True)
    assert report.mean_gain.value == pytest.approx(np.mean(won) if won else np.nan, nan_ok=True)
    assert report.score_change.value == pytest.approx(np.mean(changes))
    json.dumps(report.to_dict(), allow_nan=False)


def test_a_drop_of_exactly_the_tolerance_is_no_flip_whatever_the_rounding():
    old = np.arange(20) / 10
    assert compare_scores(old, old - 0.1, tolerance=0.1).negative_flips == 0


def test_the_interval_of_the_change_is_at_least_the_paired_t_interval_and_little_more(rng):
    old, new = rng.random(800), rng.random(800)
    ours = compare_scores(old, new).score_change
    expected = stats.ttest_rel(new, old).confidence_interval(0.95)
    assert ours.low <= expected.low + 1e-12
    assert ours.high >= expected.high - 1e-12
    assert ours.high - ours.low < 1.3 * (expected.high - expected.low)


def test_the_change_of_passes_and_fails_is_as_sure_as_that_of_right_and_wrong():
    old, new = np.array([1] * 45 + [0] * 5), np.array([1] * 44 + [0] * 2 + [1] * 4)
    graded, judged = compare_scores(old, new).score_change, compare(np.ones(50, int), old, new).accuracy_change
    assert (graded.low, graded.high) == pytest.approx((judged.low, judged.high), abs=0.02)


def test_no_change_at_all_in_a_few_samples_is_no_proof_of_none():
    change = compare_scores([0, 1] * 10, [0, 1] * 10).score_change
    assert change.low < -0.1 < 0.1 < change.high


def test_the_weighted_mean_is_that_of_statsmodels(rng):
    old, new, weights = rng.random(80), rng.random(80), rng.integers(1, 5, 80)
    assert compare_scores(old, new, weights=weights).score_old.value == pytest.approx(DescrStatsW(old, weights).mean)


def test_groups_widen_the_interval_of_the_change(rng):
    effect = np.repeat(rng.normal(size=20), 30)
    old, new = np.zeros(600), effect + 0.1 * rng.normal(size=600)
    alone = compare_scores(old, new).score_change
    grouped = compare_scores(old, new, groups=np.repeat(np.arange(20), 30)).score_change
    assert grouped.value == pytest.approx(alone.value)
    means = stats.ttest_1samp(new.reshape(20, 30).mean(axis=1), 0).confidence_interval(0.95)
    assert (grouped.low, grouped.high) == pytest.approx((means.low, means.high), rel=0.35)
    assert alone.high - alone.low < 0.5 * (grouped.high - grouped.low)


def test_pass_and_fail_are_scores_too():
    report = compare_scores([True, True, False], [True, False, True])
    assert (report.negative_flips, report.positive_flips) == (1, 1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tolerance": -0.1}, "tolerance is -0.1"),
        ({"tolerance": float("nan")}, "tolerance is nan"),
        ({"new": [0.1]}, "differ in length: old has 3, new has 1"),
        ({"new": [0.1, None, 0.2]}, "new has 1 missing value"),
        ({"new": [0.1, np.nan, 0.2]}, "new has 1 missing value"),
        ({"new": [0.1, np.inf, 0.2]}, "new has 1 infinite scores"),
        ({"new": ["a", "b", "c"]}, "new holds values that are no numbers"),
        ({"ids": [1, 1, 2]}, "ids repeats 1 value"),
    ],
)
def test_mistakes_are_told_in_one_sentence(change, words):
    with pytest.raises(InputError, match=words):
        compare_scores(**{"old": [0.1, 0.2, 0.3], "new": [0.1, 0.2, 0.3], **change})


def test_what_did_not_happen_has_no_mean():
    told = str(compare_scores([1, 2, 3], [1, 2, 3]))
    assert "nan" not in told
    assert "0 samples lost something: negative flip rate 0.00%" in told
