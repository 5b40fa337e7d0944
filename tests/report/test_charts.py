"""The pure parts of the charts, by hand and by properties."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.flips import Counts, Estimate, FlipMatrix, compare
from segue.report import changes, confidence, forest, heatmap, scale, square
from tests.report import reports

COUNT = st.integers(0, 10**9)


# Axes


@given(st.floats(-1e6, 1e6), st.floats(1e-9, 1e6))
def test_an_axis_covers_its_range_with_round_ticks(low, width):
    axis = scale.round_axis(low, low + width)
    rounding = 1e-6 * width + 4 * math.ulp(abs(low) + width)
    assert axis.low <= low + rounding
    assert axis.high >= low + width - rounding
    assert 2 <= len(axis.ticks) <= 8
    assert axis.place(axis.low) == 0
    assert axis.place(axis.high) == 100


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.0), (math.nan, 1.0), (0.0, math.inf), (2.0, 1.0)])
def test_an_axis_of_nothing_is_still_an_axis(low, high):
    axis = scale.round_axis(low, high)
    assert axis.high > axis.low


# Two by two


@given(COUNT, COUNT, COUNT, COUNT, COUNT)
def test_areas_of_the_squares_are_in_the_ratio_of_the_counts(right, broken, mended, same, differ):
    found = square.cells(Counts(right, broken, mended, same, differ))
    largest = max(cell.count for cell in found.values())
    for cell in found.values():
        assert 0 <= cell.side <= 100
        if largest:
            assert cell.side**2 / 1e4 == pytest.approx(cell.count / largest)
    assert found["wrong"].count == same + differ


# Slices


def slices_of(report):
    return forest.forest(report.slices, report.negative_flip_rate, report.confidence)


def test_few_slices_are_all_shown_by_column():
    report = reports.classifier()
    drawn = slices_of(report)
    assert [column for column, _ in drawn.groups] == ["light", "shop", "price"]
    assert drawn.size == len(report.slices) == 13
    assert drawn.hidden == 0
    assert drawn.alarming == 1  # dim light, where the new model is worse
    (alarming,) = [row for _, rows in drawn.groups for row in rows if row.more_flips]
    assert alarming.result.value == "dim"


def test_of_many_slices_the_alarming_and_the_largest_come_first():
    draws = np.random.default_rng(0)
    shop = np.concatenate([draws.integers(0, 900, 40_000), np.full(60, 950)])
    old = np.ones(len(shop), dtype=int)
    new = np.where(shop == 950, 0, (draws.random(len(shop)) > 0.02).astype(int))
    report = compare(np.ones(len(shop), dtype=int), old, new, slices={"shop": np.char.add("shop ", shop.astype(str))})
    drawn = slices_of(report)
    first = [row for _, rows in drawn.groups for row in rows if row.first]
    assert drawn.size > 800
    assert drawn.hidden == drawn.size - len(first)
    assert "shop 950" in {row.result.value for row in first}
    largest = sorted(report.slices, key=lambda part: -part.samples)[: forest.LARGEST]
    assert {part.value for part in largest} <= {row.result.value for row in first}
    assert len(first) <= forest.LARGEST + 10


def test_tiny_slices_do_not_squeeze_the_others():
    rates = [Estimate(0.02, 0.015, 0.025)] * 9 + [Estimate(0.0, 0.0, 0.84)]
    axis = forest.rate_axis(rates, Estimate(0.02, 0.018, 0.022))
    assert axis.high <= 0.1
    cut = forest.whisker(rates[-1], axis)
    assert cut.cut_high
    assert not cut.cut_low
    assert cut.high == 100
    assert not forest.whisker(rates[0], axis).cut_high


def test_an_undefined_rate_has_no_dot():
    axis = forest.rate_axis([Estimate(math.nan, 0, 1)], Estimate(math.nan, 0, 1))
    assert forest.whisker(Estimate(math.nan, 0, 1), axis).middle is None


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30))
def test_every_dot_is_on_its_axis(numbers):
    changes_ = [Estimate(value, max(-1, value - down), min(1, value + up)) for value, down, up in numbers]
    axis = forest.change_axis(changes_)
    assert axis.low <= 0 <= axis.high
    assert not any(axis.beyond(change.value) for change in changes_)
    rates = [Estimate(abs(value), max(0, abs(value) - down), min(1, abs(value) + up)) for value, down, up in numbers]
    over = forest.rate_axis(rates, rates[0])
    assert not any(over.beyond(rate.value) for rate in rates)


def test_no_slices_no_plot():
    assert forest.forest([], Estimate(0.1, 0, 1), 0.95) is None


# Flip matrix


def matrix(labels, answers):
    return FlipMatrix.of(np.array(labels), np.array(answers))


def test_with_few_classes_all_are_rows_and_columns_in_the_same_order():
    drawn = heatmap.heat_map(matrix([10, 9, 9, 2], [2, 10, 10, 9]))
    assert drawn.labels == drawn.answers == ("2", "9", "10")
    assert drawn.counts == ((0, 1, 0), (0, 0, 2), (1, 0, 0))
    assert drawn.levels == ((0, 1, 0), (0, 0, 2), (1, 0, 0))
    assert drawn.pairs[0] == ("9", "10", 2)
    assert drawn.other_answers is None
    assert drawn.other_labels is None


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=300))
def test_with_many_classes_no_flip_is_lost(pairs):
    labels, answers = zip(*pairs, strict=True)
    drawn = heatmap.heat_map(matrix(labels, answers))
    others = sum(drawn.other_answers or ()) + sum(drawn.other_labels or ()) + drawn.corner
    assert sum(map(sum, drawn.counts)) + others == len(pairs) == drawn.total
    assert len(drawn.labels) <= heatmap.MOST_CLASSES
    assert len(drawn.answers) <= heatmap.MOST_CLASSES
    assert len(set(labels)) - drawn.labels_left_out == sum(label in {str(v) for v in labels} for label in drawn.labels)


@given(st.integers(1, 10**6))
def test_the_legend_tells_every_count_its_darkness(largest):
    told = heatmap.legend(largest)
    assert told[0][1] == 1
    assert told[-1][2] == largest
    for (_, _, high), (_, low, _) in itertools.pairwise(told):
        assert low == high + 1
    for darkness, low, high in told:
        assert heatmap.level(low, largest) == heatmap.level(high, largest) == darkness


def test_nothing_broken_no_heat_map():
    assert heatmap.heat_map(matrix([], [])) is None


# Confidence


def columns(flip, old, new):
    return {"flip": np.array(flip), "old_confidence": np.array(old), "new_confidence": np.array(new)}


def test_confidences_by_hand():
    (broken, mended) = confidence.confidence_panels(
        columns(["negative"] * 3 + ["positive"], [0.3, 1.0, 0.05, 0.5], [0.9, 0.95, 0.0, 0.89])
    )
    assert broken.old == (1, 0, 0, 1, 0, 0, 0, 0, 0, 1)
    assert broken.new == (1, 0, 0, 0, 0, 0, 0, 0, 0, 2)
    assert (broken.old_sure, broken.new_sure) == (1, 2)
    assert (mended.samples, mended.new_sure) == (1, 0)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1), st.floats(0, 1)), max_size=50))
def test_every_confidence_is_in_one_bar(rows):
    flip = ["negative" if broken else "positive" for broken, _, _ in rows]
    panels = confidence.confidence_panels(columns(flip, [old for _, old, _ in rows], [new for *_, new in rows]))
    assert sum(panel.samples for panel in panels) == len(rows)
    assert all(sum(panel.old) == sum(panel.new) == panel.samples for panel in panels)


@pytest.mark.parametrize(
    "given_",
    [
        {"flip": np.array(["negative"])},
        columns(["negative"], [np.nan], [0.5]),
        columns(["negative"], [1.7], [0.5]),
        columns(["negative"], ["sure"], [0.5]),
        columns([], [], []),
    ],
)
def test_without_probabilities_there_is_no_panel(given_):
    assert confidence.confidence_panels(given_) == ()


def test_missing_confidences_are_left_out():
    (panel,) = confidence.confidence_panels(columns(["negative"] * 2, [None, 0.5], [0.5, 0.5]))
    assert panel.samples == 1


# Score changes


@given(st.lists(st.floats(-50, 50).filter(lambda change: abs(change) > 1e-3), min_size=1, max_size=100))
def test_every_change_is_in_a_bar_on_its_side_of_zero(amounts):
    new = np.array(amounts)
    drawn = changes.change_histogram({"old": np.zeros(len(new)), "new": new})
    assert sum(bar.count for bar in drawn.bars) == len(new)
    assert sum(bar.count for bar in drawn.bars if bar.lost) == int((new < 0).sum())
    for bar in drawn.bars:
        assert (bar.high <= 1e-9) if bar.lost else (bar.low >= -1e-9)
        assert not drawn.axis.beyond(bar.low)
        assert not drawn.axis.beyond(bar.high)
    assert drawn.tallest == max(bar.count for bar in drawn.bars)


def test_changes_that_differ_by_rounding_share_a_bar():
    old = np.array([0.8, 0.9, 1.0])
    drawn = changes.change_histogram({"old": old, "new": old - np.array([0.3, 0.3, 0.3])})
    assert [bar.count for bar in drawn.bars] == [3]
    assert drawn.median_loss == pytest.approx(0.3)
    assert math.isnan(drawn.median_gain)


def test_no_flips_no_histogram():
    assert changes.change_histogram({"old": np.array([]), "new": np.array([])}) is None
