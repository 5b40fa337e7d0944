"""Graded scores in tables must tell the same as on arrays."""

import numpy as np
import polars as pl
import pytest

from segue.errors import InputError
from segue.flips import compare_scores
from segue.flips.table import compare_score_tables
from tests.flips.table.test_agreement import same


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("kind", ["marks", "passed", "large"])
def test_scores_in_tables_and_arrays_tell_the_same(rng, kind, weighted, grouped):
    n = 400
    old, new = rng.random(n).round(2), rng.random(n).round(2)
    if kind == "passed":
        old, new = old > 0.3, new > 0.25
    if kind == "large":  # squares of such scores swallow their differences
        old, new = 1e8 + old, 1e8 + new
    columns = {"weight": rng.random(n), "group": rng.integers(0, 40, n), "task": rng.choice(["qa", "code", "sum"], n)}
    expected = compare_scores(
        old,
        new,
        tolerance=0.1,
        slices={"task": columns["task"]},
        weights=columns["weight"] if weighted else None,
        groups=columns["group"] if grouped else None,
    )
    found = compare_score_tables(
        pl.DataFrame({"id": np.arange(n), "score": old, **columns}),
        pl.DataFrame({"id": np.arange(n), "score": new})[rng.permutation(n).tolist()],
        id="id",
        tolerance=0.1,
        slices=["task"],
        weights="weight" if weighted else None,
        groups="group" if grouped else None,
    )
    tolerance = 1e-5 if kind == "large" else 1e-9
    one, other = expected.to_dict(), found.to_dict()
    for name, rate in one["rates"].items():
        for end, value in rate.items():
            assert other["rates"][name][end] == pytest.approx(value, rel=tolerance, abs=1e-12), (name, end)
    same({**one, "rates": 0}, {**other, "rates": 0})
    assert sorted(found.flips.columns["id"].tolist()) == sorted(expected.flips.columns["id"].tolist())


def test_one_table_with_two_columns_of_scores(rng):
    old, new = rng.random(100), rng.random(100)
    table = pl.DataFrame({"a": old, "b": new})
    found = compare_score_tables(table, score=("a", "b"))
    same(compare_scores(old, new).to_dict(), found.to_dict())


def test_missing_and_infinite_scores_are_refused_or_left_out():
    old = pl.DataFrame({"id": [1, 2, 3, 4], "score": [0.5, float("nan"), float("inf"), 1.0]})
    new = pl.DataFrame({"id": [1, 2, 3, 4], "score": [0.6, 0.5, 0.5, 0.0]})
    with pytest.raises(
        InputError, match=r"the old table: column 'score' has no finite score for 2 samples \(id 2, 3\)"
    ):
        compare_score_tables(old, new, id="id")
    report = compare_score_tables(old, new, id="id", nulls="drop")
    assert (report.samples, report.negative_flips, report.positive_flips) == (2, 1, 1)
    assert report.notes == ("the old table: column 'score' has no finite score for 2 samples: left out, as asked",)
    with pytest.raises(InputError, match="a missing score is no score"):
        compare_score_tables(old, new, id="id", nulls="wrong")


def test_words_are_no_scores():
    table = pl.DataFrame({"a": ["good", "bad"], "b": ["bad", "bad"]})
    with pytest.raises(InputError, match="column 'a' holds strings; write one number per sample"):
        compare_score_tables(table, score=("a", "b"))
