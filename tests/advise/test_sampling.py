"""Two equally good models are seldom told apart, whatever the items and the queries are."""

import math

import numpy as np
import pytest

from segue.advise.cost import Prices
from segue.advise.measuring import Asked, plain_options, upgrade_of
from segue.advise.option import Way
from segue.advise.sample import read_sample
from segue.advise.sampling import arms, widened
from segue.flips import Estimate
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


@pytest.mark.parametrize(("items", "queries"), [(60, 0), (60, 500)])
def test_a_model_that_is_no_better_is_seldom_called_better_or_worse(items, queries):
    told, naive, samples = 0, 0, 150
    for seed in range(samples):
        sample = equally_good(seed, items, queries)
        upgrade = upgrade_of(sample, ASKED)
        plain = ASKED.change(upgrade.old, upgrade.new)
        change = plain_options(sample, upgrade, ASKED, Prices(None, items, None, None))[Way.RE_EMBED].difference
        told += change.low > 0 or change.high < 0
        naive += plain.low > 0 or plain.high < 0
    assert told <= 0.05 * samples + 2 * math.sqrt(0.05 * 0.95 * samples)
    assert naive > 0.08 * samples  # what would be without
