"""What congruent training bought and cost: by hand, against a bootstrap, and in words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from segue.demo.bargain import Bargain, strike
from segue.flips import Estimate, compare


def of_cells(cells):
    """Answers from {(old right, plain right, congruent right): how many}."""
    columns = [np.repeat([cell[at] for cell in cells], list(cells.values())) for at in range(3)]
    return strike(np.ones(len(columns[0]), int), *columns)


def test_numbers_by_hand():
    bargain = of_cells({(1, 1, 1): 800, (1, 0, 1): 40, (1, 1, 0): 10, (1, 0, 0): 20, (0, 1, 1): 50, (0, 1, 0): 80})
    assert bargain.broken == (60, 30)
    assert bargain.spared.value == pytest.approx(0.03)
    assert bargain.accuracy_change.value == pytest.approx((40 - 10 - 80) / 1000)
    assert str(bargain).startswith(
        "Trained congruently, the challenger breaks 30 right answers instead of 60 "
        "(negative flip rate \u22123.0 points, 95% interval "
    )
    assert "and that costs accuracy: \u22125.0 points, 95% interval " in str(bargain)
    assert str(bargain).endswith(".")


def test_intervals_agree_with_a_bootstrap(rng):
    labels = np.ones(4000, int)
    old, plain, congruent = (rng.random(4000) < share for share in (0.88, 0.9, 0.9))
    congruent = np.where(rng.random(4000) < 0.5, old, congruent)
    found = strike(labels, old.astype(int), plain.astype(int), congruent.astype(int))
    drawn = rng.integers(0, 4000, (4000, 4000))
    spared = (old & ~plain).astype(int) - (old & ~congruent)
    change = congruent.astype(int) - plain
    for estimate, each in ((found.spared, spared), (found.accuracy_change, change)):
        low, high = np.quantile(each[drawn].mean(axis=1), [0.025, 0.975])
        assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=0.002)


@given(arrays(np.int64, st.tuples(st.just(4), st.integers(1, 40)), elements=st.integers(0, 2)))
def test_it_is_the_difference_of_the_two_reports(drawn):
    labels, old, plain, congruent = drawn
    bargain = strike(labels, old, plain, congruent)
    reports = [compare(labels, old, new) for new in (plain, congruent)]
    rates = [report.negative_flip_rate.value for report in reports]
    assert bargain.broken == tuple(report.negative_flips for report in reports)
    assert bargain.spared.value == pytest.approx(rates[0] - rates[1])
    assert bargain.accuracy_change.value == pytest.approx(reports[1].accuracy_new.value - reports[0].accuracy_new.value)


CLEAR, OPEN = Estimate(0.02, 0.01, 0.03), Estimate(0.0, -0.01, 0.01)
LOST = Estimate(-0.02, -0.03, -0.01)


@pytest.mark.parametrize(
    ("spared", "change", "bought", "cost"),
    [
        (CLEAR, OPEN, "breaks 7 right answers instead of 9 (negative", "at no clear change in accuracy: 0.0 points"),
        (CLEAR, CLEAR, "breaks 7 right answers instead of 9 (negative", "and is more accurate as well: +2.0 points"),
        (
            LOST,
            LOST,
            "breaks more right answers, 7 instead of 9 (negative",
            "and that costs accuracy: \u22122.0 points",
        ),
        (
            OPEN,
            LOST,
            "does not clearly break fewer right answers, 7 against 9 (neg",
            "and that costs accuracy: \u22122.0",
        ),
    ],
)
def test_every_outcome_is_told_as_it_is(spared, change, bought, cost):
    told = str(Bargain((9, 7), spared, change))
    assert bought in told
    assert cost in told
