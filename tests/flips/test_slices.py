import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from segue.errors import InputError
from segue.flips import compare
from segue.flips.checks import as_array
from segue.flips.counts import NEGATIVE_FLIP, Tally
from segue.flips.slices import bin_names, categories, excess_p_value, slice_tallies


def models(rng, n, flip_rate):
    """Labels and answers of two models: the old one right on 90%, flips at the given rate per sample."""
    labels = np.zeros(n, dtype=int)
    old = (rng.random(n) < 0.1).astype(int)
    new = np.where(rng.random(n) < flip_rate, 1, old * (rng.random(n) < 0.5))
    return labels, old, new


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.integers(0, 4)), min_size=1, max_size=50))
def test_every_sample_is_in_one_slice_of_each_column(rows):
    values, cells = zip(*rows, strict=True)
    parts = slice_tallies({"x": np.array(values, dtype=object)}, np.array(cells, dtype=np.int8))
    assert sum(part.tally.counts for part in parts).tolist() == np.bincount(cells, minlength=5).tolist()
    assert {part.value for part in parts} == {"(missing)" if value is None else value for value in values}


@given(st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(float("nan"))), min_size=1, max_size=200))
def test_numbers_are_cut_at_their_quintiles(values):
    numbers = np.array(values)
    names, codes = categories(numbers, "x")
    present = numbers[~np.isnan(numbers)]
    edges = np.unique([np.sort(present)[(len(present) - 1) * k // 5] for k in (1, 2, 3, 4)]) if len(present) else []
    for value, code in zip(numbers, codes, strict=True):
        whole = 0 < len(np.unique(present)) <= 20 and all(number.is_integer() for number in present.tolist())
        told = f"{value:.0f}" if whole else bin_names(edges)[sum(edge <= value for edge in edges)]
        expected = "(missing)" if np.isnan(value) else told
        assert names[code] == expected
    assert sorted(set(codes.tolist())) == list(range(len(names)))


def test_few_integers_and_booleans_are_categories_and_many_are_ranges(rng):
    assert categories(np.array([3, 1, 3]), "x")[0] == ["1", "3"]
    assert categories(np.array([True, False]), "x")[0] == ["False", "True"]
    assert categories(np.arange(101), "x")[0] == ["< 20", "20 to < 40", "40 to < 60", "60 to < 80", ">= 80"]


def test_dates_are_cut_at_their_quintiles():
    days = np.datetime64("2026-01-01") + np.arange(101)
    names, codes = categories(days, "day")
    assert np.bincount(codes).tolist() == [20, 20, 20, 20, 21]
    assert names[0] == "< 2026-01-21T00:00:00"


def test_infinite_values_lie_in_the_outer_bins():
    names, codes = categories(np.array([np.inf, -np.inf, 1.0, 2.0, 3.0]), "x")
    assert (names[codes[0]], names[codes[1]]) == (">= 2", "< 1")


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (pd.array([1, 2, None], dtype="Int64"), {"1", "2", "(missing)"}),
        (pd.array(["a", None], dtype="string"), {"a", "(missing)"}),
        (pd.Series([True, None, False], dtype="boolean"), {"True", "False", "(missing)"}),
        (pd.Categorical(["a", None, "b"]), {"a", "b", "(missing)"}),
        (pl.Series([1.5, None]), {">= 1.5", "(missing)"}),
        (pd.to_datetime(["2026-01-01", None]).tz_localize("Europe/Vienna"), {">= 2025-12-31T23:00:00", "(missing)"}),
    ],
    ids=["integers", "strings", "booleans", "categories", "polars floats", "dates with a time zone"],
)
def test_missing_values_of_data_frames_are_a_slice_of_their_own(values, names):
    assert set(categories(as_array(values, "x"), "x")[0]) == names


def test_a_column_of_lists_is_no_slice():
    with pytest.raises(InputError, match=r"slices\['x'\] holds a list per sample"):
        categories(np.array([[1], [2, 3]], dtype=object), "x")


def test_close_edges_keep_their_names_apart():
    assert bin_names([1.00001, 1.00002]) == ["< 1.00001", "1.00001 to < 1.00002", ">= 1.00002"]


def test_the_excess_is_fishers_exact_test(rng):
    cells = rng.choice(5, 300, p=[0.6, 0.1, 0.1, 0.1, 0.1]).astype(np.int8)
    here = rng.random(300) < 0.3
    flips = cells == NEGATIVE_FLIP
    table = [[(here & flips).sum(), (here & ~flips).sum()], [(~here & flips).sum(), (~here & ~flips).sum()]]
    expected = stats.fisher_exact(table, alternative="greater").pvalue
    assert excess_p_value(Tally.of(cells[here]), Tally.of(cells)) == pytest.approx(expected)


def test_the_excess_of_equal_weights_is_near_the_exact_one(rng):
    cells = rng.choice(5, 4000, p=[0.6, 0.1, 0.1, 0.1, 0.1]).astype(np.int8)
    here = rng.random(4000) < 0.1
    weights = np.full(4000, 2.0)
    exact = excess_p_value(Tally.of(cells[here]), Tally.of(cells))
    weighted = excess_p_value(Tally.of(cells[here], weights[here]), Tally.of(cells, weights))
    assert weighted == pytest.approx(exact, abs=0.06)


def test_p_values_are_adjusted_as_statsmodels_does(rng):
    labels, old, new = models(rng, 2000, 0.05)
    report = compare(labels, old, new, slices={"a": rng.integers(0, 8, 2000), "b": rng.choice(list("xyz"), 2000)})
    excess = [part.excess_p_value for part in report.slices]
    worse = [part.worse.p_value for part in report.slices]
    assert [part.excess_adjusted for part in report.slices] == pytest.approx(multipletests(excess, method="fdr_bh")[1])
    assert [part.worse_adjusted for part in report.slices] == pytest.approx(multipletests(worse, method="fdr_bh")[1])


def test_a_planted_slice_is_named_and_random_flips_are_not(rng):
    region = rng.choice(["north", "south", "east", "west"], 4000)
    labels, old, new = models(rng, 4000, np.where(region == "north", 0.2, 0.01))
    told = str(compare(labels, old, new, slices={"region": region}))
    assert "Flips are more frequent than elsewhere in: region = north" in told
    assert "south" not in told
    assert "In none of the 4 slices" in str(compare(*models(rng, 4000, 0.05), slices={"region": region}))


def test_slices_of_grouped_and_weighted_samples_add_up(rng):
    labels, old, new = models(rng, 600, 0.1)
    weights, groups, half = rng.exponential(size=600), rng.integers(0, 40, 600), rng.random(600) < 0.5
    report = compare(labels, old, new, weights=weights, groups=groups, slices={"half": half})
    parts = [compare(labels[m], old[m], new[m], weights=weights[m], groups=groups[m]) for m in (~half, half)]
    for part, alone in zip(report.slices, parts, strict=True):
        assert part.negative_flip_rate == alone.negative_flip_rate
        assert part.accuracy_change == alone.accuracy_change


@pytest.mark.parametrize("per_slice", [1, 2, 5])
def test_slices_of_few_customers_raise_no_alarm_for_their_customers_own_ways(per_slice, rng):
    alarms = tests = 0
    for _ in range(20):
        customers = np.repeat(np.arange(60), 20)
        flips = (rng.random(1200) < np.repeat(rng.beta(0.5, 9.5, 60), 20)).astype(np.int8)
        total = Tally.of(flips, groups=customers)
        for first in range(0, 60, per_slice):
            here = (customers >= first) & (customers < first + per_slice)
            alarms += excess_p_value(Tally.of(flips[here], groups=customers[here]), total) < 0.05
            tests += 1
    assert alarms / tests < 0.05


def test_a_slice_of_weightless_samples_is_told_as_undefined():
    report = compare([0, 1, 0, 1], [0, 1, 0, 1], [0, 1, 1, 1], weights=[0, 0, 1, 1], slices={"a": ["x", "x", "y", "y"]})
    assert np.isnan(report.slices[0].accuracy_change.value)
