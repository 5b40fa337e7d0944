"""Two equally good models are seldom told apart, whatever the items, the queries and the labels are."""

import math

import numpy as np
import pytest

from segue.advise.asked import Asked
from segue.advise.cost import Prices
from segue.advise.measuring import plain_options, upgrade_of
from segue.advise.option import Way
from segue.advise.sample import read_sample
from segue.advise.sampling import arms, drawn_labels, labels_counted, widened, wider
from segue.flips import Estimate
from segue.retrieval import mean_difference
from tests.adapters.spaces import to_unit

ASKED = Asked("cmc@1", 5, 0, 0.95)


def test_a_case_by_hand():
    assert arms(300, 100, each_other=False) == pytest.approx(math.sqrt(1.75))
    assert arms(300, 100, each_other=True) == math.sqrt(2)
    assert widened(Estimate(0.1, 0.0, 0.3), 1.5) == Estimate(0.1, pytest.approx(-0.05), pytest.approx(0.4))
    assert widened(Estimate(-0.9, -1.0, -0.5), 9.0) == Estimate(-0.9, -1.0, 1.0)


def equally_good(seed, items, queries):
    """The same classes every time; other items, which both models blur as much."""
    centres = np.random.default_rng(5).normal(size=(20, 8))
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 20, items + queries)
    shown = centres[labels] + 0.4 * rng.normal(size=(len(labels), 8))
    old, new = (to_unit(shown + 0.9 * rng.normal(size=shown.shape)) for _ in range(2))
    asking = (old[items:], new[items:], labels[items:]) if queries else (None, None, None)
    return read_sample(old[:items], new[:items], labels[:items], asking, (None, None))


def photos(seed, products, each):
    """Other products every time, several photos of each, some products hard for the one model, some for the other."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(products), each)

    def model():
        hard = np.exp(0.6 * rng.normal(size=products))[labels, None]
        return to_unit(rng.normal(size=(products, 16))[labels] + 1.1 * hard * rng.normal(size=(len(labels), 16)))

    return read_sample(model(), model(), labels, (None, None, None), (None, None))


def called(samples, asked=ASKED):
    """Count in how many samples the new model is called better or worse, by the advice's interval and over queries."""
    told = {"advice": 0, "queries": 0}
    for sample in samples:
        upgrade = upgrade_of(sample, asked)
        change = plain_options(sample, upgrade, asked, Prices(None, len(sample), None, None))[Way.RE_EMBED].difference
        plain = mean_difference(upgrade.old, upgrade.new)
        for name, interval in (("advice", change), ("queries", plain)):
            told[name] += interval.low > 0 or interval.high < 0
    return told


def seldom(samples):
    """As many as 5% of the samples would give, and two standard deviations more."""
    return 0.05 * samples + 2 * math.sqrt(0.05 * 0.95 * samples)


@pytest.mark.parametrize(("items", "queries"), [(60, 0), (60, 300)])
def test_a_model_that_is_no_better_is_seldom_called_better_or_worse(items, queries):
    told = called(equally_good(seed, items, queries) for seed in range(100))
    assert told["advice"] <= seldom(100)
    assert told["queries"] > 0.08 * 100  # what would be without


@pytest.mark.parametrize(
    ("products", "each", "without"), [(40, 15, 0.3), (40, 8, 0.15), (12, 20, 0.3), (5, 20, 0.2), (100, 4, 0.1)]
)
def test_nor_where_labels_are_a_sample_too(products, each, without):
    samples = 50
    told = called(photos(seed, products, each) for seed in range(samples))
    assert told["advice"] <= seldom(samples)
    assert told["queries"] > without * samples


def test_nor_by_a_graded_measure():
    told = called((photos(seed, 25, 6) for seed in range(30)), Asked("map", 5, 0, 0.95))
    assert told["advice"] <= seldom(30)
    assert told["queries"] > 0.2 * 30


def test_where_no_query_changes_labels_say_nothing():
    values, labels = np.tile([0.0, 1.0], 200), np.arange(400) % 20
    change = ASKED.change(values, values, labels)
    assert change == mean_difference(values, values)
    assert change.high < 0.02


def test_labels_are_counted_where_something_is_relevant():
    labels, values = np.array([1, 1, 2, 3, 4, 5, 6]), np.array([0.0, 1.0, 0.0, 1.0, 1.0, 0.0, np.nan])
    assert labels_counted(labels, values) == 5
    assert drawn_labels(labels, values) is labels
    assert drawn_labels(labels[:5], values[:5]) is None
    assert drawn_labels(None, values) is None
    assert wider(Estimate(0.2, 0.1, 0.5), Estimate(0.2, -0.1, 0.3)) == Estimate(0.2, -0.1, 0.5)
