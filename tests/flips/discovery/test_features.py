"""Columns as the search for slices reads them, their cut points, and conditions on them."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import InputError
from segue.flips.discovery.conditions import Between, Conjunction, Equals, IsMissing
from segue.flips.discovery.cuts import code_column, round_between
from segue.flips.discovery.features import read_feature, read_features

DAY = datetime.date(2026, 3, 1)


@pytest.mark.parametrize(
    ("values", "kind", "missing"),
    [
        ([1, 2, 3], "number", []),
        ([1.5, np.nan, 2.0], "number", [1]),
        ([1, None, 3], "number", [1]),
        ([Decimal("1.5"), None, Decimal(2)], "number", [1]),
        (["a", None, "b"], "category", [1]),
        (np.array(["a", "b", "a"]), "category", []),
        ([True, False, True], "category", []),
        ([True, None, False], "category", [1]),
        ([DAY, None, DAY], "date", [1]),
        (np.array(["2026-01-01", "NaT", "2026-01-03"], dtype="datetime64[D]"), "date", [1]),
        (pd.Series([1, None, 3], dtype="Int64"), "number", [1]),
        (pd.Series(["a", None, "b"]), "category", [1]),
        (pd.Categorical(["a", None, "b"]), "category", [1]),
        (pd.Series(pd.to_datetime(["2026-01-01", None, "2026-01-03"])), "date", [1]),
        (pl.Series(["a", None, "b"]), "category", [1]),
        (pl.Series([1, None, 3]), "number", [1]),
        (pl.Series([DAY, None, DAY]), "date", [1]),
        (np.ma.masked_array([1, 2, 3], mask=[False, True, False]), "number", [1]),
        ([None, None, None], "category", [0, 1, 2]),
    ],
)
def test_a_column_is_understood_and_what_is_missing_is_known(values, kind, missing):
    feature = read_feature("x", values, 3)
    assert feature.kind == kind
    assert np.flatnonzero(feature.missing).tolist() == missing


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1, 2], "columns['x'] has 2 values for 3 samples"),
        (np.ones((3, 2)), "columns['x'] has shape (3, 2)"),
        ([1.0, np.inf, 2.0], "columns['x'] has 1 infinite values"),
        (np.array([1, "b", None], dtype=object), "columns['x'] holds values of type int, str"),
        (np.array([True, "b", None], dtype=object), "columns['x'] holds values of type bool, str"),
        (np.array([1j, 2, 3]), "columns['x'] holds complex128 values"),
        (np.arange(3).astype("m8[s]"), "columns['x'] holds timedelta64[s] values"),
        (np.array([(1,), (2,), None], dtype=object), "columns['x'] holds values of type tuple"),
        ([datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)] * 3, "columns['x'] holds dates with a time zone"),
    ],
)
def test_a_column_that_has_no_ranges_or_categories_is_refused(values, words):
    with pytest.raises(InputError) as caught:
        read_feature("x", values, 3)
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(("columns", "words"), [({}, "columns is empty"), ([1, 2], "columns is a list")])
def test_columns_come_by_name(columns, words):
    with pytest.raises(InputError, match=words):
        read_features(columns)


def test_conditions_say_what_they_mean_and_hold_where_they_should():
    columns = {
        "age": [61, 62, 70, None],
        "region": ["north", "south", "north", None],
        "member": [True, False, True, True],
        "day": [DAY, DAY, datetime.date(2026, 3, 2), None],
    }
    cases = [
        (Between("age", 62, None), "age >= 62", [False, True, True, False]),
        (Between("age", None, 62), "age < 62", [True, False, False, False]),
        (Between("age", 61, 70), "61 <= age < 70", [True, True, False, False]),
        (Between("day", "2026-03-02", None), "day >= 2026-03-02", [False, False, True, False]),
        (Equals("age", 62), "age = 62", [False, True, False, False]),
        (Equals("region", "north"), 'region = "north"', [True, False, True, False]),
        (Equals("region", "unheard of"), 'region = "unheard of"', [False] * 4),
        (Equals("member", "True"), 'member = "True"', [True, False, True, True]),
        (IsMissing("age"), "age is missing", [False, False, False, True]),
    ]
    for condition, text, expected in cases:
        assert str(condition) == text
        assert Conjunction((condition,)).mask(columns).tolist() == expected
    both = Conjunction((Between("age", 62, None), Equals("region", "north")))
    assert str(both) == 'age >= 62 and region = "north"'
    assert both.mask(columns).tolist() == [False, False, True, False]
    assert both.to_dict()["conditions"] == [
        {"column": "age", "low": 62, "high": None},
        {"column": "region", "equals": "north"},
    ]


def test_a_condition_that_does_not_fit_the_table_is_refused():
    with pytest.raises(InputError, match="columns has no 'age'"):
        Conjunction((Between("age", 1, 2),)).mask({"region": ["a"]})
    with pytest.raises(InputError, match="needs an ordered column"):
        Conjunction((Between("region", 1, 2),)).mask({"region": ["a"]})
    with pytest.raises(InputError, match="no condition"):
        Conjunction(()).mask({"region": ["a"]})


@given(st.floats(-1e9, 1e9), st.floats(1e-9, 1e6))
def test_a_round_number_lies_between_its_limits(low, width):
    high = low + width
    if low < high:
        assert low < round_between(low, high) <= high


@given(
    st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6), st.integers(-50, 50)), min_size=8, max_size=300),
    st.integers(0, 3),
)
def test_a_range_of_codes_and_its_condition_choose_the_same_samples(values, seed):
    feature = read_feature("x", np.array([np.nan if value is None else value for value in values]))
    found = np.random.default_rng(seed).random(len(values)) < 0.5
    column = code_column(feature, found, fewest=1)
    ranges = np.concatenate([column.ranges, column.fine_ranges])
    for low, high in ranges.tolist():
        inside = (column.codes >= low) & (column.codes <= high)
        assert column.condition(low, high).holds(feature).tolist() == inside.tolist()


@pytest.mark.parametrize("unit", ["D", "s", "us", "ns"])
def test_dates_are_cut_at_days_where_days_tell_them_apart(unit):
    days = np.datetime64("2025-01-01") + np.random.default_rng(0).integers(0, 700, 3000)
    feature = read_feature("day", days.astype(f"datetime64[{unit}]"))
    column = code_column(feature, np.ones(3000, dtype=bool), fewest=1)
    assert len(column.edges) > 30
    for low, high in column.ranges.tolist():
        condition = column.condition(low, high)
        assert "T" not in str(condition)
        assert condition.holds(feature).tolist() == ((column.codes >= low) & (column.codes <= high)).tolist()


def test_cut_points_are_pleasant_to_read():
    income = np.exp(np.random.default_rng(0).normal(10, 0.5, 5000))
    column = code_column(read_feature("income", income), np.ones(5000, dtype=bool), fewest=1)
    assert max(len(f"{edge:.15g}".rstrip("0")) for edge in column.edges) <= 4
    shares = np.diff(np.concatenate([[0], np.searchsorted(np.sort(income), column.edges), [5000]])) / 5000
    assert shares.max() < 0.06


def test_infrequent_values_are_no_conditions_but_missing_is():
    values = ["a"] * 50 + ["b"] * 40 + [f"rare {number}" for number in range(60)] + [None] * 50
    column = code_column(read_feature("x", values), np.ones(200, dtype=bool), fewest=20)
    assert [str(column.condition(low, high)) for low, high in column.ranges.tolist()] == [
        'x = "a"',
        'x = "b"',
        "x is missing",
    ]


@pytest.mark.parametrize("values", [[7] * 40, ["a"] * 40, [None] * 40, [np.nan] * 40, [DAY] * 40])
def test_a_constant_column_has_no_condition(values):
    assert len(code_column(read_feature("x", values), np.ones(40, dtype=bool), fewest=1).ranges) == 0
